#include "tests/crash/checker.h"

#include <cstdlib>
#include <map>

#include "relay/redis_upkeep.h"
#include "tests/crash/model.h"

namespace relay {
namespace {

using Scores = std::map<std::string, int64_t>;

Scores PairsOf(const RedisValue& reply) {
  Scores scores;
  for (size_t i = 0; i + 1 < reply.items.size(); i += 2) {
    scores[reply.items[i].text] = std::atoll(reply.items[i + 1].text.c_str());
  }
  return scores;
}

Scores ZSet(CrashRedis& redis, const std::string& key) {
  return PairsOf(redis.Ask(RedisCommand("ZRANGE").Arg(key).Arg("0").Arg("-1").Arg("WITHSCORES")));
}

std::set<std::string> SetOf(CrashRedis& redis, const std::string& key) {
  std::set<std::string> out;
  for (const RedisValue& item : redis.Ask(RedisCommand("SMEMBERS").Arg(key)).items) {
    out.insert(item.text);
  }
  return out;
}

// The endpoints that have a key of this kind: found by the names of keys.
std::set<std::string> EndpointsWith(CrashRedis& redis, const std::string& stem) {
  std::set<std::string> out;
  const RedisValue keys = redis.Ask(RedisCommand("KEYS").Arg("*"));
  for (const RedisValue& key : keys.items) {
    if (key.text.starts_with(stem)) out.insert(key.text.substr(stem.size()));
  }
  return out;
}

std::set<std::string> IdsOf(const RedisValue& entries) {
  std::set<std::string> ids;
  for (const RedisValue& entry : entries.items) ids.insert("n" + entry.items[0].text);
  return ids;
}

class Look {
 public:
  Look(CrashRedis& redis, const PartitionKeys& keys) : redis_(redis), keys_(keys) {
    ref_ = PairsOf(redis.Ask(RedisCommand("HGETALL").Arg(keys.ref)));
    due_ = ZSet(redis, keys.due);
    hold_ = SetOf(redis, keys.hold);
    owing_ = SetOf(redis, keys.owing);
    entries_ = IdsOf(redis.Ask(RedisCommand("XRANGE").Arg(keys.normal).Arg("-").Arg("+")));
    pending_ = IdsOf(redis.Ask(
        RedisCommand("XPENDING").Arg(keys.normal).Arg(kGroup).Arg("-").Arg("+").Arg("100000")));
    counters_ = PairsOf(redis.Ask(RedisCommand("HGETALL").Arg(keys.counters)));
  }

  std::vector<std::string> Breaches(bool exact) {
    Endpoints();
    Members(exact);
    if (exact) Books();
    return std::move(breaches_);
  }

 private:
  void Breach(std::string sentence) { breaches_.push_back(std::move(sentence)); }

  void Endpoints() {
    std::set<std::string> endpoints = EndpointsWith(redis_, keys_.prefix + "rz:");
    for (const std::string& dead : EndpointsWith(redis_, keys_.prefix + "dz:")) {
      endpoints.insert(dead);
    }
    for (const std::string& endpoint : endpoints) {
      const Scores retries = ZSet(redis_, keys_.Retries(std::stoull(endpoint)));
      const Scores dead = ZSet(redis_, keys_.DeadLetters(std::stoull(endpoint)));
      std::set<std::string> members;
      int64_t lowest = INT64_MAX;
      for (const auto& [member, score] : retries) {
        members.insert(member);
        lowest = std::min(lowest, DueOfScore(score));
      }
      for (const auto& [member, died] : dead) members.insert(member);
      for (const std::string& member : members) ++deliveries_[member];
      retries_ += static_cast<int64_t>(retries.size());
      dead_ += static_cast<int64_t>(dead.size());
      if (!owing_.contains(endpoint)) Breach("endpoint " + endpoint + " is not in eps");
      if (retries.empty() || hold_.contains(endpoint)) continue;
      if (!due_.contains(endpoint) || due_[endpoint] > lowest) {
        Breach("endpoint " + endpoint + " is hidden from the index");
      }
    }
  }

  void Members(bool exact) {
    for (const auto& [member, count] : deliveries_) {
      const int64_t ref = ref_.contains(member) ? ref_[member] : 0;
      if (ref < count || (exact && ref != count)) {
        Breach(member + " has ref " + std::to_string(ref) + ", deliveries " +
               std::to_string(count));
      }
      if (!entries_.contains(member)) Breach(member + " has lost its payload");
    }
    if (!exact) return;
    for (const auto& [member, ref] : ref_) {
      if (!deliveries_.contains(member)) Breach(member + " has ref and no delivery");
    }
  }

  void Books() {
    std::string last_read = "0-0";
    const RedisValue groups = redis_.Ask(RedisCommand("XINFO").Arg("GROUPS").Arg(keys_.normal));
    for (const RedisValue& group : groups.items) {
      for (size_t i = 0; i + 1 < group.items.size(); i += 2) {
        if (group.items[i].text == "last-delivered-id") last_read = group.items[i + 1].text;
      }
    }
    const std::set<std::string> unread =
        IdsOf(redis_.Ask(RedisCommand("XRANGE").Arg(keys_.normal).Arg("(" + last_read).Arg("+")));
    for (const std::string& entry : entries_) {
      if (!unread.contains(entry) && !pending_.contains(entry) && !ref_.contains(entry)) {
        Breach(entry + " is kept for nobody");
      }
    }
    const int64_t fan = counters_["fan"];
    const int64_t sum = counters_["ok"] + counters_["dead"] + counters_["dropped"] + retries_;
    if (fan != sum) Breach("fan " + std::to_string(fan) + " against " + std::to_string(sum));
    if (counters_["dead"] != dead_) Breach("dead is counted wrong");
    const RedisValue about = redis_.Ask(RedisCommand("XINFO").Arg("STREAM").Arg(keys_.normal));
    for (size_t i = 0; i + 1 < about.items.size(); i += 2) {
      if (about.items[i].text != "entries-added") continue;
      const int64_t rest = static_cast<int64_t>(pending_.size() + unread.size());
      if (about.items[i + 1].integer != counters_["settled"] + rest) {
        Breach("accepted " + std::to_string(about.items[i + 1].integer) + " against settled " +
               std::to_string(counters_["settled"]) + " + " + std::to_string(rest));
      }
    }
  }

  CrashRedis& redis_;
  const PartitionKeys& keys_;
  Scores ref_, due_, deliveries_, counters_;
  std::set<std::string> hold_, owing_, entries_, pending_;
  int64_t retries_ = 0;
  int64_t dead_ = 0;
  std::vector<std::string> breaches_;
};

}  // namespace

std::vector<std::string> LookOver(CrashRedis& redis, const PartitionKeys& keys, bool exact) {
  return Look(redis, keys).Breaches(exact);
}

std::vector<std::string> RunFsck(CrashRedis& redis, const PartitionKeys& keys) {
  const auto endpoints = ParseEndpoints(redis.Ask(ListOwing(keys)));
  if (!endpoints.ok()) GiveUp(endpoints.status().ToString());
  const auto fsck = ParseFsck(redis.Run(Fsck(keys, *endpoints, 100'000)));
  if (!fsck.ok()) GiveUp(fsck.status().ToString());
  return fsck->breaches;
}

std::set<std::pair<int, uint64_t>> DeadLettersOf(CrashRedis& redis, const PartitionKeys& keys) {
  std::set<std::pair<int, uint64_t>> dead;
  for (const std::string& endpoint : EndpointsWith(redis, keys.prefix + "dz:")) {
    const uint64_t number = std::stoull(endpoint);
    for (const auto& [text, died] : ZSet(redis, keys.DeadLetters(number))) {
      const Result<Member> member = Member::Parse(text);
      const auto event = ParsePayload(redis.Ask(ReadPayload(keys, *member)));
      if (event.ok()) dead.emplace(Model::NumberOf(*event), number);
    }
  }
  return dead;
}

}  // namespace relay
