#include "tests/support/fake_redis.h"

#include <algorithm>

#include "relay/check.h"

namespace relay {

void FakeRedis::Send(const RedisCommand& command, const CallScope& scope, OnReply on_reply) {
  FakeRedisCall call;
  call.args = command.Args();
  call.verb = call.args.front();
  call.args.erase(call.args.begin());
  Take(std::move(call), scope, std::move(on_reply));
}

void FakeRedis::SendWithDeadline(const RedisCommand& command, Micros deadline,
                                 const CallScope& scope, OnReply on_reply) {
  FakeRedisCall call;
  call.args = command.Args();
  call.verb = call.args.front();
  call.args.erase(call.args.begin());
  call.deadline = deadline;
  Take(std::move(call), scope, std::move(on_reply));
}

void FakeRedis::Eval(const RedisScript& script, std::span<const std::string> keys,
                     std::span<const std::string> args, const CallScope& scope, OnReply on_reply) {
  FakeRedisCall call;
  call.verb = script.name;
  call.keys.assign(keys.begin(), keys.end());
  call.args.assign(args.begin(), args.end());
  call.script = &script;
  Take(std::move(call), scope, std::move(on_reply));
}

void FakeRedis::Take(FakeRedisCall call, const CallScope& scope, OnReply on_reply) {
  calls_.push_back(call);
  Pending pending{std::move(call), scope.watch(), std::move(on_reply), std::nullopt};
  if (!up_) {
    pending.answer = Status::Unavailable("redis is down");
  } else if (auto standing = responders_.find(pending.call.verb); standing != responders_.end()) {
    pending.answer = standing->second(pending.call);
  }
  pending_.push_back(std::move(pending));
  DeliverLater();
}

int FakeRedis::CountOf(std::string_view verb) const {
  return static_cast<int>(std::count_if(calls_.begin(), calls_.end(),
                                        [verb](const auto& call) { return call.verb == verb; }));
}

size_t FakeRedis::unanswered() const {
  return std::count_if(pending_.begin(), pending_.end(), [](const auto& p) { return !p.answer; });
}

const FakeRedisCall& FakeRedis::Oldest() const {
  auto oldest =
      std::find_if(pending_.begin(), pending_.end(), [](const auto& p) { return !p.answer; });
  RELAY_CHECK(oldest != pending_.end());
  return oldest->call;
}

void FakeRedis::Answer(Result<RedisValue> answer) {
  auto oldest =
      std::find_if(pending_.begin(), pending_.end(), [](const auto& p) { return !p.answer; });
  RELAY_CHECK(oldest != pending_.end());
  oldest->answer = std::move(answer);
  DeliverLater();
}

void FakeRedis::On(const std::string& verb, Responder responder) {
  responders_[verb] = std::move(responder);
}

void FakeRedis::On(const std::string& verb, RedisValue reply) {
  On(verb,
     [reply = std::move(reply)](const FakeRedisCall&) -> Result<RedisValue> { return reply; });
}

void FakeRedis::TakeDown() {
  up_ = false;
  for (Pending& pending : pending_) pending.answer = Status::Unavailable("connection broken");
  DeliverLater();
  NotifyLater();
}

void FakeRedis::BringUp(const std::string& run_id) {
  up_ = true;
  run_id_ = run_id;
  NotifyLater();
}

void FakeRedis::WatchState(const CallScope& scope, std::function<void()> on_change) {
  watchers_.push_back({scope.watch(), std::move(on_change)});
}

void FakeRedis::DeliverLater() {
  loop_.Post([this, watch = posts_.watch()] {
    if (!watch.gone()) Deliver();
  });
}

void FakeRedis::Deliver() {
  const auto here = posts_.watch();
  // In order: a call behind an unanswered one waits. What callbacks send meanwhile has its own
  // turn.
  for (size_t left = pending_.size(); left > 0; --left) {
    if (here.gone() || pending_.empty() || !pending_.front().answer) return;
    Pending front = std::move(pending_.front());
    pending_.pop_front();
    if (!front.watch.gone()) front.on_reply(std::move(*front.answer));
  }
}

void FakeRedis::NotifyLater() {
  loop_.Post([this, watch = posts_.watch()] {
    if (watch.gone()) return;
    // A copy, because a watcher may add another.
    const std::vector<Watcher> watchers = watchers_;
    for (const Watcher& watcher : watchers) {
      if (!watcher.watch.gone()) watcher.on_change();
    }
  });
}

}  // namespace relay
