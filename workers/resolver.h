#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "relay/call_scope.h"
#include "relay/event_loop.h"
#include "relay/ip_address.h"
#include "workers/address_guard.h"

namespace relay {

// What a name came to.
struct LookupResult {
  enum class Kind {
    kVetted,   // `addresses` may be connected to, the best first.
    kBlocked,  // At least one address of the name is denied. One is enough: whoever mixes a private
               // address into an answer wants it used some day.
    kFailed,   // No such name, no address, or no answer in time.
  };
  Kind kind = Kind::kFailed;
  std::vector<IpAddress> addresses;
  std::string why;  // kBlocked and kFailed, for logs: never shown to a customer.
};

// Host names to vetted addresses.
//
// Guarantee: `done` is called once, never from inside Resolve(), unless its scope dies first.
class Resolver {
 public:
  using Done = std::function<void(const LookupResult&)>;
  virtual ~Resolver() = default;

  // What is known of `host` right now, or null. The pointer holds until the next call.
  virtual const LookupResult* Cached(const std::string& host) = 0;
  virtual void Resolve(const std::string& host, const CallScope& scope, Done done) = 0;
};

// The Resolver of the worker: c-ares on the loop, so that a dead name server stalls nobody else. It
// respects /etc/hosts, and knows localhost by itself (RFC 6761). An answer is kept for its TTL,
// within 5 to 60 s: shorter would make every delivery a lookup, longer would trust an address that
// has been given away. Callers that ask for the same name meanwhile share one lookup. Failures are
// not kept.
//
// `loop` and `guard` outlive it. Loop thread only.
class AresResolver final : public Resolver {
 public:
  struct Limits {
    Millis lookup_timeout{5000};  // Over all tries at all servers.
    Seconds ttl_min{5};
    Seconds ttl_max{60};
    size_t entries_max = 10000;  // Names kept; the one kept longest gives way.
    size_t lookups_max = 1000;   // Names asked for at a time; one more fails at once.
  };

  AresResolver(SystemLoop& loop, const AddressGuard& guard, Limits limits);
  AresResolver(SystemLoop& loop, const AddressGuard& guard);
  ~AresResolver() override;

  // Asks these servers ("127.0.0.1:5353,...") instead of those of /etc/resolv.conf.
  Status UseServers(const std::string& servers);

  const LookupResult* Cached(const std::string& host) override;
  void Resolve(const std::string& host, const CallScope& scope, Done done) override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay
