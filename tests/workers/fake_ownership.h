#pragma once

#include <map>
#include <string>

#include "tests/support/fake_redis.h"
#include "tests/support/simulated_loop.h"

namespace relay {

// Leases, heartbeats and sweeps as a FakeRedis answers them when all goes well, with the time of a
// simulated loop for Redis's own.
class FakeOwnership {
 public:
  struct Lease {
    int64_t epoch = 0;
    std::string boot;
    int64_t deadline_ms = 0;
  };

  FakeOwnership(SimulatedLoop& loop, FakeRedis& redis) : loop_(loop) {
    redis.On("own", [this](const FakeRedisCall& call) { return Own(call); });
    redis.On("heartbeat", [this](const FakeRedisCall& call) { return Roll(call); });
    redis.On("create_groups", RedisValue::Integer(0));
    redis.On("requeue_orphans", RedisValue::Array({RedisValue::Integer(1), RedisValue::Text(""),
                                                   RedisValue::Array({})}));
    redis.On("recount", RedisValue::Array({RedisValue::Integer(1), RedisValue::Integer(0),
                                           RedisValue::Integer(0), RedisValue::Integer(0),
                                           RedisValue::Integer(0), RedisValue::Integer(0)}));
    redis.On("prune_history", RedisValue::Array({RedisValue::Integer(1), RedisValue::Text("0"),
                                                 RedisValue::Integer(0)}));
    redis.On("SMEMBERS", RedisValue::Array({}));
  }

  int64_t now_ms() const { return loop_.Now().time_since_epoch().count() / 1000; }
  // By the name of the partition's `own` key.
  std::map<std::string, Lease> leases;
  // Other workers on the roll, as "<boot id> <name>".
  std::vector<std::string> others;
  bool refuse_renewals = false;

 private:
  static Result<RedisValue> Answer(int64_t won, int64_t epoch, int64_t left) {
    return RedisValue::Array(
        {RedisValue::Integer(won), RedisValue::Integer(epoch), RedisValue::Integer(left)});
  }

  Result<RedisValue> Own(const FakeRedisCall& call) {
    Lease& lease = leases[call.keys[0]];
    const std::string& op = call.args[0];
    const std::string& boot = call.args[1];
    const int64_t span = std::stoll(call.args[3]);
    const int64_t left = std::max<int64_t>(0, lease.deadline_ms - now_ms());
    if (op == "take") {
      if (lease.boot != boot && left > 0) return Answer(0, lease.epoch, left);
      lease = {lease.epoch + 1, boot, now_ms() + span};
      return Answer(1, lease.epoch, span);
    }
    if (refuse_renewals || lease.boot != boot || std::to_string(lease.epoch) != call.args[2]) {
      return Answer(0, lease.epoch, left);
    }
    lease.deadline_ms = op == "give" ? 0 : now_ms() + span;
    return Answer(1, lease.epoch, op == "give" ? 0 : span);
  }

  Result<RedisValue> Roll(const FakeRedisCall& call) {
    std::vector<RedisValue> names;
    for (const std::string& other : others) names.push_back(RedisValue::Text(other));
    if (call.args[0] == "live") names.push_back(RedisValue::Text(call.args[1]));
    return RedisValue::Array(std::move(names));
  }

  SimulatedLoop& loop_;
};

}  // namespace relay
