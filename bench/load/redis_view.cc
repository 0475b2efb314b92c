#include "bench/load/redis_view.h"

#include <cstdlib>
#include <sstream>

#include "relay/stream_layout.h"

namespace relay {

RedisView::RedisView(Scene& scene, const RedisProcess& redis)
    : scene_(scene), redis_(redis.socket_path()) {
  scene_.Require(redis_.Connect(), "Redis cannot be asked");
}

RedisValue RedisView::Ask(const RedisCommand& command) {
  Result<RedisValue> reply = redis_.Command(command);
  scene_.Require(reply.status(), "Redis cannot be asked");
  return *std::move(reply);
}

namespace {

std::vector<PartitionKeys> Partitions() {
  const char* const conf = std::getenv("RELAY_REDIS_PARTITIONS");
  constexpr int kPartitionsByDefault = 16;
  return AllPartitionKeys(conf ? std::atoi(conf) : kPartitionsByDefault);
}

}  // namespace

int64_t RedisView::Entries() {
  int64_t entries = 0;
  for (const PartitionKeys& keys : Partitions()) {
    entries += Length(keys.normal) + Length(keys.bulk);
  }
  return entries;
}

int64_t RedisView::BytesOfAnEntry() {
  for (const PartitionKeys& keys : Partitions()) {
    const RedisValue first =
        Ask(RedisCommand("XRANGE").Arg(keys.normal).Arg("-").Arg("+").Arg("COUNT").Arg(1));
    if (first.items.empty()) continue;
    int64_t bytes = 0;
    for (const RedisValue& text : first.items.at(0).items.at(1).items) {
      bytes += static_cast<int64_t>(text.text.size());
    }
    return bytes;
  }
  return 0;
}

int64_t RedisView::Length(const std::string& stream) {
  return Ask(RedisCommand("XLEN").Arg(stream)).integer;
}

int64_t RedisView::ListLength(const std::string& key) {
  return Ask(RedisCommand("LLEN").Arg(key)).integer;
}

int64_t RedisView::Info(const std::string& section, const std::string& name) {
  const std::string text = Ask(RedisCommand("INFO").Arg(section)).text;
  const size_t at = text.find("\n" + name + ":");
  if (at == std::string::npos) return 0;
  return std::strtoll(text.c_str() + at + name.size() + 2, nullptr, 10);
}

std::map<std::string, int64_t> RedisView::Calls() {
  std::map<std::string, int64_t> calls;
  std::istringstream lines(Ask(RedisCommand("INFO").Arg("commandstats")).text);
  constexpr std::string_view kMark = "cmdstat_";
  constexpr std::string_view kCalls = ":calls=";
  for (std::string line; std::getline(lines, line);) {
    const size_t end = line.find(kCalls);
    if (!line.starts_with(kMark) || end == std::string::npos) continue;
    calls[line.substr(kMark.size(), end - kMark.size())] =
        std::strtoll(line.c_str() + end + kCalls.size(), nullptr, 10);
  }
  return calls;
}

}  // namespace relay
