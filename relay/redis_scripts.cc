#include "relay/redis_scripts.h"

#include "relay/check.h"
#include "relay/redis_error.h"
#include "relay/script_keys.h"
#include "relay/script_reply.h"

namespace relay {
namespace {

const RedisScript& CreateGroupsScript() {
  static const RedisScript kScript = MakeScript("create_groups", ScriptHead::kNone);
  return kScript;
}
const RedisScript& SettleScript() {
  static const RedisScript kScript = MakeScript("settle", ScriptHead::kOwner);
  return kScript;
}
const RedisScript& DoneScript() {
  static const RedisScript kScript = MakeScript("done", ScriptHead::kNone);
  return kScript;
}
const RedisScript& TakeScript() {
  static const RedisScript kScript = MakeScript("take", ScriptHead::kOwner);
  return kScript;
}
const RedisScript& ResolveScript() {
  static const RedisScript kScript = MakeScript("resolve", ScriptHead::kOwner);
  return kScript;
}

std::string_view KindArg(Settlement::Kind kind) {
  switch (kind) {
    case Settlement::Kind::kLast:
      return "L";
    case Settlement::Kind::kChunk:
      return "C";
    case Settlement::Kind::kRepeat:
      return "R";
  }
  return "";
}

std::string_view KindArg(Resolution::Kind kind) {
  switch (kind) {
    case Resolution::Kind::kOk:
      return "ok";
    case Resolution::Kind::kFail:
      return "fail";
    case Resolution::Kind::kPark:
      return "park";
    case Resolution::Kind::kDead:
      return "dead";
    case Resolution::Kind::kDrop:
      return "drop";
  }
  return "";
}

void AppendSettlement(const Settlement& entry, EndpointPlaces& endpoints,
                      std::vector<std::string>& args) {
  args.push_back(entry.member.text());
  args.emplace_back(KindArg(entry.kind));
  args.push_back(entry.tenant);
  args.push_back(std::to_string(entry.body_bytes));
  args.push_back(std::to_string(entry.accepted));
  args.push_back(std::to_string(entry.owed.size()));
  for (const OwedDelivery& owed : entry.owed) {
    args.emplace_back(owed.state == OwedDelivery::State::kPending ? "p" : "d");
    args.push_back(std::to_string(endpoints.PlaceOf(owed.endpoint)));
    args.push_back(DelayArg(owed.delay));
    args.push_back(std::to_string(owed.attempts));
    args.push_back(owed.record);
  }
}

Result<std::vector<bool>> WonOf(const RedisValue& reply, std::string_view what) {
  if (!reply.is_array()) return Unexpected(reply, what);
  std::vector<bool> won;
  won.reserve(reply.items.size());
  for (const RedisValue& item : reply.items) {
    if (!item.is_integer()) return Unexpected(item, what);
    won.push_back(item.integer == 1);
  }
  return won;
}

Result<WonReply> ParseWon(const RedisValue& reply, std::string_view what) {
  if (Status status = ExpectArray(reply, 2, what); !status.ok()) return status;
  Result<int64_t> now = NumberOf(reply.items[0], what);
  if (!now.ok()) return now.status();
  Result<std::vector<bool>> won = WonOf(reply.items[1], what);
  if (!won.ok()) return won.status();
  return WonReply{*now, std::move(*won)};
}

EventClass ClassOfStream(std::string_view stream) {
  return stream.ends_with(":ev:b") ? EventClass::kBulk : EventClass::kNormal;
}

Result<StreamEntry> ParseEntry(const RedisValue& entry, EventClass event_class) {
  if (Status status = ExpectArray(entry, 2, "stream entry"); !status.ok()) return status;
  if (!entry.items[0].is_text()) return Unexpected(entry, "stream entry");
  // An entry of the pending list whose payload was deleted comes with nil for its fields.
  if (entry.items[1].is_nil()) {
    return StreamEntry{Member(event_class, entry.items[0].text),
                       Status::NotFound("the payload is gone")};
  }
  return StreamEntry{Member(event_class, entry.items[0].text), DecodeEventFields(entry.items[1])};
}

}  // namespace

Status StatusOfError(const RedisValue& value) {
  switch (ClassifyRedisError(value)) {
    case RedisErrorKind::kStale:
      return Status::Conflict(value.text);
    case RedisErrorKind::kBadArgument:
      return Status::Internal(value.text);
    default:
      break;
  }
  if (value.is_error("MORE")) return Status::Conflict(value.text);
  if (value.is_error("BADOWN") || value.is_error("WRONGTYPE")) return Status::Internal(value.text);
  return Status::Unavailable(value.text);
}

RedisCommand StoreEvent(const PartitionKeys& keys, const Event& event) {
  RedisCommand command("XADD");
  StoreEvent(keys, event, command);
  return command;
}

void StoreEvent(const PartitionKeys& keys, const Event& event, RedisCommand& command) {
  command.Restart("XADD").Arg(keys.normal).Arg("*");
  AppendEventFields(event, command);
}

Result<Member> ParseStored(const RedisValue& reply) {
  if (!reply.is_text()) return Unexpected(reply, "XADD");
  return Member::Parse("n" + reply.text);
}

RedisCommand ForgetUnrouted(std::string_view entry_id) {
  return RedisCommand("XDEL").Arg(kUnroutedKey).Arg(entry_id);
}

ScriptCall CreateGroups(const PartitionKeys& keys) {
  // Nobody writes the bulk stream yet, but scripts look at its group.
  return {&CreateGroupsScript(), {keys.normal, keys.bulk}, {std::string(kGroup)}};
}

RedisCommand ReadEvents(std::span<const std::string> streams, int count, Millis block) {
  RELAY_CHECK(!streams.empty() && count > 0);
  RedisCommand command("XREADGROUP");
  command.Arg("GROUP").Arg(kGroup).Arg(kConsumer).Arg("COUNT").Arg(int64_t{count});
  if (block > Millis::zero()) command.Arg("BLOCK").Arg(block.count());
  command.Arg("STREAMS");
  for (const std::string& stream : streams) command.Arg(stream);
  for (size_t i = 0; i < streams.size(); ++i) command.Arg(">");
  return command;
}

RedisCommand ReadPending(const std::string& stream, std::string_view after, int count) {
  RELAY_CHECK(count > 0);
  return RedisCommand("XREADGROUP")
      .Arg("GROUP")
      .Arg(kGroup)
      .Arg(kConsumer)
      .Arg("COUNT")
      .Arg(int64_t{count})
      .Arg("STREAMS")
      .Arg(stream)
      .Arg(after);
}

Result<std::vector<StreamBatch>> ParseRead(const RedisValue& reply) {
  std::vector<StreamBatch> batches;
  if (reply.is_nil()) return batches;
  if (!reply.is_array()) return Unexpected(reply, "XREADGROUP");
  for (const RedisValue& stream : reply.items) {
    if (Status status = ExpectArray(stream, 2, "XREADGROUP"); !status.ok()) return status;
    if (!stream.items[1].is_array()) return Unexpected(stream, "XREADGROUP");
    StreamBatch batch{stream.items[0].text, {}};
    batch.entries.reserve(stream.items[1].items.size());
    for (const RedisValue& entry : stream.items[1].items) {
      Result<StreamEntry> parsed = ParseEntry(entry, ClassOfStream(batch.stream));
      if (!parsed.ok()) return parsed.status();
      batch.entries.push_back(std::move(*parsed));
    }
    batches.push_back(std::move(batch));
  }
  return batches;
}

RedisCommand ClaimEventId(const PartitionKeys& keys, std::string_view event_id,
                          const Member& member, Millis window) {
  return RedisCommand("SET")
      .Arg(keys.Claim(event_id))
      .Arg(member.entry_id())
      .Arg("NX")
      .Arg("GET")
      .Arg("PX")
      .Arg(std::max<int64_t>(window.count(), 1));
}

Result<bool> ParseClaim(const RedisValue& reply, const Member& member) {
  if (reply.is_nil()) return true;
  if (!reply.is_text()) return Unexpected(reply, "SET NX GET");
  return reply.text == member.entry_id();
}

ScriptCall Settle(const PartitionKeys& keys, const OwnerToken& owner,
                  std::span<const Settlement> entries) {
  RELAY_CHECK(!entries.empty() && entries.size() <= kSettleEntriesMax);
  EndpointPlaces endpoints;
  std::vector<std::string> rest = {std::to_string(entries.size())};
  for (const Settlement& entry : entries) AppendSettlement(entry, endpoints, rest);
  ScriptCall call = OwnerCall(SettleScript(), keys, owner);
  endpoints.AppendTo(keys, call);
  call.args.insert(call.args.end(), std::make_move_iterator(rest.begin()),
                   std::make_move_iterator(rest.end()));
  return call;
}

Result<WonReply> ParseSettle(const RedisValue& reply) {
  return ParseWon(reply, "settle");
}

ScriptCall Done(const PartitionKeys& keys, const OwnerToken& owner,
                std::span<const Settlement> entries) {
  RELAY_CHECK(!entries.empty() && entries.size() <= kSettleEntriesMax);
  ScriptCall call{
      &DoneScript(), {keys.own, keys.normal, keys.bulk, keys.ref, keys.counters}, {owner.text()}};
  for (const Settlement& entry : entries) {
    RELAY_CHECK(entry.owed.empty() && entry.kind != Settlement::Kind::kChunk);
    call.args.push_back(entry.member.text());
    call.args.emplace_back(KindArg(entry.kind));
    call.args.push_back(std::to_string(entry.accepted));
  }
  return call;
}

Result<std::vector<bool>> ParseDone(const RedisValue& reply) {
  return WonOf(reply, "done");
}

RedisCommand NextDue(const PartitionKeys& keys, int count) {
  RELAY_CHECK(count > 0);
  return RedisCommand("ZRANGE").Arg(keys.due).Arg("0").Arg(int64_t{count} - 1).Arg("WITHSCORES");
}

Result<std::vector<DueEndpoint>> ParseDue(const RedisValue& reply) {
  if (!reply.is_array() || reply.items.size() % 2 != 0) return Unexpected(reply, "ZRANGE");
  std::vector<DueEndpoint> due;
  for (size_t i = 0; i < reply.items.size(); i += 2) {
    Result<int64_t> endpoint = NumberOf(reply.items[i], "index");
    Result<int64_t> due_ms = NumberOf(reply.items[i + 1], "index");
    if (!endpoint.ok()) return endpoint.status();
    if (!due_ms.ok()) return due_ms.status();
    due.push_back({static_cast<uint64_t>(*endpoint), *due_ms});
  }
  return due;
}

ScriptCall Take(const PartitionKeys& keys, const OwnerToken& owner, uint64_t endpoint, int count,
                Millis lease, int64_t bytes_max, bool probe) {
  RELAY_CHECK(count > 0 && count <= kTakeMax);
  ScriptCall call = OwnerCall(TakeScript(), keys, owner);
  call.keys.push_back(keys.Retries(endpoint));
  call.keys.push_back(keys.DeadLetters(endpoint));
  call.args.insert(call.args.end(),
                   {std::to_string(endpoint), std::to_string(count), DelayArg(lease),
                    std::to_string(bytes_max), probe ? "1" : "0", "-"});
  return call;
}

ScriptCall TakeOld(const PartitionKeys& keys, const OwnerToken& owner, uint64_t endpoint, int count,
                   Millis lease, int64_t bytes_max, int64_t stored_before_ms) {
  ScriptCall call = Take(keys, owner, endpoint, count, lease, bytes_max, /*probe=*/true);
  call.args.back() = std::to_string(std::max<int64_t>(stored_before_ms, 0));
  return call;
}

Result<TakeReply> ParseTake(const RedisValue& reply) {
  if (Status status = ExpectArray(reply, 1, "take"); !status.ok()) return status;
  Result<int64_t> now = NumberOf(reply.items[0], "take");
  if (!now.ok()) return now.status();
  TakeReply taken{*now, {}};
  for (size_t i = 1; i < reply.items.size(); ++i) {
    const RedisValue& item = reply.items[i];
    if (Status status = ExpectArray(item, 4, "take"); !status.ok()) return status;
    Result<Member> member = Member::Parse(item.items[0].text);
    Result<int64_t> token = NumberOf(item.items[1], "take");
    Result<int64_t> attempts = NumberOf(item.items[2], "take");
    if (!member.ok()) return member.status();
    if (!token.ok()) return token.status();
    if (!attempts.ok()) return attempts.status();
    Result<Event> event = item.items[3].is_nil()
                              ? Result<Event>(Status::NotFound("the payload is gone"))
                              : DecodeEventFields(item.items[3]);
    taken.deliveries.push_back(
        {std::move(*member), *token, static_cast<int>(*attempts), std::move(event)});
  }
  return taken;
}

ScriptCall Resolve(const PartitionKeys& keys, const OwnerToken& owner,
                   std::span<const Resolution> items) {
  RELAY_CHECK(!items.empty() && items.size() <= kResolveMax);
  EndpointPlaces endpoints;
  std::vector<std::string> rest = {std::to_string(items.size())};
  for (const Resolution& item : items) {
    rest.push_back(item.member.text());
    rest.push_back(std::to_string(endpoints.PlaceOf(item.endpoint)));
    rest.push_back(std::to_string(item.token));
    rest.emplace_back(KindArg(item.kind));
    rest.push_back(DelayArg(item.delay));
    rest.push_back(item.record);
    rest.push_back(item.tenant);
    rest.push_back(std::to_string(item.body_bytes));
  }
  ScriptCall call = OwnerCall(ResolveScript(), keys, owner);
  endpoints.AppendTo(keys, call);
  call.args.insert(call.args.end(), std::make_move_iterator(rest.begin()),
                   std::make_move_iterator(rest.end()));
  return call;
}

Result<WonReply> ParseResolve(const RedisValue& reply) {
  return ParseWon(reply, "resolve");
}

std::vector<const RedisScript*> TransitionScripts() {
  return {&CreateGroupsScript(), &SettleScript(), &DoneScript(), &TakeScript(), &ResolveScript()};
}

}  // namespace relay
