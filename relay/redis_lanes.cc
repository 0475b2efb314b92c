#include "relay/redis_lanes.h"

#include <cmath>

#include "relay/check.h"
#include "relay/script_keys.h"
#include "relay/script_reply.h"
#include "relay/stream_layout.h"

namespace relay {
namespace {

constexpr size_t kShareItems = 11;

const RedisScript& LaneScript() {
  static const RedisScript kScript = MakeScript("lane", ScriptHead::kNone);
  return kScript;
}

void AppendNumbers(ScriptCall& call, std::initializer_list<int64_t> numbers) {
  for (const int64_t number : numbers) call.args.push_back(std::to_string(number));
}

Result<LaneShare> ParseShare(const RedisValue& value) {
  if (Status status = ExpectArray(value, kShareItems, "lane"); !status.ok()) return status;
  int64_t items[kShareItems];
  for (size_t i = 0; i < kShareItems; ++i) {
    const Result<int64_t> number = NumberOf(value.items[i], "lane");
    if (!number.ok()) return number.status();
    items[i] = *number;
  }
  LaneShare share;
  share.permits = static_cast<int>(items[0]);
  share.come_down_to = static_cast<int>(items[1]);
  share.tokens = static_cast<int>(items[2]);
  share.tokens_in = Millis(items[3]);
  share.backlog_tokens = static_cast<int>(items[4]);
  share.backlog_tokens_in = Millis(items[5]);
  share.open = items[6] != 0;
  share.probe = items[7] != 0;
  share.probe_in = Millis(items[8]);
  share.slow = items[9] != 0;
  share.failing_since_ms = items[10];
  return share;
}

}  // namespace

ScriptCall AskForLanes(const std::string& boot, Millis lease, std::span<const LaneAsk> asks) {
  RELAY_CHECK(!asks.empty() && asks.size() <= kLanesPerCall);
  ScriptCall call{&LaneScript(), {}, {boot, std::to_string(lease.count())}};
  for (const LaneAsk& ask : asks) {
    const EndpointBreaker& breaker = ask.breaker;
    call.keys.push_back(LaneKey(ask.endpoint));
    AppendNumbers(call, {ask.cap, ask.want, ask.keep});
    AppendNumbers(call, {ask.rate.per_s, ask.rate.burst, ask.tokens});
    AppendNumbers(call, {ask.rate.backlog_per_s, ask.backlog_tokens});
    AppendNumbers(call, {ask.ok, ask.failed, ask.failed_last, ask.probe ? 1 : 0});
    AppendNumbers(
        call, {breaker.failures, std::lround(breaker.share * 1000), breaker.least,
               breaker.window.count(), breaker.probe_every.count(), breaker.slow_start.count()});
  }
  return call;
}

Result<LanesReply> ParseLanes(const RedisValue& reply, size_t asked) {
  if (Status status = ExpectArray(reply, 1 + asked, "lane"); !status.ok()) return status;
  const Result<int64_t> now = NumberOf(reply.items[0], "lane");
  if (!now.ok()) return now.status();
  LanesReply lanes;
  lanes.now_ms = *now;
  for (size_t i = 0; i < asked; ++i) {
    const Result<LaneShare> share = ParseShare(reply.items[1 + i]);
    if (!share.ok()) return share.status();
    lanes.shares.push_back(*share);
  }
  return lanes;
}

std::vector<const RedisScript*> LaneScripts() {
  return {&LaneScript()};
}

}  // namespace relay
