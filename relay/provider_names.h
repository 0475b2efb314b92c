#pragma once

#include <algorithm>
#include <array>
#include <string_view>

namespace relay {

// The provider kinds that a source of the catalog may name: what the broker has a verifier for.
inline constexpr std::array<std::string_view, 1> kProviderNames = {"tencent-live"};

inline constexpr bool IsKnownProvider(std::string_view name) {
  return std::find(kProviderNames.begin(), kProviderNames.end(), name) != kProviderNames.end();
}

}  // namespace relay
