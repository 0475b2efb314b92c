#include "broker/providers/registry.h"

#include <gtest/gtest.h>

#include "relay/provider_names.h"

namespace relay {
namespace {

// The catalog takes what the list names; a source must not be accepted that nobody can verify.
TEST(ProviderRegistryTest, HasAVerifierForEveryKindThatTheCatalogTakes) {
  ProviderRegistry registry;
  for (const std::string_view kind : kProviderNames) EXPECT_NE(registry.Find(kind), nullptr);
  EXPECT_EQ(registry.Find("tencent"), nullptr);
  EXPECT_EQ(registry.Find(""), nullptr);
}

}  // namespace
}  // namespace relay
