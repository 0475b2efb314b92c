#include "broker/held_quota.h"

#include <charconv>
#include <utility>

#include "relay/check.h"

namespace relay {
namespace {

// A field that is not there holds nothing.
int64_t NumberIn(const RedisValue& value) {
  int64_t number = 0;
  if (value.is_text()) {
    std::from_chars(value.text.data(), value.text.data() + value.text.size(), number);
  }
  return number;
}

bool IsOver(int64_t held, int64_t quota) {
  return quota > 0 && held >= quota;
}

}  // namespace

HeldQuota::HeldQuota(EventLoop& loop, RedisClient& redis, int partitions, Admission& admission)
    : redis_(redis),
      partitions_(AllPartitionKeys(partitions)),
      admission_(admission),
      timer_(loop.NewTimer([this] { OnTick(); })) {
  timer_->Arm(kInterval);
}

void HeldQuota::NoteActive(const Tenant& tenant) {
  if (admission_.shedding() && active_.size() < kTenantsMax) active_.insert(tenant.id);
}

void HeldQuota::OnTick() {
  timer_->Arm(kInterval);
  if (replies_due_ > 0 || active_.empty()) return;
  asked_.assign(active_.begin(), active_.end());
  active_.clear();
  held_.assign(asked_.size(), {});
  round_failed_ = false;
  replies_due_ = partitions_.size();
  for (const PartitionKeys& keys : partitions_) {
    RedisCommand command("HMGET");
    command.Arg(keys.tenants);
    for (const std::string& tenant : asked_) command.Arg(tenant + "/d").Arg(tenant + "/b");
    redis_.Send(command, scope_, [this](const Result<RedisValue>& reply) { OnHeld(reply); });
  }
}

void HeldQuota::OnHeld(const Result<RedisValue>& reply) {
  RELAY_CHECK(replies_due_ > 0);
  if (!reply.ok() || !reply->is_array() || reply->items.size() != 2 * asked_.size()) {
    round_failed_ = true;
  } else {
    for (size_t i = 0; i < asked_.size(); ++i) {
      held_[i].deliveries += NumberIn(reply->items[2 * i]);
      held_[i].bytes += NumberIn(reply->items[2 * i + 1]);
    }
  }
  if (--replies_due_ == 0) FinishRound();
}

void HeldQuota::FinishRound() {
  // Half an answer says too little: the last whole one stays in force.
  if (round_failed_ || catalog_ == nullptr) return;
  std::unordered_set<std::string> over;
  for (size_t i = 0; i < asked_.size(); ++i) {
    const Tenant* tenant = catalog_->FindTenant(asked_[i]);
    if (tenant != nullptr && (IsOver(held_[i].deliveries, tenant->limits.held_deliveries) ||
                              IsOver(held_[i].bytes, tenant->limits.held_bytes))) {
      over.insert(asked_[i]);
    }
  }
  admission_.SetOverQuota(std::move(over));
}

}  // namespace relay
