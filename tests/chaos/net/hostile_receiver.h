#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace relay {

// What the relay must make of a delivery to a receiver that behaves in some way.
enum class HostileOutcome {
  kDelivered,         // A 2xx has been given, now or at a later attempt.
  kRetriedUntilDead,  // Attempted as often as its schedule says.
  kDeadAtOnce,        // The first attempt is the last.
};

// A way in which a receiver can behave. The product's rule is the one of DESIGN: a 2xx whose whole
// head has come is success, whatever becomes of the body, unless the endpoint asks for {"code":0};
// everything else is tried again, but for 410 and what the endpoint lists as final.
struct HostileBehaviour {
  std::string_view path;  // Without its slash; a name fit for an endpoint.
  std::string_view what;
  HostileOutcome outcome;
  std::string_view last;       // Of a dead letter: the word for its last attempt.
  int status = 0;              // The last status that the relay gets; 0: none.
  std::string_view more = "";  // TOML that its endpoint needs.
  bool holds_on = false;       // Only the endpoint's timeout ends an attempt that has its 2xx.
};

std::vector<HostileBehaviour> HostileBehaviours();

// A receiver that behaves in each of these ways, by the path that is asked for, on a thread of its
// own. A behaviour has the port of its door: most share one, so that what is done to a kept
// connection meets the requests for other paths; those that begin before a path can be read have
// one each.
//
// What came whole is written down as `relayctl sink` does, with the status that the relay must take
// it for, before any byte of the answer goes out.
class HostileReceiver {
 public:
  // Continues `log`; signatures are checked with `secret`. Its certificate, which nobody trusts,
  // goes into a file beside the log.
  HostileReceiver(const std::string& log, const std::string& secret);
  ~HostileReceiver();
  HostileReceiver(const HostileReceiver&) = delete;

  // "http://127.0.0.1", or https.
  std::string scheme_host(const HostileBehaviour& behaviour) const;
  int port(const HostileBehaviour& behaviour) const;
  // Requests so far whose path was this one, whole or not. From any thread.
  int64_t Requests(std::string_view path) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// Where the redirects point: a path of the receiver that answers 200, and that nobody may ask for.
constexpr std::string_view kRedirectTarget = "redirected";

}  // namespace relay
