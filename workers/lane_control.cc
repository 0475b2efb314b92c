#include "workers/lane_control.h"

#include <algorithm>
#include <utility>

namespace relay {
namespace {

constexpr Millis kLaneTick{50};
// Tokens that nobody has used go to waste rather than be used in a lump much later.
constexpr Millis kTokensLast{1000};
// A call that failed is repeated after this.
constexpr Millis kAfterFailure{250};
// A rate is drawn for so long ahead while a backlog drains.
constexpr int kDrawsPerSecond = 10;

// What could be started now, were there permits and tokens.
int Usable(const LaneControl::Demand& demand) {
  const int cap = demand.terms->in_flight_max;
  const int more = demand.waiting + (demand.backlog ? cap : 0);
  return std::min(std::max(cap, demand.in_flight), demand.in_flight + more);
}

int DrawFor(const LaneControl::Demand& demand, int per_s) {
  return std::max(demand.waiting, demand.backlog ? std::max(1, per_s / kDrawsPerSecond) : 0);
}

bool Idle(const LaneControl::Demand& demand) {
  return !demand.terms || (demand.in_flight == 0 && demand.waiting == 0 && !demand.backlog);
}

}  // namespace

LaneControl::LaneControl(EventLoop& loop, RedisClient& redis, Log& log, std::string boot,
                         Events events)
    : loop_(loop),
      redis_(redis),
      log_(log),
      boot_(std::move(boot)),
      events_(std::move(events)),
      timer_(loop.NewTimer([this] { OnTick(); })) {}

void LaneControl::Look(uint64_t endpoint) {
  Share& share = shares_[endpoint];
  if (!timer_->armed()) timer_->Arm(kLaneTick);
  if (share.looked_at) return;
  share.looked_at = true;
  looks_.push_back(endpoint);
  loop_.AtTurnEnd(*this, Phase::kBatch);
}

void LaneControl::Report(uint64_t endpoint, bool ok) {
  Share& share = shares_[endpoint];
  if (ok) {
    ++share.ok;
    share.failed_last = 0;
  } else {
    ++share.failed;
    ++share.failed_last;
  }
  Look(endpoint);
}

int LaneControl::permits(uint64_t endpoint) const {
  const auto found = shares_.find(endpoint);
  return found == shares_.end() ? 0 : found->second.permits;
}

bool LaneControl::open(uint64_t endpoint) const {
  const auto found = shares_.find(endpoint);
  return found != shares_.end() && found->second.open;
}

void LaneControl::OnTurnEnd() {
  const MonoTime now = loop_.clock().Now();
  std::vector<LaneAsk> asks;
  for (const uint64_t endpoint : std::exchange(looks_, {})) {
    const auto found = shares_.find(endpoint);
    if (found == shares_.end()) continue;
    Share& share = found->second;
    share.looked_at = false;
    const Demand demand = events_.demand(endpoint);
    if (Idle(demand) && !share.known && share.ok + share.failed == 0) {
      shares_.erase(found);
      continue;
    }
    const int usable = demand.terms ? Usable(demand) : 0;
    share.peak = std::max(share.peak, usable);
    share.unmet = share.failed > 0 || demand.in_flight < usable;
    if (!IsDue(share, demand, now)) continue;
    asks.push_back(AskFor(endpoint, share, demand, now));
    if (asks.size() == kLanesPerCall) Send(std::exchange(asks, {}));
  }
  if (!asks.empty()) Send(std::move(asks));
}

// The lapse of permits, and all that is due without anybody's doing.
void LaneControl::OnTick() {
  if (shares_.empty()) return;
  timer_->Arm(kLaneTick);
  const MonoTime now = loop_.clock().Now();
  std::unordered_set<uint64_t> lapsed;
  for (auto& [endpoint, share] : shares_) {
    if (share.permits > 0 && now >= share.trusted_until) lapsed.insert(endpoint);
    if (!share.under_way && (share.unmet || !share.known || now >= share.ask_at)) Look(endpoint);
  }
  for (const uint64_t endpoint : lapsed) {
    Share& share = shares_.at(endpoint);
    share.known = false;
    SetPermits(endpoint, share, 0);
  }
  if (!lapsed.empty()) events_.on_lapsed(lapsed);
}

bool LaneControl::IsDue(const Share& share, const Demand& demand, MonoTime now) const {
  if (share.under_way || !redis_.up()) return false;
  if (!share.known || now >= share.ask_at || (leaving_ && Idle(demand))) return true;
  if (NeedsTokens(share, demand, now)) return true;
  if (now < share.asked_at + kAgain) return false;
  if (share.failed > 0 || (share.ok > 0 && share.failing)) return true;
  if (!demand.terms || share.open) return false;
  return share.permits < std::min(demand.terms->in_flight_max, Usable(demand));
}

bool LaneControl::NeedsTokens(const Share& share, const Demand& demand, MonoTime now) const {
  const bool more = demand.waiting > 0 || demand.backlog;
  if (!more || share.open || now < share.asked_at + kTokensAgain) return false;
  const EndpointRate& rate = demand.terms->rate;
  if (rate.per_s > 0 && demand.tokens == 0 && now >= share.tokens_at) return true;
  return demand.backlog && rate.backlog_per_s > 0 && demand.backlog_tokens == 0 &&
         now >= share.backlog_tokens_at;
}

LaneAsk LaneControl::AskFor(uint64_t endpoint, Share& share, const Demand& demand, MonoTime now) {
  LaneAsk ask;
  ask.endpoint = endpoint;
  if (demand.terms) {
    ask.cap = demand.terms->in_flight_max;
    ask.rate = demand.terms->rate;
    ask.breaker = demand.terms->breaker;
    ask.probe = share.open && demand.backlog && !leaving_ && now >= share.probe_at;
    // Twice of what was used, so that a lane that gets busier need not ask at each step.
    const int peak = std::exchange(share.peak, 0);
    if (peak > 0 && !leaving_) ask.want = std::min(ask.cap, 2 * peak + 2);
    if (share.open) ask.want = ask.probe ? 1 : 0;
    if (ask.rate.per_s > 0 && demand.tokens == 0) ask.tokens = DrawFor(demand, ask.rate.per_s);
    if (ask.rate.backlog_per_s > 0 && demand.backlog && demand.backlog_tokens == 0) {
      ask.backlog_tokens = std::max(1, ask.rate.backlog_per_s / kDrawsPerSecond);
    }
    if (now >= share.tokens_given_at + kTokensLast && demand.waiting == 0 && !demand.backlog) {
      events_.on_tokens(endpoint, 0, 0);
    }
  }
  // What is not wanted is given back with this call, and so must not be used from here on.
  if (ask.want == 0) SetPermits(endpoint, share, std::min(share.permits, demand.in_flight));
  ask.keep = share.permits;
  ask.ok = std::exchange(share.ok, 0);
  ask.failed = std::exchange(share.failed, 0);
  ask.failed_last = std::exchange(share.failed_last, 0);
  return ask;
}

void LaneControl::Send(std::vector<LaneAsk> asks) {
  const MonoTime now = loop_.clock().Now();
  for (const LaneAsk& ask : asks) {
    Share& share = shares_.at(ask.endpoint);
    share.under_way = true;
    share.asked_at = now;
  }
  const ScriptCall call = AskForLanes(boot_, kLease, asks);
  redis_.Eval(*call.script, call.keys, call.args, scope_,
              [this, now, asks = std::move(asks)](const Result<RedisValue>& reply) {
                OnReply(asks, now, reply);
              });
}

void LaneControl::OnReply(const std::vector<LaneAsk>& asks, MonoTime asked_at,
                          const Result<RedisValue>& reply) {
  for (const LaneAsk& ask : asks) shares_.at(ask.endpoint).under_way = false;
  const Result<LanesReply> lanes =
      reply.ok() ? ParseLanes(*reply, asks.size()) : Result<LanesReply>(reply.status());
  if (!lanes.ok()) {
    if (lanes.status().code() == StatusCode::kInternal) {
      log_.Error("lanes_refused", "lanes could not be asked for",
                 {{"error", lanes.status().ToString()}});
    }
    return OnNoAnswer(asks);
  }
  for (size_t i = 0; i < asks.size(); ++i) {
    OnShare(asks[i], lanes->shares[i], asked_at, lanes->now_ms);
  }
}

void LaneControl::OnNoAnswer(const std::vector<LaneAsk>& asks) {
  const MonoTime now = loop_.clock().Now();
  for (const LaneAsk& ask : asks) {
    Share& share = shares_.at(ask.endpoint);
    // It may have been told all the same; a failure counted twice does no harm.
    if (share.ok == 0) share.failed_last += ask.failed_last;
    share.ok += ask.ok;
    share.failed += ask.failed;
    share.ask_at = now + kAfterFailure;
  }
}

void LaneControl::OnShare(const LaneAsk& ask, const LaneShare& got, MonoTime asked_at,
                          int64_t now_ms) {
  const uint64_t endpoint = ask.endpoint;
  Share& share = shares_.at(endpoint);
  const MonoTime now = loop_.clock().Now();
  const Demand demand = events_.demand(endpoint);
  share.known = true;
  share.trusted_until = asked_at + kTrust;
  share.failing = got.failing_since_ms != 0;
  share.probe_at = now + got.probe_in;
  share.tokens_at = now + got.tokens_in;
  share.backlog_tokens_at = now + got.backlog_tokens_in;
  share.ask_at = asked_at + (got.slow ? kSlowAgain : kRenew);
  if (got.open) share.ask_at = now + std::min<Micros>(got.probe_in, kOpenAgain);
  if (got.open && !demand.backlog) share.ask_at = now + kOpenAgain;

  const bool was_open = std::exchange(share.open, got.open);
  int permits = got.permits;
  if (got.come_down_to < permits && !got.probe) {
    permits = std::max(std::min(permits, demand.in_flight), got.come_down_to);
    // The rest is not free for others before Redis hears of it.
    if (permits < got.permits || permits > got.come_down_to) {
      share.ask_at = std::min<MonoTime>(share.ask_at, now + kAgain);
    }
  }
  if (ask.tokens > 0 || ask.backlog_tokens > 0) {
    share.tokens_given_at = now;
    events_.on_tokens(endpoint, ask.tokens > 0 ? got.tokens : demand.tokens,
                      ask.backlog_tokens > 0 ? got.backlog_tokens : demand.backlog_tokens);
  }
  SetPermits(endpoint, share, permits);
  if (was_open != got.open) events_.on_breaker(endpoint, got.open);
  if (got.probe) events_.on_probe(endpoint);
  if (ask.failed > 0 && got.failing_since_ms > 0) {
    events_.on_failing(endpoint, got.failing_since_ms, now_ms);
  }

  const auto found = shares_.find(endpoint);
  const bool told = found->second.ok + found->second.failed == 0;
  if (found->second.permits == 0 && told && !found->second.looked_at &&
      Idle(events_.demand(endpoint))) {
    shares_.erase(found);
  }
}

void LaneControl::SetPermits(uint64_t endpoint, Share& share, int permits) {
  if (share.permits == permits) return;
  share.permits = permits;
  events_.on_permits(endpoint, permits);
}

}  // namespace relay
