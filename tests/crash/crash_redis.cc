#include "tests/crash/crash_redis.h"

#include <cstdio>
#include <cstdlib>

namespace relay {

void GiveUp(const std::string& why) {
  std::fprintf(stderr, "the harness cannot go on: %s\n", why.c_str());
  std::exit(2);
}

void CrashRedis::Connect() {
  const Status status = redis_.Connect();
  if (!status.ok()) GiveUp(status.ToString());
}

RedisValue CrashRedis::Ask(const RedisCommand& command) {
  Result<RedisValue> reply = redis_.Command(command);
  if (!reply.ok()) GiveUp(reply.status().ToString());
  return std::move(*reply);
}

RedisValue CrashRedis::Run(const ScriptCall& call) {
  RedisValue reply = Ask(Encoded(call));
  if (reply.is_error() && reply.text.find("injected failure") != std::string::npos) {
    ++injected_;
  } else if (reply.is_error("STALE")) {
    ++stale_;
  } else if (reply.is_error("BADARG") || reply.is_error("WRONGTYPE") || reply.is_error("ERR")) {
    GiveUp(call.script->name + ": " + reply.text);
  }
  return reply;
}

std::string CrashRedis::TextOf(const RedisScript& script) {
  std::string text = script.text;
  if (spoil_ != nullptr && spoil_->script == script.name) text = Spoilt(text, *spoil_);
  int fail_at = std::exchange(fail_next_at_, 0);
  // Few of the calls of a script lie beyond its twentieth; small numbers reach deep enough.
  if (fail_share_ > 0 && random_.Unit() < fail_share_) fail_at = 1 + random_.Below(25);
  if (fail_at > 0) text = FailingAtCall(text, fail_at);
  return text;
}

RedisCommand CrashRedis::Encoded(const ScriptCall& call) {
  RedisCommand command("EVAL");
  command.Arg(TextOf(*call.script)).Arg(static_cast<int64_t>(call.keys.size()));
  for (const std::string& key : call.keys) command.Arg(key);
  for (const std::string& arg : call.args) command.Arg(arg);
  return command;
}

void CrashRedis::Queue(RedisValue reply, const CallScope& scope, OnReply on_reply) {
  callbacks_.push_back(
      [watch = scope.watch(), reply = std::move(reply), on_reply = std::move(on_reply)] {
        if (!watch.gone()) on_reply(reply);
      });
}

void CrashRedis::Send(const RedisCommand& command, const CallScope& scope, OnReply on_reply) {
  Queue(Ask(command), scope, std::move(on_reply));
}

void CrashRedis::SendWithDeadline(const RedisCommand& command, Micros, const CallScope& scope,
                                  OnReply on_reply) {
  Send(command, scope, std::move(on_reply));
}

void CrashRedis::Eval(const RedisScript& script, std::span<const std::string> keys,
                      std::span<const std::string> args, const CallScope& scope, OnReply on_reply) {
  Queue(Run({&script, {keys.begin(), keys.end()}, {args.begin(), args.end()}}), scope,
        std::move(on_reply));
}

void CrashRedis::WatchState(const CallScope&, std::function<void()>) {}

void CrashRedis::RunCallbacks() {
  while (!callbacks_.empty()) {
    const std::function<void()> callback = std::move(callbacks_.front());
    callbacks_.pop_front();
    callback();
  }
}

}  // namespace relay
