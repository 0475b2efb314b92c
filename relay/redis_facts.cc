#include "relay/redis_facts.h"

#include <charconv>
#include <unordered_map>

namespace relay {

namespace {

using Fields = std::unordered_map<std::string_view, std::string_view>;

// "name:value" lines; comments and blank lines between the sections have no colon or start with #.
Fields ReadFields(std::string_view info) {
  Fields out;
  while (!info.empty()) {
    const size_t end = info.find_first_of("\r\n");
    const std::string_view line = info.substr(0, end);
    const size_t colon = line.find(':');
    if (colon != std::string_view::npos && line.front() != '#') {
      out.emplace(line.substr(0, colon), line.substr(colon + 1));
    }
    info.remove_prefix(end == std::string_view::npos ? info.size() : end + 1);
  }
  return out;
}

int64_t CountOf(std::string_view text) {
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// 0 for the weakest.
int StrengthOf(std::string_view appendfsync) {
  return appendfsync == "always" ? 2 : appendfsync == "everysec" ? 1 : 0;
}

void JudgePersistence(const RedisFacts& facts, Durability durability,
                      std::vector<ReadinessProblem>& out) {
  if (durability != Durability::kNone && !facts.aof) {
    out.push_back({"aof_off",
                   "Redis writes no append-only file: its end would lose every accepted event.",
                   "redis-cli CONFIG SET appendonly yes, and the same in its redis.conf"});
  }
  const std::string_view wanted = AppendfsyncFor(durability);
  if (facts.aof && !facts.appendfsync.empty() &&
      StrengthOf(facts.appendfsync) < StrengthOf(wanted)) {
    out.push_back({"appendfsync",
                   "Redis runs with appendfsync " + facts.appendfsync +
                       ", which is weaker than the durability that conf asks for (" +
                       std::string(wanted) + ").",
                   "redis-cli CONFIG SET appendfsync " + std::string(wanted)});
  }
  if (facts.aof && !facts.aof_write_ok) {
    out.push_back({"aof_write_failed",
                   "The last write of Redis to its append-only file failed: the disk may be full.",
                   "make room on the disk of Redis and read its log"});
  }
}

}  // namespace

Result<RedisFacts> ParseRedisFacts(std::string_view info) {
  const Fields fields = ReadFields(info);
  for (const char* name :
       {"run_id", "uptime_in_seconds", "role", "loading", "used_memory", "maxmemory",
        "maxmemory_policy", "aof_enabled", "aof_last_write_status", "aof_last_bgrewrite_status",
        "aof_rewrite_in_progress", "aof_rewrite_scheduled", "cluster_enabled"}) {
    if (!fields.contains(name)) {
      return Status::InvalidArgument(std::string("INFO of Redis lacks ") + name);
    }
  }
  RedisFacts out;
  out.run_id = fields.at("run_id");
  out.uptime_s = CountOf(fields.at("uptime_in_seconds"));
  out.master = fields.at("role") == "master";
  out.cluster = fields.at("cluster_enabled") == "1";
  out.loading = fields.at("loading") != "0";
  out.used_memory = CountOf(fields.at("used_memory"));
  out.maxmemory = CountOf(fields.at("maxmemory"));
  out.maxmemory_policy = fields.at("maxmemory_policy");
  out.aof = fields.at("aof_enabled") == "1";
  out.aof_write_ok = fields.at("aof_last_write_status") == "ok";
  out.aof_rewrite_ok = fields.at("aof_last_bgrewrite_status") == "ok";
  out.aof_rewrite_under_way =
      fields.at("aof_rewrite_in_progress") != "0" || fields.at("aof_rewrite_scheduled") != "0";
  return out;
}

void AddConfiguration(const RedisValue& reply, RedisFacts& facts) {
  for (size_t i = 0; i + 1 < reply.items.size(); i += 2) {
    const std::string& name = reply.items[i].text;
    const std::string& value = reply.items[i + 1].text;
    if (name == "appendfsync") facts.appendfsync = value;
    if (name == "aof-load-truncated") facts.aof_load_truncated = value;
  }
}

std::vector<ReadinessProblem> JudgeRedis(const RedisFacts& facts, Durability durability) {
  std::vector<ReadinessProblem> out;
  if (facts.loading) {
    out.push_back({"loading", "Redis is still loading its data.", ""});
  }
  if (!facts.master) {
    out.push_back({"not_master", "Redis is a replica and refuses writes.",
                   "point redis.nodes at the master"});
  }
  if (facts.cluster) {
    out.push_back({"cluster_mode",
                   "Redis runs in cluster mode, which this version does not work with.",
                   "set cluster-enabled no in its redis.conf and restart it"});
  }
  if (facts.maxmemory_policy != "noeviction") {
    out.push_back({"maxmemory_policy",
                   "Redis runs with maxmemory-policy " + facts.maxmemory_policy +
                       " and would delete accepted events when its memory is full.",
                   "redis-cli CONFIG SET maxmemory-policy noeviction, and the same in its "
                   "redis.conf"});
  }
  JudgePersistence(facts, durability, out);
  return out;
}

}  // namespace relay
