#include "relay/redis_dead_letters.h"

#include "relay/check.h"
#include "relay/script_keys.h"
#include "relay/script_reply.h"

namespace relay {
namespace {

// Reading so much takes a script about a millisecond.
constexpr int64_t kWeighedBytesMax = 1024 * 1024;

const RedisScript& WeighScript() {
  static const RedisScript kScript = MakeScript("weigh_dead", ScriptHead::kHead);
  return kScript;
}

}  // namespace

RedisCommand CountDeadLetters(const PartitionKeys& keys, uint64_t endpoint, int64_t until_ms) {
  return RedisCommand("ZCOUNT").Arg(keys.DeadLetters(endpoint)).Arg("-inf").Arg(until_ms);
}

RedisCommand ListDeadLetters(const PartitionKeys& keys, uint64_t endpoint, int64_t until_ms,
                             int64_t skipped, int64_t count) {
  return RedisCommand("ZRANGE")
      .Arg(keys.DeadLetters(endpoint))
      .Arg("-inf")
      .Arg(until_ms)
      .Arg("BYSCORE")
      .Arg("LIMIT")
      .Arg(skipped)
      .Arg(count)
      .Arg("WITHSCORES");
}

Result<std::vector<DeadMember>> ParseDeadMembers(const RedisValue& reply) {
  if (!reply.is_array() || reply.items.size() % 2 != 0) return Unexpected(reply, "dead letters");
  std::vector<DeadMember> letters;
  for (size_t i = 0; i < reply.items.size(); i += 2) {
    Result<Member> member = Member::Parse(reply.items[i].text);
    if (!member.ok()) return member.status();
    Result<int64_t> died_ms = NumberOf(reply.items[i + 1], "dead letters");
    if (!died_ms.ok()) return died_ms.status();
    letters.push_back({std::move(*member), *died_ms});
  }
  return letters;
}

RedisCommand ReadHistory(const PartitionKeys& keys, const Member& member, uint64_t endpoint) {
  return RedisCommand("HGET").Arg(keys.history).Arg(member.text() + "/" + std::to_string(endpoint));
}

RedisCommand ReadOwed(const PartitionKeys& keys, const Member& member) {
  return RedisCommand("HGET").Arg(keys.ref).Arg(member.text());
}

ScriptCall WeighDeadLetters(const PartitionKeys& keys, uint64_t endpoint, int64_t rank, int count) {
  RELAY_CHECK(count > 0 && count <= kWeighMax);
  ScriptCall call{&WeighScript(),
                  TenKeys(keys),
                  {std::to_string(rank), std::to_string(count), std::to_string(kWeighedBytesMax)}};
  call.keys.push_back(keys.Retries(endpoint));
  call.keys.push_back(keys.DeadLetters(endpoint));
  return call;
}

Result<WeighReply> ParseWeigh(const RedisValue& reply) {
  if (Status status = ExpectArray(reply, 3, "weigh"); !status.ok()) return status;
  const Result<int64_t> letters = NumberOf(reply.items[1], "weigh");
  if (!letters.ok()) return letters.status();
  const Result<int64_t> bytes = NumberOf(reply.items[2], "weigh");
  if (!bytes.ok()) return bytes.status();
  return WeighReply{*letters, *bytes};
}

RedisCommand ScanCharges(const PartitionKeys& keys, std::string_view cursor, int count) {
  return RedisCommand("HSCAN").Arg(keys.tenants).Arg(cursor).Arg("COUNT").Arg(int64_t{count});
}

Result<ChargesPage> ParseChargesPage(const RedisValue& reply) {
  if (Status status = ExpectArray(reply, 2, "charges"); !status.ok()) return status;
  if (!reply.items[1].is_array()) return Unexpected(reply, "charges");
  ChargesPage page{reply.items[0].text, 0};
  for (size_t i = 0; i + 1 < reply.items[1].items.size(); i += 2) {
    if (!std::string_view(reply.items[1].items[i].text).ends_with("/b")) continue;
    const Result<int64_t> bytes = NumberOf(reply.items[1].items[i + 1], "charges");
    if (!bytes.ok()) return bytes.status();
    page.bytes += *bytes;
  }
  return page;
}

std::vector<const RedisScript*> DeadLetterScripts() {
  return {&WeighScript()};
}

}  // namespace relay
