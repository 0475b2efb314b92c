#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "relay/clock.h"

namespace relay {

// A delivery as the holder of a Lane knows it.
using DeliveryNumber = uint64_t;

struct LaneLimits {
  int in_flight_max = 10;         // This worker's permits under the endpoint's cap.
  Micros wait_max = Millis(500);  // A quarter of split_after: who would wait longer is parked.
  int waiting_max = 1000;         // Bounds the memory of one endpoint whatever the estimate says.
};

// One endpoint's own bounded share of a worker: so many requests in flight, a short queue before
// them, and for what does not fit in the answer "park it". So an endpoint that is slow or dead
// holds up nobody but itself. Pure bookkeeping: time comes in as arguments, nothing is sent from
// here.
//
// While there is a backlog (retries that are due and found no slot), it and the newcomers have half
// of the slots each. Newcomers go on queueing before their half: were they parked instead, each
// would swell the backlog that keeps the next from its slot, and a busy endpoint that fails now and
// then would have everything go the long way through the retry set.
//
// Where the endpoint has a rate, a start takes a token as well. What waits in the retry set then
// goes before newcomers altogether, so that a backlog drains oldest first.
//
// How long a newcomer would wait is estimated as (waiting + 1) x service time / cap. The service
// time is a moving average of what finished, but at least the age of the oldest request in flight:
// an endpoint that has just stopped answering finishes nothing that could tell.
class Lane {
 public:
  enum class Admission {
    kStart,   // A slot is free and is now taken: start the request.
    kQueued,  // It waits here; TakeNext() will name it.
    kPark,    // There is no room: write it to the retry set.
  };

  explicit Lane(LaneLimits limits);

  // For a newcomer.
  Admission Offer(DeliveryNumber delivery, MonoTime now);
  // Takes a slot for one of the backlog, or for a retry that has just come due; false when none is
  // free for it.
  bool TakeForRetry(DeliveryNumber delivery, MonoTime now);
  // The request of `delivery` is over, however it went. Requires: it was started.
  void OnFinished(DeliveryNumber delivery, MonoTime now);
  // Gives back a slot that was taken and never used. No request was made, so that nothing is
  // learned about the endpoint's speed. Requires: it was started.
  void GiveUp(DeliveryNumber delivery);
  // The next waiting delivery, whose slot is then taken; nothing when no slot is free or none
  // waits. To be asked after OnFinished(), GiveUp(), SetInFlightMax() and SetBacklog(), until it
  // says nothing.
  std::optional<DeliveryNumber> TakeNext(MonoTime now);
  // Forgets a waiting delivery; false when it does not wait here.
  bool RemoveWaiting(DeliveryNumber delivery);
  // Empties the queue (the endpoint was paused or disabled); the caller parks what it gets.
  std::vector<DeliveryNumber> TakeAllWaiting();

  // A lower cap stops nothing that runs; 0 lets nothing start.
  void SetInFlightMax(int in_flight_max);
  // How many permits are likely to come: what a wait is estimated by as long as there are none.
  void SetExpected(int in_flight_max) { expected_ = in_flight_max; }
  // What this worker can count on of the endpoint's rate, and of that of its backlog; 0: no limit.
  void SetRate(double per_s, double backlog_per_s);
  // Replaces what is left of those given before.
  void SetTokens(int tokens) { tokens_ = tokens; }
  void SetBacklogTokens(int tokens) { backlog_tokens_ = tokens; }
  void SetBacklog(bool backlog) { backlog_ = backlog; }
  bool backlog() const { return backlog_; }

  // Slots that a newcomer may fill now without overtaking anyone who waits.
  int free_slots() const;
  // Slots that retries may fill now: all that those who wait have no right to.
  int free_for_retries() const;
  int tokens() const { return tokens_; }
  int backlog_tokens() const { return backlog_tokens_; }
  int in_flight() const { return static_cast<int>(running_.size()); }
  int waiting() const { return static_cast<int>(waiting_.size()); }
  bool idle() const { return running_.empty() && waiting_.empty(); }
  Micros EstimatedWait(MonoTime now) const;

 private:
  struct Running {
    DeliveryNumber delivery;
    MonoTime since;
    bool retry;
  };
  int newcomers_max() const;
  bool has_token() const { return per_s_ == 0 || tokens_ > 0; }
  int newcomers() const { return in_flight() - retries_; }
  void Begin(DeliveryNumber delivery, MonoTime now, bool retry);
  Running TakeOut(DeliveryNumber delivery);

  LaneLimits limits_;
  Micros service_time_;
  std::vector<Running> running_;  // In the order of starting: the oldest first.
  int retries_ = 0;               // Of those that run.
  std::deque<DeliveryNumber> waiting_;
  bool backlog_ = false;
  int expected_ = 1;
  double per_s_ = 0, backlog_per_s_ = 0;
  int tokens_ = 0, backlog_tokens_ = 0;
};

}  // namespace relay
