#include "cli/status_command.h"

#include <cstdio>
#include <map>
#include <memory>

#include "cli/line_log.h"
#include "cli/progress.h"
#include "cli/redis_session.h"
#include "cli/table.h"
#include "relay/redis_upkeep.h"
#include "relay/script_reply.h"

namespace relay {
namespace {

struct PartitionStatus {
  std::string tag;
  std::string owner = "-";
  int64_t lease_left_ms = 0;
  int64_t entries = 0;  // In the stream: unread, pending, or kept for retries and dead letters.
  int64_t pending_entries = 0;
  int64_t owed_events = 0;
  PartitionCounters counters;
};

struct InstallationStatus {
  std::vector<PartitionStatus> partitions;
  std::vector<std::string> workers;
  std::string catalog_version = "none";
  std::string redis_version, memory, memory_max, uptime_s;
  // Dead letters beyond a limit of [dlq], as their partitions' owners have last found them.
  int64_t dead_over_age = 0, dead_over_bytes = 0;
};

// The value of "name:value" in a reply of INFO.
std::string InfoValue(const std::string& text, const std::string& name) {
  const size_t at = text.find("\n" + name + ":");
  if (at == std::string::npos) return "-";
  const size_t from = at + name.size() + 2;
  return text.substr(from, text.find('\r', from) - from);
}

Result<PartitionStatus> ReadPartition(RedisSession& session, const PartitionKeys& keys,
                                      int64_t now_ms) {
  const RedisCommand commands[] = {
      ReadOwner(keys), ReadCounters(keys), RedisCommand("XLEN").Arg(keys.normal),
      RedisCommand("HLEN").Arg(keys.ref), RedisCommand("EXISTS").Arg(keys.normal)};
  Result<std::vector<RedisValue>> replies = session.AskAll(commands);
  if (!replies.ok()) return replies.status();
  Result<std::optional<OwnerRecord>> owner = ParseOwner((*replies)[0]);
  if (!owner.ok()) return owner.status();
  Result<PartitionCounters> counters = ParseCounters((*replies)[1]);
  if (!counters.ok()) return counters.status();
  PartitionStatus status;
  status.tag = keys.tag;
  if (owner->has_value() && (*owner)->deadline_ms > now_ms) {
    status.owner = (*owner)->token.boot;
    status.lease_left_ms = (*owner)->deadline_ms - now_ms;
  }
  status.counters = *counters;
  status.entries = (*replies)[2].integer;
  status.owed_events = (*replies)[3].integer;
  if ((*replies)[4].integer == 0) return status;
  // Without a group nobody has ever read here, and Redis says so with an error.
  Result<RedisValue> pending = session.Ask(RedisCommand("XPENDING").Arg(keys.normal).Arg(kGroup));
  if (pending.ok() && !pending->items.empty()) status.pending_entries = pending->items[0].integer;
  return status;
}

// A reply of HGETALL kOverLimitKey.
void ReadOverLimit(const RedisValue& reply, InstallationStatus& status) {
  for (size_t i = 1; i < reply.items.size(); i += 2) {
    char* end = nullptr;
    status.dead_over_age += std::strtoll(reply.items[i].text.c_str(), &end, 10);
    status.dead_over_bytes += std::strtoll(end, nullptr, 10);
  }
}

Result<InstallationStatus> ReadStatus(RedisSession& session) {
  const RedisCommand commands[] = {RedisCommand("TIME"), RedisCommand("INFO"),
                                   RedisCommand("ZRANGE").Arg(kWorkersKey).Arg("0").Arg("-1"),
                                   RedisCommand("HGET").Arg(kCatalogKey).Arg("version"),
                                   RedisCommand("HGETALL").Arg(kOverLimitKey)};
  Result<std::vector<RedisValue>> replies = session.AskAll(commands);
  if (!replies.ok()) return replies.status();
  Result<std::vector<std::string>> time = TextsOf((*replies)[0], "TIME");
  Result<std::vector<std::string>> workers = TextsOf((*replies)[2], "workers");
  if (!time.ok()) return time.status();
  if (!workers.ok()) return workers.status();
  InstallationStatus status;
  status.workers = std::move(*workers);
  const std::string& info = (*replies)[1].text;
  status.redis_version = InfoValue(info, "redis_version");
  status.memory = InfoValue(info, "used_memory_human");
  status.memory_max = InfoValue(info, "maxmemory_human");
  status.uptime_s = InfoValue(info, "uptime_in_seconds");
  if ((*replies)[3].is_text()) status.catalog_version = (*replies)[3].text;
  ReadOverLimit((*replies)[4], status);
  const int64_t now_ms = std::strtoll(time->front().c_str(), nullptr, 10) * 1000;
  for (const PartitionKeys& keys : session.partitions()) {
    Result<PartitionStatus> partition = ReadPartition(session, keys, now_ms);
    if (!partition.ok()) return partition.status();
    status.partitions.push_back(std::move(*partition));
  }
  return status;
}

PartitionStatus TotalOf(const InstallationStatus& status) {
  PartitionStatus total;
  total.tag = "all";
  for (const PartitionStatus& partition : status.partitions) {
    total.entries += partition.entries;
    total.pending_entries += partition.pending_entries;
    total.owed_events += partition.owed_events;
    total.counters.settled += partition.counters.settled;
    total.counters.fan += partition.counters.fan;
    total.counters.ok += partition.counters.ok;
    total.counters.dead += partition.counters.dead;
    total.counters.dropped += partition.counters.dropped;
    total.counters.repeats += partition.counters.repeats;
  }
  return total;
}

void PrintJson(const InstallationStatus& status) {
  std::string out;
  for (const PartitionStatus& partition : status.partitions) {
    JsonLine(out)
        .Text("partition", partition.tag)
        .Text("owner", partition.owner)
        .Number("lease_left_ms", partition.lease_left_ms)
        .Number("entries", partition.entries)
        .Number("pending_entries", partition.pending_entries)
        .Number("owed_events", partition.owed_events)
        .Number("settled", partition.counters.settled)
        .Number("ok", partition.counters.ok)
        .Number("pending", partition.counters.pending())
        .Number("dead", partition.counters.dead)
        .Number("dropped", partition.counters.dropped)
        .Number("repeats", partition.counters.repeats);
  }
  const PartitionStatus total = TotalOf(status);
  JsonLine(out)
      .Number("unsettled", total.entries - total.owed_events)
      .Number("pending", total.counters.pending())
      .Number("dead", total.counters.dead)
      .Number("ok", total.counters.ok)
      .Number("dead_over_age", status.dead_over_age)
      .Number("dead_over_bytes", status.dead_over_bytes)
      .Text("redis_version", status.redis_version)
      .Text("memory", status.memory)
      .Text("memory_max", status.memory_max)
      .Text("catalog_version", status.catalog_version)
      .Number("workers", static_cast<int64_t>(status.workers.size()));
  std::fwrite(out.data(), 1, out.size(), stdout);
}

void PrintOverLimit(const InstallationStatus& status) {
  if (status.dead_over_age + status.dead_over_bytes == 0) return;
  std::printf(
      "dead letters beyond a limit: %s over dlq.age_max, about %s over dlq.bytes_max. Redrive or "
      "purge them (relayctl dlq), or let workers archive them (dlq.archive_dir); where they do, "
      "see "
      "their log.\n",
      WithThousands(status.dead_over_age).c_str(), WithThousands(status.dead_over_bytes).c_str());
}

void PrintTable(const InstallationStatus& status) {
  std::printf("redis %s, up %s s, memory %s of %s · catalog version %s · %zu workers\n",
              status.redis_version.c_str(), status.uptime_s.c_str(), status.memory.c_str(),
              status.memory_max.c_str(), status.catalog_version.c_str(), status.workers.size());
  for (const std::string& worker : status.workers) std::printf("  worker %s\n", worker.c_str());
  Table table({"partition", "owner", "entries", "in work", "settled", "ok", "pending", "dead",
               "dropped", "repeats"});
  std::vector<PartitionStatus> rows = status.partitions;
  rows.push_back(TotalOf(status));
  for (const PartitionStatus& partition : rows) {
    const PartitionCounters& counters = partition.counters;
    table.Row({partition.tag, partition.owner, WithThousands(partition.entries),
               WithThousands(partition.pending_entries), WithThousands(counters.settled),
               WithThousands(counters.ok), WithThousands(counters.pending()),
               WithThousands(counters.dead), WithThousands(counters.dropped),
               WithThousands(counters.repeats)});
  }
  table.Print();
  PrintOverLimit(status);
}

int RunStatus(bool json, const CommandContext& context) {
  auto session = RedisSession::Open(context);
  if (!session.ok()) return Complain(RedisSession::CodeOf(session.status()), session.status());
  const Result<InstallationStatus> status = ReadStatus(**session);
  if (!status.ok()) return Complain(RedisSession::CodeOf(status.status()), status.status());
  if (json) {
    PrintJson(*status);
  } else {
    PrintTable(*status);
  }
  return kExitOk;
}

}  // namespace

void AddStatusCommand(CLI::App& app, CommandContext& context) {
  auto json = std::make_shared<bool>(false);  // Shared with the closures that CLI11 keeps.
  CLI::App* command =
      app.add_subcommand("status", "Partitions, owners, workers, backlog, memory, catalog");
  command->add_flag("--json", *json, "One JSON object a partition, and one for all");
  command->callback(
      [json, &context] { context.run = [json, &context] { return RunStatus(*json, context); }; });
}

}  // namespace relay
