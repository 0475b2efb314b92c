#include "relay/redis_safety.h"

#include <utility>

#include "relay/stream_layout.h"

namespace relay {

namespace {

const ReadinessProblem kAway{"redis_away", "Redis cannot be reached, or does not take us.",
                             "see redis_down in the log for the reason"};
const ReadinessProblem kNotChecked{"redis_unchecked", "Redis has not been checked yet.", ""};

}  // namespace

RedisSafety::RedisSafety(EventLoop& loop, RedisClient& redis, Durability durability)
    : loop_(loop),
      redis_(redis),
      durability_(durability),
      problems_{redis.up() ? kNotChecked : kAway},
      timer_(loop.NewTimer([this] { Ask(); })) {
  redis_.WatchState(alive_, [this] { OnConnectionChange(); });
  timer_->Arm(Micros(0));
}

double RedisSafety::memory_share() const {
  if (!facts_ || facts_->maxmemory == 0) return 0;
  return static_cast<double>(facts_->used_memory) / static_cast<double>(facts_->maxmemory);
}

void RedisSafety::WatchProblems(const CallScope& scope, std::function<void()> on_change) {
  watchers_.push_back({scope.watch(), std::move(on_change)});
}

void RedisSafety::OnConnectionChange() {
  round_.CancelAll();
  if (redis_.up()) {
    Ask();
  } else {
    Conclude({kAway});
  }
}

// One round: three questions in one write. The last answer concludes it.
void RedisSafety::Ask() {
  timer_->Cancel();
  round_.CancelAll();
  if (!redis_.up()) {
    Conclude({kAway});
    return;
  }
  RedisCommand info("INFO");
  for (std::string_view section : kFactSections) info.Arg(section);
  redis_.Send(info, round_, [this](Result<RedisValue> reply) { OnInfo(std::move(reply)); });
  redis_.Send(RedisCommand("CONFIG").Arg("GET").Arg("appendfsync").Arg("aof-load-truncated"),
              round_, [this](Result<RedisValue> reply) { OnConfiguration(std::move(reply)); });
  redis_.Send(RedisCommand("GET").Arg(kRewrittenKey), round_,
              [this](Result<RedisValue> reply) { OnMarker(std::move(reply)); });
}

void RedisSafety::OnInfo(Result<RedisValue> reply) {
  Result<RedisFacts> facts = reply.ok() && reply->is_text()
                                 ? ParseRedisFacts(reply->text)
                                 : Status::Unavailable("INFO is refused");
  if (!facts.ok()) {
    round_.CancelAll();
    Conclude(
        {{"redis_unknown", "Redis does not say how it is set up: " + facts.status().text() + ".",
          "allow INFO to the user of relay"}});
    return;
  }
  asked_ = *std::move(facts);
}

void RedisSafety::OnConfiguration(Result<RedisValue> reply) {
  // Managed servers refuse CONFIG; what INFO says must then do.
  if (reply.ok()) AddConfiguration(*reply, asked_);
}

void RedisSafety::OnMarker(Result<RedisValue> reply) {
  facts_ = asked_;
  Judge(reply.ok() ? reply->text : "");
}

void RedisSafety::Judge(const std::string& rewritten) {
  std::vector<ReadinessProblem> problems = JudgeRedis(*facts_, durability_);
  // A rewrite of a server that must be changed first would be in vain.
  if (problems.empty()) {
    if (auto problem = RewriteProblem(rewritten)) problems.push_back(*std::move(problem));
  }
  Conclude(std::move(problems));
}

std::optional<ReadinessProblem> RedisSafety::RewriteProblem(const std::string& rewritten) {
  if (!facts_->aof || facts_->aof_load_truncated != "yes") return std::nullopt;
  const bool asked = rewritten == facts_->run_id || rewrite_asked_of_ == facts_->run_id;
  if (asked && !facts_->aof_rewrite_under_way && facts_->aof_rewrite_ok) return std::nullopt;
  if (!facts_->aof_rewrite_under_way) {
    redis_.Send(RedisCommand("BGREWRITEAOF"), alive_,
                [this](Result<RedisValue> reply) { OnRewriteAsked(std::move(reply)); });
  }
  return ReadinessProblem{"rewrite_pending",
                          "Redis runs with aof-load-truncated yes; after each of its starts relay "
                          "waits for one rewrite "
                          "of its append-only file.",
                          "to avoid the wait, set aof-load-truncated no and run redis-check-aof "
                          "--fix before its start"};
}

void RedisSafety::OnRewriteAsked(Result<RedisValue> reply) {
  // An error is most often "already in progress": the next round sees it under way or asks again.
  if (!reply.ok() || reply->is_error()) return;
  rewrite_asked_of_ = facts_->run_id;
  redis_.Send(RedisCommand("SET").Arg(kRewrittenKey).Arg(facts_->run_id), alive_,
              [](Result<RedisValue>) {});
}

void RedisSafety::Conclude(std::vector<ReadinessProblem> problems) {
  const bool at_ease = problems.empty() && memory_share() < watched_share_;
  timer_->Arm(at_ease ? kInterval : kIntervalInTrouble);
  if (problems == problems_) return;
  problems_ = std::move(problems);
  const CallScope::Watch here = alive_.watch();
  std::erase_if(watchers_, [](const Watcher& watcher) { return watcher.watch.gone(); });
  // A copy, because a callback may add a watcher.
  const std::vector<Watcher> watchers = watchers_;
  for (const Watcher& watcher : watchers) {
    if (here.gone()) return;
    if (!watcher.watch.gone()) watcher.on_change();
  }
}

}  // namespace relay
