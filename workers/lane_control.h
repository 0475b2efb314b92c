#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "relay/call_scope.h"
#include "relay/catalog.h"
#include "relay/event_loop.h"
#include "relay/log.h"
#include "relay/redis_client.h"
#include "relay/redis_lanes.h"

namespace relay {

// This worker's part of what endpoints may be sent by the whole installation: permits under the
// in-flight cap, tokens of the rate, and the word of the breaker. It asks Redis for the lanes that
// have changed, many in one call, and tells what came of the attempts.
//
// Permits are held for kLease and renewed while the lane is in use. Without an answer for kTrust
// they are gone, and what is in flight has to be given up, before anybody else gets them: by then
// the partitions are lost as well, so that its results would count no more. So the cap is kept
// whoever dies or is cut off; only a process that is frozen for longer may have requests open at
// receivers that are slower than that.
//
// All references outlive it. Loop thread only.
class LaneControl final : private TurnEndHook {
 public:
  static constexpr Millis kLease{5000};
  static constexpr Millis kTrust{4000};  // Of the lease, from when it was asked for.
  static constexpr Millis kRenew{1000};
  // At most one asking of a lane in so long a time, unless it has nothing yet.
  static constexpr Millis kAgain{50};
  static constexpr Millis kTokensAgain{10};
  static constexpr Millis kSlowAgain{250};  // While the cap grows back.
  static constexpr Millis kOpenAgain{1000};

  // An endpoint's terms, as far as its lane goes.
  struct Terms {
    int in_flight_max = 1;
    EndpointRate rate;
    EndpointBreaker breaker;

    bool operator==(const Terms&) const = default;
  };
  // What a lane can use, as it stands.
  struct Demand {
    const Terms* terms = nullptr;  // Null: there is no such lane.
    int in_flight = 0;
    int waiting = 0;       // Newcomers.
    bool backlog = false;  // Retries are due.
    int tokens = 0;        // Left of those given.
    int backlog_tokens = 0;
  };
  struct Events {
    std::function<Demand(uint64_t endpoint)> demand;
    // So many requests may run from now on, those that do included.
    std::function<void(uint64_t endpoint, int permits)> on_permits;
    // So many may start; what is left of those given before counts no more.
    std::function<void(uint64_t endpoint, int tokens, int backlog_tokens)> on_tokens;
    // The permits of these are gone without an answer: nothing of theirs may stay in flight.
    std::function<void(const std::unordered_set<uint64_t>& endpoints)> on_lapsed;
    std::function<void(uint64_t endpoint, bool open)> on_breaker;
    // The breaker is open, and this worker is the one to make an attempt.
    std::function<void(uint64_t endpoint)> on_probe;
    // Nothing has ended well at the endpoint since then, by Redis's clock.
    std::function<void(uint64_t endpoint, int64_t failing_since_ms, int64_t now_ms)> on_failing;
  };

  LaneControl(EventLoop& loop, RedisClient& redis, Log& log, std::string boot, Events events);

  // The lane needs another look: something started, ended, came to wait, or is new.
  void Look(uint64_t endpoint);
  // An attempt has ended.
  void Report(uint64_t endpoint, bool ok);
  // From now on what is not in use is given back at once.
  void Leave() { leaving_ = true; }

  // What is held now, so that a lane that comes back begins with it.
  int permits(uint64_t endpoint) const;
  bool open(uint64_t endpoint) const;
  // False when nothing is held or owed, so that the lane may be forgotten.
  bool holds(uint64_t endpoint) const { return shares_.count(endpoint) > 0; }

 private:
  struct Share {
    int permits = 0;
    MonoTime trusted_until{};
    MonoTime asked_at{};
    MonoTime ask_at = MonoTime::max();  // To be asked for again, whatever happens.
    MonoTime tokens_at{};
    MonoTime backlog_tokens_at{};
    bool known = false;  // Has been answered.
    bool under_way = false;
    bool looked_at = false;  // Stands in looks_.
    bool unmet = false;      // Has a reason to ask that must wait a little.
    bool open = false;
    bool failing = false;
    MonoTime probe_at{};
    MonoTime tokens_given_at{};
    int peak = 0;                             // Of what could have been used since the last asking.
    int ok = 0, failed = 0, failed_last = 0;  // Not told yet.
    int told_ok = 0, told_failed = 0;         // In the call under way.
  };

  void OnTurnEnd() override;
  void OnTick();
  // Whether there is a reason to ask for the lane now.
  bool IsDue(const Share& share, const Demand& demand, MonoTime now) const;
  bool NeedsTokens(const Share& share, const Demand& demand, MonoTime now) const;
  LaneAsk AskFor(uint64_t endpoint, Share& share, const Demand& demand, MonoTime now);
  void SetPermits(uint64_t endpoint, Share& share, int permits);
  void Send(std::vector<LaneAsk> asks);
  void OnReply(const std::vector<LaneAsk>& asks, MonoTime asked_at,
               const Result<RedisValue>& reply);
  void OnShare(const LaneAsk& ask, const LaneShare& got, MonoTime asked_at, int64_t now_ms);
  void OnNoAnswer(const std::vector<LaneAsk>& asks);

  EventLoop& loop_;
  RedisClient& redis_;
  Log& log_;
  const std::string boot_;
  const Events events_;
  std::unordered_map<uint64_t, Share> shares_;
  std::vector<uint64_t> looks_;
  bool leaving_ = false;
  std::unique_ptr<Timer> timer_;
  CallScope scope_;
};

}  // namespace relay
