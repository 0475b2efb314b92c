#pragma once

#include <deque>
#include <functional>
#include <string>
#include <utility>

#include "relay/random.h"
#include "relay/redis_client.h"
#include "relay/redis_scripts.h"
#include "tests/crash/faults.h"
#include "tests/support/redis_process.h"
#include "tests/support/sync_redis.h"

namespace relay {

// The harness's way to Redis: one blocking connection on which scripts may be made to fail half way
// or be replaced by spoilt ones. It is a RedisClient too (callbacks wait for RunCallbacks), so that
// PartitionSweep runs here as it runs in a worker.
class CrashRedis final : public RedisClient {
 public:
  CrashRedis(RedisProcess& process, Random& random)
      : process_(process), redis_(process.socket_path()), random_(random) {}

  // Connects after a start of Redis. Stops the harness when it cannot.
  void Connect();

  RedisValue Ask(const RedisCommand& command);
  RedisValue Run(const ScriptCall& call);
  // The call as it would be sent, with whatever faults are on: for pipelines.
  RedisCommand Encoded(const ScriptCall& call);
  SyncRedis& pipeline() { return redis_; }

  // From now on this share of the scripts fails at a call drawn at random.
  void FailShare(double share) { fail_share_ = share; }
  // The next script fails at its `nth` call; 0: none.
  void FailNextAt(int nth) { fail_next_at_ = nth; }
  // From now on `spoil` replaces the script of its name; null: none.
  void UseSpoil(const Spoil* spoil) { spoil_ = spoil; }
  int64_t injected() const { return injected_; }
  int64_t stale() const { return stale_; }

  void Send(const RedisCommand& command, const CallScope& scope, OnReply on_reply) override;
  void SendWithDeadline(const RedisCommand& command, Micros deadline, const CallScope& scope,
                        OnReply on_reply) override;
  void Eval(const RedisScript& script, std::span<const std::string> keys,
            std::span<const std::string> args, const CallScope& scope, OnReply on_reply) override;
  bool up() const override { return true; }
  const std::string& run_id() const override { return run_id_; }
  void WatchState(const CallScope& scope, std::function<void()> on_change) override;
  void RunCallbacks();

 private:
  std::string TextOf(const RedisScript& script);
  void Queue(RedisValue reply, const CallScope& scope, OnReply on_reply);

  RedisProcess& process_;
  SyncRedis redis_;
  Random& random_;
  double fail_share_ = 0;
  int fail_next_at_ = 0;
  const Spoil* spoil_ = nullptr;
  int64_t injected_ = 0;
  int64_t stale_ = 0;
  std::string run_id_ = "crash";
  std::deque<std::function<void()>> callbacks_;
};

// Stops the harness, which is not able to go on.
[[noreturn]] void GiveUp(const std::string& why);

}  // namespace relay
