// How soon everything goes on: acknowledgements after a restart of Redis, and after the death of a
// worker the take-over of its partitions, the first attempts of what comes in meanwhile, and the
// retries that it had taken with it.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "cli/account_lines.h"
#include "relay/event.h"
#include "relay/redis_ownership.h"
#include "tests/chaos/books.h"
#include "tests/chaos/installation.h"
#include "tests/chaos/scenario_table.h"
#include "tests/support/sync_redis.h"

namespace relay {

namespace {

constexpr int kPartitions = 16;
constexpr int64_t kSecondUs = 1'000'000;
// The lease of a partition, 5 s, and 2 s for the next owner.
constexpr int64_t kTakenOverWithinUs = 7 * kSecondUs;
// An owner has renewed its lease within the last second or so: nobody may be quicker than this.
constexpr int64_t kTakenOverNotWithinUs = 3 * kSecondUs;
constexpr int64_t kAttemptedWithinUs = 7 * kSecondUs;
constexpr int64_t kResumedWithinUs = 2 * kSecondUs;
// What a worker had begun is leased for the endpoint's timeout and lease_margin.
constexpr const char* kSlowAnswer = "300ms";
constexpr const char* kSlowTerms =
    "in_flight_max = 1000\ntimeout = \"2s\"\nretry = { schedule = [\"1s\", \"1s\"], jitter = 0 }\n"
    "breaker = { failures = 0, share = 0 }\n";
constexpr int64_t kRetryDueAfterUs = 1'300'000;
constexpr int64_t kLeaseUs = 7 * kSecondUs;
constexpr int64_t kLeasedLateUs = kLeaseUs + 5 * kSecondUs;

// Who owns each partition, by boot id; empty where nobody does.
std::map<int, std::string> Owners(Installation& relay) {
  SyncRedis redis(relay.redis().socket_path());
  relay.scene().Require(redis.Connect(), "no connection to Redis");
  std::map<int, std::string> owners;
  for (const PartitionKeys& keys : AllPartitionKeys(kPartitions)) {
    const Result<RedisValue> reply = redis.Command(ReadOwner(keys));
    relay.scene().Require(reply.status(), "the owners cannot be read");
    const auto owner = ParseOwner(*reply);
    if (owner.ok() && owner->has_value()) owners[keys.index] = (*owner)->token.boot;
  }
  return owners;
}

void AwaitShared(Installation& relay) {
  const auto has_half = [&relay](const char* worker) {
    return relay.Metric(worker, "relay_partitions_owned") == kPartitions / 2;
  };
  relay.scene().Expect(
      WaitUntil(Seconds(20), [&] { return has_half("worker-1") && has_half("worker-2"); }),
      "the workers do not share the partitions");
}

// ---- What the logs tell

struct SentEvent {
  int partition = 0;
  int64_t acked_us = 0;  // 0: never.
};

struct Logs {
  std::map<std::string, SentEvent> sent;  // By seq.
  std::vector<int64_t> acked_us;          // In the order of the log.
  std::vector<ReceivedLine> received;     // Each receiver's in its own order.
};

Logs ReadLogs(Installation& relay) {
  Logs logs;
  AccountLineParser parser;
  SentLine sent;
  Status read = ForEachLine(relay.sent_log(), [&](std::string_view text) {
    if (!parser.Parse(text, &sent).ok()) return;
    SentEvent& event = logs.sent[sent.seq];
    if (!sent.answer) {
      event.partition = PartitionOf("acme", sent.stream, "", kPartitions);
    } else if (sent.status == 200) {
      event.acked_us = sent.at_us;
      logs.acked_us.push_back(sent.at_us);
    }
  });
  relay.scene().Require(read, "the log of the load cannot be read");
  ReceivedLine received;
  for (const std::string& path : relay.received_logs()) {
    read = ForEachLine(path, [&](std::string_view text) {
      if (parser.Parse(text, &received).ok()) logs.received.push_back(received);
    });
    relay.scene().Require(read, "the log of a receiver cannot be read");
  }
  return logs;
}

// ---- Judgement

void Hold(Scene& scene, const std::string& name, int64_t took_us, int64_t limit_us) {
  scene.Worst(name, took_us / 1000);
  scene.Expect(took_us <= limit_us, name + " " + std::to_string(took_us / 1000) +
                                        ", promised are " + std::to_string(limit_us / 1000));
}

void JudgeResumption(Scene& scene, const Logs& logs, int64_t ready_us) {
  int64_t first_us = INT64_MAX;
  for (const int64_t acked_us : logs.acked_us) {
    if (acked_us > ready_us) first_us = std::min(first_us, acked_us);
  }
  Hold(scene, "ack_resume_ms", first_us - ready_us, kResumedWithinUs);
}

// By what was accepted after the death: the dead have nothing to do with that.
void JudgeFirstAttempts(Scene& scene, const Logs& logs, int64_t killed_us,
                        const std::set<int>& orphaned) {
  std::set<std::pair<std::string, std::string>> seen;
  std::map<int, int64_t> taken_over_us;
  int64_t longest_us = 0;
  for (const ReceivedLine& line : logs.received) {
    const auto sent = logs.sent.find(line.seq);
    if (sent == logs.sent.end() || sent->second.acked_us <= killed_us) continue;
    if (!seen.emplace(line.seq, line.endpoint).second) continue;
    longest_us = std::max(longest_us, line.at_us - sent->second.acked_us);
    if (orphaned.count(sent->second.partition) == 0) continue;
    int64_t& first_us = taken_over_us.try_emplace(sent->second.partition, INT64_MAX).first->second;
    first_us = std::min(first_us, line.at_us);
  }
  Hold(scene, "first_attempt_ms", longest_us, kAttemptedWithinUs);
  scene.Expect(taken_over_us.size() == orphaned.size(), "no event for some of its partitions");
  int64_t last_us = killed_us;
  for (const auto& [partition, first_us] : taken_over_us) {
    last_us = std::max(last_us, first_us);
    scene.Expect(first_us - killed_us >= kTakenOverNotWithinUs,
                 "partition " + std::to_string(partition) + " was worked on under a lease");
  }
  Hold(scene, "takeover_ms", last_us - killed_us, kTakenOverWithinUs);
}

// Each delivery to `slow` fails once and is due again at a known time. A second attempt that comes
// twice had been under way in a worker that died with it.
void JudgeRetries(Scene& scene, const Logs& logs) {
  std::map<std::string, int64_t> due_us;
  std::set<std::string> retried;
  int64_t leased = 0;
  int64_t latest_us = 0;
  for (const ReceivedLine& line : logs.received) {
    if (line.endpoint != "acme/slow") continue;
    if (line.attempt == 1) {
      due_us[line.seq] = line.at_us + kRetryDueAfterUs;
    } else if (due_us.count(line.seq) > 0) {
      latest_us = std::max(latest_us, line.at_us - due_us[line.seq]);
      if (!retried.insert(line.seq).second) ++leased;
    }
  }
  scene.Count("leased_retries", leased);
  scene.Expect(leased > 0, "no retry was under way in the worker that was killed");
  Hold(scene, "leased_retry_late_ms", latest_us, kLeasedLateUs);
}

// ---- The acts

void Begin(Installation& relay) {
  relay.Apply({{"a", relay.StartSink("a"), "in_flight_max = 200\n" + Installation::EndpointOf("a")},
               {"slow", relay.StartSink("slow", {"--fail-first", "1", "--delay", kSlowAnswer}),
                kSlowTerms + Installation::SigningOf("slow")}});
  relay.StartBroker("broker-1");
  relay.StartWorker("worker-1");
  relay.StartWorker("worker-2");
  AwaitShared(relay);
}

// Returns when Redis was ready again.
int64_t RestartRedis(Installation& relay) {
  const int64_t from_us = WallMicros();
  relay.redis().Stop();
  relay.StartRedis();
  const int64_t ready_us = WallMicros();
  relay.scene().LogFault("restart", "redis", from_us, ready_us);
  AwaitShared(relay);
  return ready_us;
}

// Returns when it died.
int64_t KillWorker(Installation& relay) {
  const std::string victim = relay.scene().random().Below(2) == 0 ? "worker-1" : "worker-2";
  const int64_t at_us = WallMicros();
  relay.Kill(victim);
  relay.scene().LogFault("kill", victim);
  return at_us;
}

// The partitions that have another owner than before.
std::set<int> Orphaned(Installation& relay, const std::map<int, std::string>& before) {
  std::set<int> orphaned;
  for (const auto& [partition, owner] : Owners(relay)) {
    if (before.at(partition) != owner) orphaned.insert(partition);
  }
  relay.scene().Expect(orphaned.size() == kPartitions / 2,
                       std::to_string(orphaned.size()) + " partitions have another owner");
  return orphaned;
}

}  // namespace

void PlayRecovery(Scene& scene) {
  Installation relay(scene);
  Begin(relay);
  auto load = relay.Load({"--rate", "250", "--duration", scene.Sized("12s", "15s"), "--retry",
                          "--connections", "16", "--streams", "100"});
  Pass(scene.Between(Millis(700), Millis(1200)));
  const int64_t ready_us = RestartRedis(relay);
  Pass(scene.Between(Millis(1400), Millis(2400)));
  const std::map<int, std::string> before = Owners(relay);
  const int64_t killed_us = KillWorker(relay);
  relay.AwaitLoad(*load, Seconds(60));
  const std::set<int> orphaned = Orphaned(relay, before);
  CloseBooks(relay);

  const Logs logs = ReadLogs(relay);
  JudgeResumption(scene, logs, ready_us);
  JudgeFirstAttempts(scene, logs, killed_us, orphaned);
  JudgeRetries(scene, logs);
}

}  // namespace relay
