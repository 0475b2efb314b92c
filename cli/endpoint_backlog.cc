#include "cli/endpoint_backlog.h"

#include <vector>

#include "relay/redis_upkeep.h"
#include "relay/script_reply.h"

namespace relay {

Result<std::map<uint64_t, EndpointBacklog>> BacklogOf(RedisSession& session) {
  std::map<uint64_t, EndpointBacklog> backlog;
  for (const PartitionKeys& keys : session.partitions()) {
    Result<RedisValue> owing = session.Ask(ListOwing(keys));
    if (!owing.ok()) return owing.status();
    Result<std::vector<uint64_t>> endpoints = ParseEndpoints(*owing);
    if (!endpoints.ok()) return endpoints.status();
    std::vector<RedisCommand> commands;
    for (const uint64_t endpoint : *endpoints) {
      commands.push_back(RedisCommand("ZCARD").Arg(keys.Retries(endpoint)));
      commands.push_back(RedisCommand("ZCARD").Arg(keys.DeadLetters(endpoint)));
      commands.push_back(
          RedisCommand("SISMEMBER").Arg(keys.hold).Arg(static_cast<int64_t>(endpoint)));
    }
    if (commands.empty()) continue;
    Result<std::vector<RedisValue>> counts = session.AskAll(commands);
    if (!counts.ok()) return counts.status();
    for (size_t i = 0; i < endpoints->size(); ++i) {
      EndpointBacklog& sum = backlog[(*endpoints)[i]];
      const int64_t retries = (*counts)[3 * i].integer;
      sum.retries += retries;
      sum.dead += (*counts)[3 * i + 1].integer;
      if ((*counts)[3 * i + 2].integer == 1) sum.held += retries;
    }
  }
  return backlog;
}

}  // namespace relay
