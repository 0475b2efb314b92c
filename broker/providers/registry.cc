#include "broker/providers/registry.h"

#include <array>
#include <string_view>

#include "broker/providers/hmac_webhook.h"
#include "broker/providers/standard_webhooks.h"
#include "broker/providers/tencent_live.h"
#include "broker/providers/tencent_trtc.h"
#include "broker/providers/volcengine_live.h"
#include "relay/provider_names.h"

namespace relay {
namespace {

struct Kind {
  std::string_view name;
  std::unique_ptr<Provider> (*make)(const Source& source);
};

template <typename T>
std::unique_ptr<Provider> Make(const Source& source) {
  return std::make_unique<T>(source);
}

constexpr std::array kKinds = {
    Kind{"tencent-live", Make<TencentLive>},
    Kind{"tencent-trtc", Make<TencentTrtc>},
    Kind{"volcengine-live", Make<VolcengineLive>},
    Kind{"standard-webhooks", Make<StandardWebhooks>},
    Kind{"hmac", Make<HmacWebhook>},
};
// The catalog takes every name of the list, so each must have its verifier.
static_assert(kKinds.size() == kProviderNames.size());

}  // namespace

void CallbackFacts::Clear() {
  type.clear();
  ordering_key.clear();
  dedupe_key.clear();
  route.Clear();
}

std::unique_ptr<Provider> MakeProvider(const Source& source) {
  for (const Kind& kind : kKinds) {
    if (kind.name == source.provider) return kind.make(source);
  }
  return nullptr;
}

}  // namespace relay
