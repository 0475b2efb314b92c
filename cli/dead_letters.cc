#include "cli/dead_letters.h"

namespace relay {
namespace {

std::string LowestScore(const DeadLetterFilter& filter) {
  return filter.since_ms ? std::to_string(*filter.since_ms) : "-inf";
}

std::string HighestScore(const DeadLetterFilter& filter) {
  return filter.until_ms ? std::to_string(*filter.until_ms) : "+inf";
}

}  // namespace

Status DeadLetterWalk::Run(const Visit& visit) {
  for (const PartitionKeys& keys : session_.partitions()) {
    Result<std::vector<uint64_t>> endpoints = kept_.EndpointsOf(keys);
    if (!endpoints.ok()) return endpoints.status();
    for (const uint64_t endpoint : *endpoints) {
      if (Status status = WalkEndpoint(keys, endpoint, visit); !status.ok()) return status;
    }
  }
  return Status::Ok();
}

Result<int64_t> DeadLetterWalk::Count() {
  if (!AsksForPayload()) return CountByTime();
  int64_t count = 0;
  const Status status = Run([&](const std::vector<DeadLetter>& letters) -> Result<int64_t> {
    count += static_cast<int64_t>(letters.size());
    return int64_t{0};
  });
  if (!status.ok()) return status;
  return count;
}

Result<int64_t> DeadLetterWalk::CountByTime() {
  int64_t count = 0;
  for (const PartitionKeys& keys : session_.partitions()) {
    Result<std::vector<uint64_t>> endpoints = kept_.EndpointsOf(keys);
    if (!endpoints.ok()) return endpoints.status();
    for (const uint64_t endpoint : *endpoints) {
      const Result<RedisValue> counted = session_.Ask(RedisCommand("ZCOUNT")
                                                          .Arg(keys.DeadLetters(endpoint))
                                                          .Arg(LowestScore(filter_))
                                                          .Arg(HighestScore(filter_)));
      if (!counted.ok()) return counted.status();
      count += counted->integer;
    }
  }
  return count;
}

// A tenant is one: of an endpoint that the catalog has no more, only its events tell whose it was.
bool DeadLetterWalk::AsksForPayload() const {
  return !filter_.type.empty() || !filter_.event_id.empty() || !filter_.tenant.empty() ||
         filter_.reason.has_value() || !filter_.pattern.matches_everything();
}

Status DeadLetterWalk::WalkEndpoint(const PartitionKeys& keys, uint64_t endpoint,
                                    const Visit& visit) {
  const std::string from = LowestScore(filter_);
  const std::string to = HighestScore(filter_);
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
    Result<std::vector<KeptDelivery>> loaded = kept_.Load(keys, endpoint, page->items);
    if (!loaded.ok()) return loaded.status();
    std::vector<DeadLetter> letters;
    for (KeptDelivery& delivery : *loaded) {
      const int64_t died_ms = delivery.score;
      DeadLetter letter{std::move(delivery), died_ms};
      if (Matches(letter)) letters.push_back(std::move(letter));
    }
    if (letters.empty()) continue;
    Result<int64_t> taken_out = visit(letters);
    if (!taken_out.ok()) return taken_out.status();
    offset -= *taken_out;
  }
}

bool DeadLetterWalk::Matches(const DeadLetter& letter) {
  return (filter_.type.empty() || letter.event.type == filter_.type) &&
         (filter_.event_id.empty() || letter.event.id == filter_.event_id) &&
         (!filter_.reason || ReasonOf(letter.history) == *filter_.reason) &&
         MatchesPattern(letter.event);
}

bool DeadLetterWalk::MatchesPattern(const Event& event) {
  const EventPattern& pattern = filter_.pattern;
  const bool has_members = pattern.needs_body() && body_.Parse(event.body).ok();
  if (pattern.needs_body() && !has_members) return false;
  return pattern.Matches(has_members ? &body_ : nullptr, {event.type, event.source, event.tenant});
}

}  // namespace relay
