#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "relay/event_loop.h"
#include "relay/redis_client.h"

namespace relay {

// What an object under test has asked of Redis, decoded.
struct FakeRedisCall {
  std::string verb;               // "XADD"; for a script its name.
  std::vector<std::string> keys;  // Of a script only.
  std::vector<std::string> args;  // Without the verb and without the keys.
  const RedisScript* script = nullptr;
  std::optional<Micros> deadline;  // Of SendWithDeadline only.
};

// A RedisClient without Redis, which keeps the promises of the seam: replies come in the order of
// the commands, later and never from inside a call, and not at all once their scope has died. A
// command is answered by the test by hand (Answer) or by a standing answer for its verb (On).
//
// It starts up, with run id "run-1".
class FakeRedis final : public RedisClient {
 public:
  using Responder = std::function<Result<RedisValue>(const FakeRedisCall&)>;

  explicit FakeRedis(EventLoop& loop) : loop_(loop) {}

  // ---- the side of the object under test
  void Send(const RedisCommand& command, const CallScope& scope, OnReply on_reply) override;
  void SendWithDeadline(const RedisCommand& command, Micros deadline, const CallScope& scope,
                        OnReply on_reply) override;
  void Eval(const RedisScript& script, std::span<const std::string> keys,
            std::span<const std::string> args, const CallScope& scope, OnReply on_reply) override;
  bool up() const override { return up_; }
  const std::string& run_id() const override { return run_id_; }
  void WatchState(const CallScope& scope, std::function<void()> on_change) override;

  // ---- the side of the test
  // Every call so far, answered or not, oldest first.
  const std::vector<FakeRedisCall>& calls() const { return calls_; }
  // How many of them had this verb or script name.
  int CountOf(std::string_view verb) const;
  void ForgetCalls() { calls_.clear(); }

  // Calls that nobody has answered yet.
  size_t unanswered() const;
  // The oldest unanswered call. Requires: there is one.
  const FakeRedisCall& Oldest() const;
  // Answers the oldest unanswered call; its callback comes with the next turn of the loop.
  // Requires: there is one.
  void Answer(Result<RedisValue> answer);

  // From now on answers every call with this verb or script name. Calls already there stay.
  void On(const std::string& verb, Responder responder);
  void On(const std::string& verb, RedisValue reply);
  // Takes the standing answer away again.
  void Off(const std::string& verb) { responders_.erase(verb); }

  // The connection breaks: what has not been called back fails with kUnavailable, even where a
  // responder has acted already (a lost reply), and so does everything sent until BringUp().
  void TakeDown();
  void BringUp(const std::string& run_id);

 private:
  struct Pending {
    FakeRedisCall call;
    CallScope::Watch watch;
    OnReply on_reply;
    std::optional<Result<RedisValue>> answer;
  };

  void Take(FakeRedisCall call, const CallScope& scope, OnReply on_reply);
  void DeliverLater();
  void Deliver();
  void NotifyLater();

  EventLoop& loop_;
  bool up_ = true;
  std::string run_id_ = "run-1";
  std::vector<FakeRedisCall> calls_;
  std::deque<Pending> pending_;  // Not called back yet, in the order of the commands.
  std::map<std::string, Responder, std::less<>> responders_;
  struct Watcher {
    CallScope::Watch watch;
    std::function<void()> on_change;
  };
  std::vector<Watcher> watchers_;
  CallScope posts_;  // Last: what has been posted ends with the fake.
};

}  // namespace relay
