#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace relay {

// The provider kinds that a source of the catalog may name: what the broker has a verifier for.
inline constexpr std::array<std::string_view, 5> kProviderNames = {
    "tencent-live", "tencent-trtc", "volcengine-live", "standard-webhooks", "hmac"};

inline constexpr bool IsKnownProvider(std::string_view name) {
  return std::find(kProviderNames.begin(), kProviderNames.end(), name) != kProviderNames.end();
}

// "tencent-live, tencent-trtc, ...", for complaints.
inline std::string ProviderNameList() {
  std::string out;
  for (const std::string_view name : kProviderNames)
    out.append(out.empty() ? "" : ", ").append(name);
  return out;
}

}  // namespace relay
