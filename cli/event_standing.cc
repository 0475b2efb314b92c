#include "cli/event_standing.h"

#include "relay/redis_upkeep.h"
#include "relay/script_reply.h"

namespace relay {
namespace {

// Looks for the member in every retry set and among all dead letters of its partition: two
// questions for each endpoint that has any, all in one round trip.
Status AddKept(RedisSession& session, EventStanding& standing) {
  const PartitionKeys& keys = *standing.partition;
  Result<RedisValue> owing = session.Ask(ListOwing(keys));
  if (!owing.ok()) return owing.status();
  Result<std::vector<uint64_t>> endpoints = ParseEndpoints(*owing);
  if (!endpoints.ok()) return endpoints.status();
  if (endpoints->empty()) return Status::Ok();
  std::vector<RedisCommand> commands;
  for (const uint64_t endpoint : *endpoints) {
    for (const std::string& key : {keys.Retries(endpoint), keys.DeadLetters(endpoint)}) {
      commands.push_back(RedisCommand("ZSCORE").Arg(key).Arg(standing.member.text()));
    }
  }
  Result<std::vector<RedisValue>> scores = session.AskAll(commands);
  if (!scores.ok()) return scores.status();
  for (size_t i = 0; i < scores->size(); ++i) {
    if ((*scores)[i].type == RedisValue::Type::kNil) continue;
    Result<int64_t> score = NumberOf((*scores)[i], "score");
    if (!score.ok()) return score.status();
    const uint64_t endpoint = (*endpoints)[i / 2];
    if (i % 2 == 1) {
      standing.kept.push_back({endpoint, true, *score, 0});
    } else {
      standing.kept.push_back({endpoint, false, DueOfScore(*score), AttemptsOfScore(*score)});
    }
  }
  return Status::Ok();
}

Status Look(RedisSession& session, const std::string& event_id, EventStanding& standing) {
  const PartitionKeys& keys = *standing.partition;
  Result<RedisValue> payload = session.Ask(ReadPayload(keys, standing.member));
  if (!payload.ok()) return payload.status();
  Result<Event> event = ParsePayload(*payload);
  // Gone when all is done. One that cannot be decoded is for `pending list` to tell of.
  if (!event.ok() || event->id != event_id) return Status::Ok();
  standing.event = std::move(*event);
  Result<RedisValue> owed =
      session.Ask(RedisCommand("HEXISTS").Arg(keys.ref).Arg(standing.member.text()));
  if (!owed.ok()) return owed.status();
  standing.settled = owed->integer == 1;
  return AddKept(session, standing);
}

}  // namespace

Result<std::vector<EventStanding>> FindEvent(RedisSession& session, const std::string& event_id) {
  std::vector<RedisCommand> commands;
  for (const PartitionKeys& keys : session.partitions()) {
    commands.push_back(RedisCommand("GET").Arg(keys.Claim(event_id)));
  }
  Result<std::vector<RedisValue>> claims = session.AskAll(commands);
  if (!claims.ok()) return claims.status();
  std::vector<EventStanding> found;
  for (size_t i = 0; i < claims->size(); ++i) {
    // A claim names no class; today there is one.
    Result<Member> member = Member::Parse("n" + (*claims)[i].text);
    if (!member.ok()) continue;
    EventStanding standing;
    standing.partition = &session.partitions()[i];
    standing.member = std::move(*member);
    if (Status status = Look(session, event_id, standing); !status.ok()) return status;
    found.push_back(std::move(standing));
  }
  return found;
}

}  // namespace relay
