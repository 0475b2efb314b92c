#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "relay/attempt_log_record.h"
#include "relay/attempt_record.h"
#include "relay/catalog_snapshot.h"
#include "relay/event.h"
#include "relay/event_loop.h"
#include "relay/random.h"
#include "relay/registered_room.h"
#include "relay/settings.h"
#include "workers/address_guard.h"
#include "workers/http_client.h"
#include "workers/resolver.h"

namespace relay {

// An event that has passed through more relays than this goes no further: it runs in a circle.
inline constexpr int kHopsMax = 3;
// Whether `event` must be dead-lettered as a loop instead of being sent once more.
bool HasTooManyHops(const Event& event);

// One attempt to be made: which event, to whom, the how-manieth.
struct AttemptRequest {
  CatalogPtr catalog;  // Keeps `tenant` and `endpoint` alive.
  const Tenant* tenant = nullptr;
  const Endpoint* endpoint = nullptr;
  // Shared, because all endpoints of an event send the same bytes and none knows who is last.
  std::shared_ptr<const Event> event;
  std::string entry_id;   // The stream entry's id; goes out as relay-sequence.
  int attempts_made = 0;  // Before this one.
  // Of the start or stop of a push what it is to its stream now (docs/streams.md): static text,
  // goes out as relay-stream; empty for every other event.
  std::string_view stream_verdict;
  // Whom the event's stream code was registered for; null for nobody.
  std::shared_ptr<const RegisteredRoom> room;
};

struct AttemptResult {
  AttemptOutcome outcome = AttemptOutcome::kUnreachable;
  int status = 0;           // 0: no answer.
  Micros latency{0};        // From Start() to the outcome.
  AttemptTimes times;       // What it was spent on; `times.total` is `latency`.
  Millis retry_after{0};    // What the endpoint asked for; 0: nothing. At most a day.
  std::string answer;       // The beginning of the answer's body: attacker-controlled bytes.
  bool answer_cut = false;  // There was, or may have been, more of it.
  bool connection_reused = false;
  std::string why;  // For our log only: what was refused, or what kept the name from resolving.
};

// An attempt under way. Destroying it aborts the request, and its callback does not come.
class Attempt {
 public:
  virtual ~Attempt() = default;
};

// Makes attempts: builds body and headers, has the name resolved and vetted, sends, and says what
// it came to. What an endpoint's catalog entry implies (URL taken apart, keyed signatures, fixed
// headers) is made once and kept while the entry stays the same.
//
// The borrowed parts outlive the Attempts, which outlives each Attempt. Loop thread only.
class Attempts {
 public:
  using Done = std::function<void(AttemptResult)>;

  Attempts(EventLoop& loop, HttpClient& http, Resolver& resolver, const AddressGuard& guard,
           const Settings::Delivery& settings, Random& random);
  ~Attempts();

  // `done` is called once, never from inside this call; the handle may be destroyed in it.
  // An event with too many hops comes to kLoop, and nothing is sent.
  std::unique_ptr<Attempt> Start(AttemptRequest request, Done done);

 private:
  class Impl;
  class Running;
  std::unique_ptr<Impl> impl_;
};

}  // namespace relay
