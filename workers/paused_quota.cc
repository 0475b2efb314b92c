#include "workers/paused_quota.h"

#include <algorithm>
#include <utility>

#include "relay/redis_upkeep.h"

namespace relay {
namespace {

bool Reaches(int64_t held, int64_t quota) {
  return quota > 0 && held >= quota;
}

}  // namespace

PausedQuota::PausedQuota(EventLoop& loop, RedisClient& redis, int partitions,
                         const EndpointTable& table, Log& log)
    : loop_(loop),
      table_(table),
      log_(log),
      sums_(redis, partitions),
      timer_(loop.NewTimer([this] { OnTick(); })) {
  timer_->Arm(kInterval);
}

bool PausedQuota::Admits(const Tenant& tenant) {
  const auto found = noted_.find(tenant.id);
  if (found != noted_.end()) {
    found->second = loop_.clock().Now();
  } else if (noted_.size() < kTenantsMax) {
    noted_.emplace(tenant.id, loop_.clock().Now());
  }
  return over_.count(tenant.id) == 0;
}

void PausedQuota::OnTick() {
  timer_->Arm(kInterval);
  if (sums_.busy()) return;
  const MonoTime since = loop_.clock().Now() - kAskedFor;
  std::erase_if(noted_, [since](const auto& noted) { return noted.second < since; });
  asked_.clear();
  for (const auto& [tenant, at] : noted_) asked_.push_back(tenant);
  if (asked_.empty()) return SetOver({});
  const auto charges_of_asked = [this](const PartitionKeys& keys) {
    return std::vector<RedisCommand>{ReadCharges(keys, asked_)};
  };
  sums_.Start(charges_of_asked, 2 * asked_.size(),
              [this](const Result<std::vector<int64_t>>& charges) { OnCharges(charges); });
}

void PausedQuota::OnCharges(const Result<std::vector<int64_t>>& charges) {
  if (!charges.ok()) return;
  suspects_.clear();
  size_t endpoints = 0;
  for (size_t i = 0; i < asked_.size() && endpoints < kEndpointsMax; ++i) {
    const Charge charge{(*charges)[2 * i], (*charges)[2 * i + 1]};
    const Tenant* tenant = table_.catalog()->FindTenant(asked_[i]);
    if (tenant == nullptr || !(Reaches(charge.deliveries, tenant->limits.held_deliveries) ||
                               Reaches(charge.bytes, tenant->limits.held_bytes))) {
      continue;
    }
    Suspect suspect{asked_[i], charge, PausedEndpointsOf(*tenant)};
    if (suspect.endpoints.empty()) continue;
    suspect.endpoints.resize(std::min(suspect.endpoints.size(), kEndpointsMax - endpoints));
    endpoints += suspect.endpoints.size();
    suspects_.push_back(std::move(suspect));
  }
  if (suspects_.empty()) return SetOver({});
  const auto waiting_of_suspects = [this](const PartitionKeys& keys) {
    std::vector<RedisCommand> commands;
    for (const Suspect& suspect : suspects_) {
      for (const uint64_t endpoint : suspect.endpoints) {
        commands.push_back(CountWaiting(keys, endpoint));
      }
    }
    return commands;
  };
  sums_.Start(waiting_of_suspects, 1,
              [this](const Result<std::vector<int64_t>>& waiting) { OnWaiting(waiting); });
}

std::vector<uint64_t> PausedQuota::PausedEndpointsOf(const Tenant& tenant) const {
  std::vector<uint64_t> paused;
  for (const Endpoint& endpoint : tenant.endpoints) {
    const Tenant* its_tenant = nullptr;
    const Endpoint* entry = nullptr;
    if (table_.Find(endpoint.number, &its_tenant, &entry) == EndpointStanding::kPaused) {
      paused.push_back(endpoint.number);
    }
  }
  return paused;
}

void PausedQuota::OnWaiting(const Result<std::vector<int64_t>>& waiting) {
  if (!waiting.ok()) return;
  std::unordered_set<std::string> over;
  size_t place = 0;
  for (const Suspect& suspect : suspects_) {
    int64_t held = 0;
    for (size_t i = 0; i < suspect.endpoints.size(); ++i) held += (*waiting)[place++];
    const Tenant* tenant = table_.catalog()->FindTenant(suspect.tenant);
    if (tenant == nullptr || suspect.charge.deliveries <= 0) continue;
    // A double is exact enough for what is a share of an estimate.
    const auto bytes =
        static_cast<int64_t>(static_cast<double>(suspect.charge.bytes) * static_cast<double>(held) /
                             static_cast<double>(suspect.charge.deliveries));
    if (Reaches(held, tenant->limits.held_deliveries) ||
        Reaches(bytes, tenant->limits.held_bytes)) {
      over.insert(suspect.tenant);
    }
  }
  SetOver(std::move(over));
}

void PausedQuota::SetOver(std::unordered_set<std::string> over) {
  for (const std::string& tenant : over) {
    if (over_.count(tenant) > 0) continue;
    log_.Warning("held_quota_reached",
                 "a tenant has as much waiting for paused endpoints as it may; what comes for them "
                 "now becomes dead letters",
                 {{"tenant", tenant}});
  }
  for (const std::string& tenant : over_) {
    if (over.count(tenant) > 0) continue;
    log_.Info("held_quota_left", "deliveries to a tenant's paused endpoints are held again",
              {{"tenant", tenant}});
  }
  over_ = std::move(over);
}

}  // namespace relay
