#include "cli/pending_walk.h"

#include "relay/redis_upkeep.h"
#include "relay/script_reply.h"

namespace relay {

namespace {

constexpr int64_t kPendingPage = 200;

}  // namespace

Status PendingWalk::Run(const Visitor& visitor) {
  for (const PartitionKeys& keys : session_.partitions()) {
    for (const EventClass event_class : {EventClass::kNormal, EventClass::kBulk}) {
      if (only_retries_) break;
      const Status status = WalkEvents(keys, event_class, visitor);
      if (!status.ok()) return status;
    }
    Result<std::vector<uint64_t>> endpoints = kept_.EndpointsOf(keys);
    if (!endpoints.ok()) return endpoints.status();
    for (const uint64_t endpoint : *endpoints) {
      if (Status status = WalkRetries(keys, endpoint, visitor); !status.ok()) return status;
    }
  }
  return Status::Ok();
}

Status PendingWalk::WalkEvents(const PartitionKeys& keys, EventClass event_class,
                               const Visitor& visitor) {
  const std::string& stream = keys.Stream(event_class);
  Result<std::string> last_read = LastRead(stream);
  if (!last_read.ok()) return last_read.status();
  if (last_read->empty()) return Status::Ok();
  if (Status status = WalkUnread(stream, std::move(*last_read), visitor); !status.ok()) {
    return status;
  }
  return WalkRead(keys, event_class, visitor);
}

Result<std::string> PendingWalk::LastRead(const std::string& stream) {
  Result<RedisValue> exists = session_.Ask(RedisCommand("EXISTS").Arg(stream));
  if (!exists.ok()) return exists.status();
  if (exists->integer == 0) return std::string();
  Result<RedisValue> groups = session_.Ask(RedisCommand("XINFO").Arg("GROUPS").Arg(stream));
  if (!groups.ok()) return groups.status();
  for (const RedisValue& group : groups->items) {
    std::string name;
    std::string last_read;
    for (size_t i = 0; i + 1 < group.items.size(); i += 2) {
      if (group.items[i].text == "name") name = group.items[i + 1].text;
      if (group.items[i].text == "last-delivered-id") last_read = group.items[i + 1].text;
    }
    if (name == kGroup && !last_read.empty()) return last_read;
  }
  return std::string("0-0");  // No worker has ever been here: all of it is unread.
}

Status PendingWalk::WalkUnread(const std::string& stream, std::string after,
                               const Visitor& visitor) {
  for (;;) {
    Result<RedisValue> page = session_.Ask(RedisCommand("XRANGE")
                                               .Arg(stream)
                                               .Arg("(" + after)
                                               .Arg("+")
                                               .Arg("COUNT")
                                               .Arg(kPendingPage));
    if (!page.ok()) return page.status();
    if (!page->is_array() || page->items.empty()) return Status::Ok();
    if (Status status = ExpectArray(page->items.back(), 2, "XRANGE"); !status.ok()) return status;
    after = page->items.back().items[0].text;
    if (Status status = Show(stream, page->items, false, visitor); !status.ok()) return status;
  }
}

Status PendingWalk::WalkRead(const PartitionKeys& keys, EventClass event_class,
                             const Visitor& visitor) {
  const std::string& stream = keys.Stream(event_class);
  for (std::string from = "-";;) {
    Result<RedisValue> page = session_.Ask(
        RedisCommand("XPENDING").Arg(stream).Arg(kGroup).Arg(from).Arg("+").Arg(kPendingPage));
    // A group that is not there has nothing pending.
    if (!page.ok() && page.status().text().find("NOGROUP") != std::string::npos) break;
    if (!page.ok()) return page.status();
    if (!page->is_array() || page->items.empty()) break;
    std::vector<RedisCommand> commands;
    for (const RedisValue& entry : page->items) {
      if (Status status = ExpectArray(entry, 4, "XPENDING"); !status.ok()) return status;
      commands.push_back(ReadPayload(keys, Member(event_class, entry.items[0].text)));
      from = "(" + entry.items[0].text;
    }
    Result<std::vector<RedisValue>> payloads = session_.AskAll(commands);
    if (!payloads.ok()) return payloads.status();
    std::vector<RedisValue> entries;
    for (RedisValue& payload : *payloads) {
      // Settled since the page was read.
      if (payload.items.empty()) continue;
      entries.push_back(std::move(payload.items.front()));
    }
    if (Status status = Show(stream, entries, true, visitor); !status.ok()) return status;
  }
  return Status::Ok();
}

Status PendingWalk::Show(const std::string& stream, const std::vector<RedisValue>& entries,
                         bool read, const Visitor& visitor) const {
  std::vector<PendingEvent> events;
  for (const RedisValue& entry : entries) {
    if (Status status = ExpectArray(entry, 2, "stream entry"); !status.ok()) return status;
    Result<Event> event = ParsePayload(RedisValue::Array({entry}));
    if (!event.ok()) {
      // Whose it is cannot be told, so it is everybody's.
      events.push_back(
          {{}, read, stream + " " + entry.items[0].text + ": " + event.status().text()});
    } else if (tenant_.empty() || event->tenant == tenant_) {
      events.push_back({std::move(*event), read, ""});
    }
  }
  if (!events.empty()) visitor.on_events(events);
  return Status::Ok();
}

// By ZSCAN, which gives every member that is there all the time: pages by score would miss some
// when others are put off meanwhile.
Status PendingWalk::WalkRetries(const PartitionKeys& keys, uint64_t endpoint,
                                const Visitor& visitor) {
  std::string cursor = "0";
  do {
    Result<RedisValue> page = session_.Ask(RedisCommand("ZSCAN")
                                               .Arg(keys.Retries(endpoint))
                                               .Arg(cursor)
                                               .Arg("COUNT")
                                               .Arg(kPendingPage));
    if (!page.ok()) return page.status();
    if (Status status = ExpectArray(*page, 2, "ZSCAN"); !status.ok()) return status;
    cursor = page->items[0].text;
    Result<std::vector<KeptDelivery>> retries = kept_.Load(keys, endpoint, page->items[1].items);
    if (!retries.ok()) return retries.status();
    if (!retries->empty()) visitor.on_retries(*retries);
  } while (cursor != "0");
  return Status::Ok();
}

}  // namespace relay
