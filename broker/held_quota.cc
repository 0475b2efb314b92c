#include "broker/held_quota.h"

#include <utility>

#include "relay/redis_upkeep.h"

namespace relay {
namespace {

bool IsOver(int64_t held, int64_t quota) {
  return quota > 0 && held >= quota;
}

}  // namespace

HeldQuota::HeldQuota(EventLoop& loop, RedisClient& redis, int partitions, Admission& admission)
    : sums_(redis, partitions), admission_(admission), timer_(loop.NewTimer([this] { OnTick(); })) {
  timer_->Arm(kInterval);
}

void HeldQuota::NoteActive(const Tenant& tenant) {
  if (admission_.shedding() && active_.size() < kTenantsMax) active_.insert(tenant.id);
}

void HeldQuota::OnTick() {
  timer_->Arm(kInterval);
  if (sums_.busy() || active_.empty()) return;
  asked_.assign(active_.begin(), active_.end());
  active_.clear();
  const auto charges_of_asked = [this](const PartitionKeys& keys) {
    return std::vector<RedisCommand>{ReadCharges(keys, asked_)};
  };
  sums_.Start(charges_of_asked, 2 * asked_.size(),
              [this](const Result<std::vector<int64_t>>& held) { OnHeld(held); });
}

void HeldQuota::OnHeld(const Result<std::vector<int64_t>>& held) {
  // Half an answer says too little: the last whole one stays in force.
  if (!held.ok() || catalog_ == nullptr) return;
  std::unordered_set<std::string> over;
  for (size_t i = 0; i < asked_.size(); ++i) {
    const Tenant* tenant = catalog_->FindTenant(asked_[i]);
    if (tenant != nullptr && (IsOver((*held)[2 * i], tenant->limits.held_deliveries) ||
                              IsOver((*held)[2 * i + 1], tenant->limits.held_bytes))) {
      over.insert(asked_[i]);
    }
  }
  admission_.SetOverQuota(std::move(over));
}

}  // namespace relay
