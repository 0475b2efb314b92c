#include "cli/fsck_command.h"

#include <cstdio>
#include <memory>
#include <set>

#include "cli/line_log.h"
#include "cli/progress.h"
#include "cli/redis_session.h"
#include "cli/table.h"
#include "relay/partition_sweep.h"
#include "relay/redis_upkeep.h"
#include "relay/script_reply.h"

namespace relay {
namespace {

struct FsckOptions {
  bool json = false;
  bool repair = false;
  int payloads_max = 20'000;
};

struct PartitionResult {
  std::string tag;
  FsckReply fsck;
};

// All endpoints that any key of the partition names: what is missing in `eps` is a breach, and only
// who is asked for can be found missing.
Result<std::set<uint64_t>> EndpointsOf(RedisSession& session, const PartitionKeys& keys) {
  const RedisCommand commands[] = {ListOwing(keys), RedisCommand("SMEMBERS").Arg(keys.hold),
                                   RedisCommand("ZRANGE").Arg(keys.due).Arg("0").Arg("-1")};
  Result<std::vector<RedisValue>> replies = session.AskAll(commands);
  if (!replies.ok()) return replies.status();
  std::set<uint64_t> all;
  for (const RedisValue& reply : *replies) {
    Result<std::vector<uint64_t>> endpoints = ParseEndpoints(reply);
    if (!endpoints.ok()) return endpoints.status();
    all.insert(endpoints->begin(), endpoints->end());
  }
  return all;
}

Result<FsckReply> CheckPartition(RedisSession& session, const PartitionKeys& keys,
                                 int payloads_max) {
  Result<std::set<uint64_t>> endpoints = EndpointsOf(session, keys);
  if (!endpoints.ok()) return endpoints.status();
  // On a busy system an endpoint may come to owe between the listing and the check.
  constexpr int kListingsMax = 10;
  for (int i = 0; i < kListingsMax; ++i) {
    const std::vector<uint64_t> list(endpoints->begin(), endpoints->end());
    Result<RedisValue> reply = session.Run(Fsck(keys, list, payloads_max));
    if (!reply.ok()) return reply.status();
    Result<FsckReply> fsck = ParseFsck(*reply);
    if (!fsck.ok() || fsck->more.empty()) return fsck;
    endpoints->insert(fsck->more.begin(), fsck->more.end());
  }
  return Status::Unavailable("partition " + keys.tag + " changes too fast to be checked");
}

Result<SweepReport> Repair(RedisSession& session, const PartitionKeys& keys) {
  Result<OwnerToken> owner = session.OwnerOf(keys);
  if (!owner.ok()) return owner.status();
  PartitionSweep sweep(session.redis(), keys, *owner);
  std::optional<Result<SweepReport>> report;
  sweep.Start(true, [&](Result<SweepReport> result) {
    report = std::move(result);
    session.loop().Stop();
  });
  session.RunUntil([&report] { return report.has_value(); });
  return std::move(*report);
}

void PrintJson(const std::vector<PartitionResult>& results, int64_t breaches) {
  std::string out;
  for (const PartitionResult& result : results) {
    JsonLine line(out);
    line.Text("partition", result.tag);
    for (const auto& [name, count] : result.fsck.counts) line.Number(name, count);
    line.Number("breaches", result.fsck.breaches_total);
    std::string sentences = "[";
    for (const std::string& breach : result.fsck.breaches) {
      if (sentences.size() > 1) sentences += ',';
      AppendJsonString(breach, sentences);
    }
    line.Raw("sentences", sentences + "]");
  }
  JsonLine(out).Text("partition", "all").Number("breaches", breaches);
  std::fwrite(out.data(), 1, out.size(), stdout);
}

void PrintTable(const std::vector<PartitionResult>& results, int64_t breaches) {
  static constexpr const char* kCounts[] = {
      "accepted", "settled", "pending_entries", "unread", "owed", "retries", "dead", "dropped"};
  Table table({"partition", "accepted", "settled", "pending", "unread", "owed", "retries", "dead",
               "dropped", "breaches"});
  for (const PartitionResult& result : results) {
    std::vector<std::string> row = {result.tag};
    for (const char* name : kCounts) {
      const auto count = result.fsck.counts.find(name);
      row.push_back(count == result.fsck.counts.end() ? "-" : WithThousands(count->second));
    }
    row.push_back(std::to_string(result.fsck.breaches_total));
    table.Row(std::move(row));
  }
  table.Print();
  for (const PartitionResult& result : results) {
    for (const std::string& breach : result.fsck.breaches) {
      std::printf("%s: %s\n", result.tag.c_str(), breach.c_str());
    }
  }
  if (breaches == 0) {
    std::printf("all books are right\n");
  } else {
    std::printf("%s breaches; `relayctl fsck --repair` mends counts and indexes\n",
                WithThousands(breaches).c_str());
  }
}

int RunFsck(const FsckOptions& options, const CommandContext& context) {
  auto session = RedisSession::Open(context);
  if (!session.ok()) return Complain(RedisSession::CodeOf(session.status()), session.status());
  std::vector<PartitionResult> results;
  int64_t breaches = 0;
  Progress progress((*session)->loop().clock(), "partitions",
                    static_cast<int64_t>((*session)->partitions().size()));
  for (const PartitionKeys& keys : (*session)->partitions()) {
    if (options.repair) {
      const Result<SweepReport> report = Repair(**session, keys);
      if (!report.ok()) return Complain(RedisSession::CodeOf(report.status()), report.status());
    }
    Result<FsckReply> fsck = CheckPartition(**session, keys, options.payloads_max);
    if (!fsck.ok()) return Complain(RedisSession::CodeOf(fsck.status()), fsck.status());
    breaches += fsck->breaches_total;
    results.push_back({keys.tag, std::move(*fsck)});
    progress.Update(static_cast<int64_t>(results.size()));
  }
  if (options.json) {
    PrintJson(results, breaches);
  } else {
    PrintTable(results, breaches);
  }
  return breaches == 0 ? kExitOk : kExitCheckFailed;
}

}  // namespace

void AddFsckCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<FsckOptions>();
  CLI::App* command = app.add_subcommand("fsck", "Check what Redis holds, on a live system");
  command->add_flag("--json", options->json, "One JSON object a partition, and one for all");
  command->add_flag("--repair", options->repair, "Re-queue orphans and recount first");
  command
      ->add_option("--payloads-max", options->payloads_max,
                   "Look up at most so many payloads a partition")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  command->callback([options, &context] {
    context.run = [options, &context] { return RunFsck(*options, context); };
  });
}

}  // namespace relay
