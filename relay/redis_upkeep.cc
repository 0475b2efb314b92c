#include "relay/redis_upkeep.h"

#include "relay/check.h"
#include "relay/script_keys.h"
#include "relay/script_reply.h"

namespace relay {
namespace {

constexpr const char* kCounterFields[] = {"settled", "fan", "ok", "dead", "dropped", "repeats"};

const RedisScript& OrphansScript() {
  static const RedisScript kScript = MakeScript("requeue_orphans", ScriptHead::kOwnerUpkeep);
  return kScript;
}
const RedisScript& RecountScript() {
  static const RedisScript kScript = MakeScript("recount", ScriptHead::kOwnerUpkeep);
  return kScript;
}
const RedisScript& RecountOwedScript() {
  static const RedisScript kScript = MakeScript("recount_owed", ScriptHead::kOwnerUpkeep);
  return kScript;
}
const RedisScript& ChargesScript() {
  static const RedisScript kScript = MakeScript("rewrite_charges", ScriptHead::kOwnerUpkeep);
  return kScript;
}
const RedisScript& PruneScript() {
  static const RedisScript kScript = MakeScript("prune_history", ScriptHead::kOwnerUpkeep);
  return kScript;
}
const RedisScript& FsckScript() {
  static const RedisScript kScript = MakeScript("fsck", ScriptHead::kUpkeep);
  return kScript;
}

void AppendEndpoints(const PartitionKeys& keys, std::span<const uint64_t> endpoints,
                     ScriptCall& call) {
  EndpointPlaces places;
  for (const uint64_t endpoint : endpoints) places.PlaceOf(endpoint);
  places.AppendTo(keys, call);
}

Result<std::vector<Member>> MembersOf(const RedisValue& value, std::string_view what) {
  if (!value.is_array()) return Unexpected(value, what);
  std::vector<Member> members;
  members.reserve(value.items.size());
  for (const RedisValue& item : value.items) {
    Result<Member> member = Member::Parse(item.text);
    if (!member.ok()) return member.status();
    members.push_back(std::move(*member));
  }
  return members;
}

// The numbers of a reply's items from `first` on.
Result<std::vector<int64_t>> NumbersOf(const RedisValue& reply, size_t first, size_t count,
                                       std::string_view what) {
  if (Status status = ExpectArray(reply, first + count, what); !status.ok()) return status;
  std::vector<int64_t> numbers;
  for (size_t i = first; i < first + count; ++i) {
    Result<int64_t> number = NumberOf(reply.items[i], what);
    if (!number.ok()) return number.status();
    numbers.push_back(*number);
  }
  return numbers;
}

}  // namespace

RedisCommand ListOwing(const PartitionKeys& keys) {
  return RedisCommand("SMEMBERS").Arg(keys.owing);
}

Result<std::vector<uint64_t>> ParseEndpoints(const RedisValue& reply) {
  if (!reply.is_array()) return Unexpected(reply, "endpoints");
  std::vector<uint64_t> endpoints;
  for (const RedisValue& item : reply.items) {
    Result<int64_t> endpoint = NumberOf(item, "endpoints");
    if (!endpoint.ok()) return endpoint.status();
    endpoints.push_back(static_cast<uint64_t>(*endpoint));
  }
  return endpoints;
}

ScriptCall RequeueOrphans(const PartitionKeys& keys, const OwnerToken& owner,
                          EventClass event_class, std::string_view cursor, int count) {
  ScriptCall call = OwnerCall(OrphansScript(), keys, owner);
  call.args.insert(call.args.end(), {event_class == EventClass::kNormal ? "n" : "b",
                                     std::string(cursor), std::to_string(count)});
  return call;
}

Result<OrphansReply> ParseOrphans(const RedisValue& reply) {
  if (Status status = ExpectArray(reply, 3, "orphans"); !status.ok()) return status;
  Result<std::vector<Member>> requeued = MembersOf(reply.items[2], "orphans");
  if (!requeued.ok()) return requeued.status();
  return OrphansReply{reply.items[1].text, std::move(*requeued)};
}

ScriptCall Recount(const PartitionKeys& keys, const OwnerToken& owner,
                   std::span<const uint64_t> endpoints) {
  ScriptCall call = OwnerCall(RecountScript(), keys, owner);
  AppendEndpoints(keys, endpoints, call);
  return call;
}

Result<RecountReply> ParseRecount(const RedisValue& reply) {
  Result<std::vector<int64_t>> numbers = NumbersOf(reply, 1, 5, "recount");
  if (!numbers.ok()) return numbers.status();
  const std::vector<int64_t>& n = *numbers;
  return RecountReply{n[0], n[1], n[2], n[3], n[4]};
}

ScriptCall RecountOwed(const PartitionKeys& keys, const OwnerToken& owner,
                       std::span<const uint64_t> endpoints, std::span<const Member> members) {
  ScriptCall call = OwnerCall(RecountOwedScript(), keys, owner);
  AppendEndpoints(keys, endpoints, call);
  for (const Member& member : members) call.args.push_back(member.text());
  return call;
}

Result<OwedReply> ParseRecountOwed(const RedisValue& reply) {
  if (Status status = ExpectArray(reply, 4, "recount owed"); !status.ok()) return status;
  Result<int64_t> mended = NumberOf(reply.items[1], "recount owed");
  if (!mended.ok()) return mended.status();
  Result<std::vector<Member>> requeued = MembersOf(reply.items[2], "recount owed");
  if (!requeued.ok()) return requeued.status();
  Result<std::vector<Member>> without_payload = MembersOf(reply.items[3], "recount owed");
  if (!without_payload.ok()) return without_payload.status();
  return OwedReply{*mended, std::move(*requeued), std::move(*without_payload)};
}

RedisCommand ScanOwed(const PartitionKeys& keys, std::string_view cursor, int count) {
  return RedisCommand("HSCAN").Arg(keys.ref).Arg(cursor).Arg("COUNT").Arg(int64_t{count});
}

Result<OwedPage> ParseOwedPage(const RedisValue& reply) {
  if (Status status = ExpectArray(reply, 2, "HSCAN"); !status.ok()) return status;
  if (!reply.items[1].is_array()) return Unexpected(reply, "HSCAN");
  OwedPage page{reply.items[0].text, {}};
  for (size_t i = 0; i + 1 < reply.items[1].items.size(); i += 2) {
    Result<Member> member = Member::Parse(reply.items[1].items[i].text);
    if (!member.ok()) return member.status();
    Result<int64_t> deliveries = NumberOf(reply.items[1].items[i + 1], "HSCAN");
    if (!deliveries.ok()) return deliveries.status();
    page.members.push_back({std::move(*member), *deliveries});
  }
  return page;
}

RedisCommand ReadPayload(const PartitionKeys& keys, const Member& member) {
  return RedisCommand("XRANGE")
      .Arg(keys.Stream(member.event_class()))
      .Arg(member.entry_id())
      .Arg(member.entry_id());
}

Result<Event> ParsePayload(const RedisValue& reply) {
  if (!reply.is_array()) return Unexpected(reply, "XRANGE");
  if (reply.items.empty()) return Status::NotFound("the payload is gone");
  if (Status status = ExpectArray(reply.items[0], 2, "XRANGE"); !status.ok()) return status;
  return DecodeEventFields(reply.items[0].items[1]);
}

RedisCommand ReadCounters(const PartitionKeys& keys) {
  RedisCommand command("HMGET");
  command.Arg(keys.counters);
  for (const char* field : kCounterFields) command.Arg(field);
  return command;
}

RedisCommand ReadCharges(const PartitionKeys& keys, std::span<const std::string> tenants) {
  RedisCommand command("HMGET");
  command.Arg(keys.tenants);
  for (const std::string& tenant : tenants) command.Arg(tenant + "/d").Arg(tenant + "/b");
  return command;
}

RedisCommand CountWaiting(const PartitionKeys& keys, uint64_t endpoint) {
  RedisCommand command("ZCARD");
  command.Arg(keys.Retries(endpoint));
  return command;
}

Result<PartitionCounters> ParseCounters(const RedisValue& reply) {
  if (Status status = ExpectArray(reply, 6, "counters"); !status.ok()) return status;
  int64_t values[6] = {};
  for (size_t i = 0; i < 6; ++i) {
    if (reply.items[i].is_nil()) continue;
    Result<int64_t> value = NumberOf(reply.items[i], "counters");
    if (!value.ok()) return value.status();
    values[i] = *value;
  }
  return PartitionCounters{values[0], values[1], values[2], values[3], values[4], values[5]};
}

ScriptCall RewriteCharges(const PartitionKeys& keys, const OwnerToken& owner,
                          const PartitionCounters& seen,
                          const std::map<std::string, TenantCharge>& charges) {
  ScriptCall call = OwnerCall(ChargesScript(), keys, owner);
  for (const int64_t value :
       {seen.settled, seen.fan, seen.ok, seen.dead, seen.dropped, seen.repeats}) {
    call.args.push_back(std::to_string(value));
  }
  call.args.push_back(std::to_string(charges.size()));
  for (const auto& [tenant, charge] : charges) {
    call.args.insert(call.args.end(),
                     {tenant, std::to_string(charge.deliveries), std::to_string(charge.bytes)});
  }
  return call;
}

Result<bool> ParseRewriteCharges(const RedisValue& reply) {
  Result<std::vector<int64_t>> numbers = NumbersOf(reply, 1, 1, "charges");
  if (!numbers.ok()) return numbers.status();
  return numbers->front() == 1;
}

ScriptCall PruneHistory(const PartitionKeys& keys, const OwnerToken& owner,
                        std::span<const uint64_t> endpoints, std::string_view cursor, int count) {
  ScriptCall call = OwnerCall(PruneScript(), keys, owner);
  AppendEndpoints(keys, endpoints, call);
  call.args.emplace_back(cursor);
  call.args.push_back(std::to_string(count));
  return call;
}

Result<PruneReply> ParsePrune(const RedisValue& reply) {
  Result<std::vector<int64_t>> deleted = NumbersOf(reply, 2, 1, "history");
  if (!deleted.ok()) return deleted.status();
  return PruneReply{reply.items[1].text, deleted->front()};
}

ScriptCall Fsck(const PartitionKeys& keys, std::span<const uint64_t> endpoints, int payloads_max) {
  ScriptCall call{&FsckScript(), TenKeys(keys), {std::to_string(payloads_max)}};
  AppendEndpoints(keys, endpoints, call);
  return call;
}

Result<FsckReply> ParseFsck(const RedisValue& reply) {
  if (Status status = ExpectArray(reply, 5, "fsck"); !status.ok()) return status;
  FsckReply fsck;
  Result<std::vector<uint64_t>> more = ParseEndpoints(reply.items[1]);
  if (!more.ok()) return more.status();
  fsck.more = std::move(*more);
  const std::vector<RedisValue>& counts = reply.items[2].items;
  for (size_t i = 0; i + 1 < counts.size(); i += 2) {
    Result<int64_t> count = NumberOf(counts[i + 1], "fsck");
    if (!count.ok()) return count.status();
    fsck.counts.emplace(counts[i].text, *count);
  }
  Result<std::vector<std::string>> breaches = TextsOf(reply.items[3], "fsck");
  if (!breaches.ok()) return breaches.status();
  fsck.breaches = std::move(*breaches);
  Result<int64_t> total = NumberOf(reply.items[4], "fsck");
  if (!total.ok()) return total.status();
  fsck.breaches_total = *total;
  return fsck;
}

std::vector<const RedisScript*> UpkeepScripts() {
  return {&OrphansScript(), &RecountScript(), &RecountOwedScript(),
          &ChargesScript(), &PruneScript(),   &FsckScript()};
}

}  // namespace relay
