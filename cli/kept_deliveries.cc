#include "cli/kept_deliveries.h"

#include "cli/endpoint_name.h"
#include "relay/redis_upkeep.h"
#include "relay/script_reply.h"

namespace relay {

Result<std::vector<uint64_t>> KeptDeliveries::EndpointsOf(const PartitionKeys& keys) {
  Result<RedisValue> reply = session_.Ask(ListOwing(keys));
  if (!reply.ok()) return reply.status();
  Result<std::vector<uint64_t>> endpoints = ParseEndpoints(*reply);
  if (endpoints.ok()) {
    std::erase_if(*endpoints, [this](uint64_t number) { return !WantsEndpoint(number); });
  }
  return endpoints;
}

bool KeptDeliveries::WantsEndpoint(uint64_t number) const {
  const Tenant* tenant = nullptr;
  const Endpoint* endpoint = catalog_->FindEndpoint(number, &tenant);
  // One that the catalog has no more is told apart by its events' tenant alone.
  if (endpoint == nullptr) return endpoint_.empty();
  if (!tenant_.empty() && tenant->id != tenant_) return false;
  return endpoint_.empty() || MeansEndpoint(endpoint_, *tenant, *endpoint);
}

Result<std::vector<KeptDelivery>> KeptDeliveries::Load(
    const PartitionKeys& keys, uint64_t endpoint, std::span<const RedisValue> members_and_scores) {
  std::vector<KeptDelivery> all;
  std::vector<RedisCommand> commands;
  for (size_t i = 0; i + 1 < members_and_scores.size(); i += 2) {
    Result<Member> member = Member::Parse(members_and_scores[i].text);
    Result<int64_t> score = NumberOf(members_and_scores[i + 1], "score");
    if (!member.ok()) return member.status();
    if (!score.ok()) return score.status();
    commands.push_back(ReadPayload(keys, *member));
    commands.push_back(RedisCommand("HGET")
                           .Arg(keys.history)
                           .Arg(member->text() + "/" + std::to_string(endpoint)));
    all.push_back({&keys, std::move(*member), endpoint, "", *score, {}, {}});
  }
  if (all.empty()) return all;
  Result<std::vector<RedisValue>> replies = session_.AskAll(commands);
  if (!replies.ok()) return replies.status();
  std::vector<KeptDelivery> there;
  for (size_t i = 0; i < all.size(); ++i) {
    Result<Event> event = ParsePayload((*replies)[2 * i]);
    if (!event.ok() && event.status().code() == StatusCode::kNotFound) continue;
    if (!event.ok()) return event.status();
    Result<std::vector<AttemptRecord>> history = DecodeHistory((*replies)[2 * i + 1].text);
    if (!history.ok()) return history.status();
    if (!tenant_.empty() && event->tenant != tenant_) continue;
    all[i].endpoint_name = EndpointName(*catalog_, event->tenant, endpoint);
    all[i].event = std::move(*event);
    all[i].history = std::move(*history);
    there.push_back(std::move(all[i]));
  }
  return there;
}

}  // namespace relay
