#include "cli/dead_letters.h"

#include "relay/redis_upkeep.h"
#include "relay/script_reply.h"

namespace relay {

Status DeadLetterWalk::Run(const Visit& visit) {
  for (const PartitionKeys& keys : session_.partitions()) {
    Result<RedisValue> reply = session_.Ask(ListOwing(keys));
    if (!reply.ok()) return reply.status();
    Result<std::vector<uint64_t>> endpoints = ParseEndpoints(*reply);
    if (!endpoints.ok()) return endpoints.status();
    for (const uint64_t endpoint : *endpoints) {
      if (!WantsEndpoint(endpoint)) continue;
      if (Status status = WalkEndpoint(keys, endpoint, visit); !status.ok()) return status;
    }
  }
  return Status::Ok();
}

bool DeadLetterWalk::WantsEndpoint(uint64_t number) const {
  const Tenant* tenant = nullptr;
  const Endpoint* endpoint = catalog_->FindEndpoint(number, &tenant);
  // One that the catalog has no more is told apart by its events' tenant alone.
  if (endpoint == nullptr) return filter_.endpoint.empty();
  if (!filter_.tenant.empty() && tenant->id != filter_.tenant) return false;
  return filter_.endpoint.empty() || endpoint->id == filter_.endpoint ||
         tenant->id + "/" + endpoint->id == filter_.endpoint;
}

Status DeadLetterWalk::WalkEndpoint(const PartitionKeys& keys, uint64_t endpoint,
                                    const Visit& visit) {
  const std::string from = filter_.since_ms ? std::to_string(*filter_.since_ms) : "-inf";
  const std::string to = filter_.until_ms ? std::to_string(*filter_.until_ms) : "+inf";
  // What the visitor takes out makes the others move up.
  for (int64_t offset = 0;;) {
    Result<RedisValue> page = session_.Ask(RedisCommand("ZRANGEBYSCORE")
                                               .Arg(keys.DeadLetters(endpoint))
                                               .Arg(from)
                                               .Arg(to)
                                               .Arg("WITHSCORES")
                                               .Arg("LIMIT")
                                               .Arg(offset)
                                               .Arg(int64_t{kPage}));
    if (!page.ok()) return page.status();
    if (!page->is_array() || page->items.empty()) return Status::Ok();
    offset += static_cast<int64_t>(page->items.size() / 2);
    Result<std::vector<DeadLetter>> letters = Load(keys, endpoint, *page);
    if (!letters.ok()) return letters.status();
    if (letters->empty()) continue;
    Result<int64_t> taken_out = visit(*letters);
    if (!taken_out.ok()) return taken_out.status();
    offset -= *taken_out;
  }
}

Result<std::vector<DeadLetter>> DeadLetterWalk::Load(const PartitionKeys& keys, uint64_t endpoint,
                                                     const RedisValue& page) {
  std::vector<DeadLetter> letters;
  std::vector<RedisCommand> commands;
  for (size_t i = 0; i + 1 < page.items.size(); i += 2) {
    Result<Member> member = Member::Parse(page.items[i].text);
    Result<int64_t> died_ms = NumberOf(page.items[i + 1], "dead letters");
    if (!member.ok()) return member.status();
    if (!died_ms.ok()) return died_ms.status();
    commands.push_back(ReadPayload(keys, *member));
    commands.push_back(RedisCommand("HGET")
                           .Arg(keys.history)
                           .Arg(member->text() + "/" + std::to_string(endpoint)));
    letters.push_back({&keys, std::move(*member), endpoint, "", *died_ms, {}, {}});
  }
  Result<std::vector<RedisValue>> replies = session_.AskAll(commands);
  if (!replies.ok()) return replies.status();
  std::vector<DeadLetter> matching;
  for (size_t i = 0; i < letters.size(); ++i) {
    Result<Event> event = ParsePayload((*replies)[2 * i]);
    // Redriven or thrown away since the page was read.
    if (!event.ok() && event.status().code() == StatusCode::kNotFound) continue;
    if (!event.ok()) return event.status();
    Result<std::vector<AttemptRecord>> history = DecodeHistory((*replies)[2 * i + 1].text);
    if (!history.ok()) return history.status();
    DeadLetter& letter = letters[i];
    letter.endpoint_name = NameOf(endpoint, *event);
    letter.event = std::move(*event);
    letter.history = std::move(*history);
    if (Matches(letter)) matching.push_back(std::move(letter));
  }
  return matching;
}

bool DeadLetterWalk::Matches(const DeadLetter& letter) const {
  return (filter_.tenant.empty() || letter.event.tenant == filter_.tenant) &&
         (filter_.type.empty() || letter.event.type == filter_.type) &&
         (filter_.event_id.empty() || letter.event.id == filter_.event_id) &&
         (!filter_.reason || ReasonOf(letter.history) == *filter_.reason);
}

std::string DeadLetterWalk::NameOf(uint64_t endpoint, const Event& event) const {
  const Tenant* tenant = nullptr;
  const Endpoint* known = catalog_->FindEndpoint(endpoint, &tenant);
  if (known != nullptr) return tenant->id + "/" + known->id;
  return event.tenant + "/#" + std::to_string(endpoint);
}

}  // namespace relay
