#include "broker/providers/registry.h"

#include "broker/providers/tencent_live.h"
#include "relay/check.h"
#include "relay/provider_names.h"

namespace relay {
namespace {

std::unique_ptr<Provider> Make(std::string_view kind) {
  if (kind == "tencent-live") return std::make_unique<TencentLive>();
  return nullptr;
}

}  // namespace

void CallbackFacts::Clear() {
  type.clear();
  ordering_key.clear();
  dedupe_key.clear();
  route.Clear();
}

ProviderRegistry::ProviderRegistry() {
  for (const std::string_view kind : kProviderNames) {
    entries_.push_back({kind, Make(kind)});
    // The catalog takes every name of the list, so each must have its verifier.
    RELAY_CHECK(entries_.back().provider != nullptr);
  }
}

ProviderRegistry::~ProviderRegistry() = default;

Provider* ProviderRegistry::Find(std::string_view kind) const {
  for (const Entry& entry : entries_) {
    if (entry.kind == kind) return entry.provider.get();
  }
  return nullptr;
}

}  // namespace relay
