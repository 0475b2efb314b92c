#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/call_scope.h"
#include "relay/event_loop.h"
#include "relay/readiness_problem.h"
#include "relay/redis_client.h"
#include "relay/redis_facts.h"
#include "relay/settings.h"

namespace relay {

// Asks Redis every second whether events are as safe in it as conf says, and how full it is. While
// there is a problem the program is not ready; it is asked for here and told in words that lead to
// its end.
//
// Torn tails. A Redis 7.0 with `aof-load-truncated yes` that lost power may have cut its
// append-only file behind a dangling MULTI, and would drop what is written behind that at its next
// start. A rewrite removes the hazard. So on such a server this class has one rewrite made after
// each start of the server (told by its run id) and holds readiness back until it has ended well;
// the key kRewrittenKey tells the other processes that it has been asked for.
//
// `loop` and `redis` outlive it. Loop thread only.
class RedisSafety {
 public:
  static constexpr Millis kInterval{1000};
  // While something is wrong we look more often, because readiness should not lag behind the cure;
  // and while memory runs short, because a line is held no better than it is watched.
  static constexpr Millis kIntervalInTrouble{200};

  RedisSafety(EventLoop& loop, RedisClient& redis, Durability durability);

  // True once Redis has been checked on the present connection and nothing is wrong.
  bool safe() const { return problems_.empty(); }
  // What is wrong, the gravest first. Before the first check: that it is not done yet.
  const std::vector<ReadinessProblem>& problems() const { return problems_; }
  // What Redis said last; empty before the first answer. Kept, and ageing, while Redis is away.
  const std::optional<RedisFacts>& facts() const { return facts_; }
  // Used memory as a share of maxmemory; 0 when there is no limit or nothing is known.
  double memory_share() const;
  // From now on looks more often while memory_share() is at least this.
  void WatchMemoryFrom(double share) { watched_share_ = share; }

  // Calls `on_change` after each change of problems(), until the scope dies.
  void WatchProblems(const CallScope& scope, std::function<void()> on_change);

 private:
  struct Watcher {
    CallScope::Watch watch;
    std::function<void()> on_change;
  };

  void OnConnectionChange();
  void Ask();
  void OnInfo(Result<RedisValue> reply);
  void OnConfiguration(Result<RedisValue> reply);
  void OnMarker(Result<RedisValue> reply);
  void Judge(const std::string& rewritten);
  // Nothing when no rewrite is needed or it has ended well.
  std::optional<ReadinessProblem> RewriteProblem(const std::string& rewritten);
  void OnRewriteAsked(Result<RedisValue> reply);
  void Conclude(std::vector<ReadinessProblem> problems);

  EventLoop& loop_;
  RedisClient& redis_;
  const Durability durability_;
  double watched_share_ = 1;
  std::vector<ReadinessProblem> problems_;
  std::optional<RedisFacts> facts_;
  RedisFacts asked_;  // What the present round has brought so far.
  // The run id under which this process has had a rewrite started. Beside the key in Redis, because
  // a server whose memory is full would refuse to write the key.
  std::string rewrite_asked_of_;
  std::unique_ptr<Timer> timer_;
  std::vector<Watcher> watchers_;
  CallScope round_;  // The round of questions under way; cancelled when the connection changes.
  CallScope alive_;
};

}  // namespace relay
