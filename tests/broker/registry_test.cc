#include "broker/providers/registry.h"

#include <gtest/gtest.h>

#include "relay/provider_names.h"

namespace relay {
namespace {

// The catalog takes what the list names; a source must not be accepted that nobody can verify.
TEST(ProviderRegistryTest, HasAVerifierForEveryKindThatTheCatalogTakes) {
  Source source;
  for (const std::string_view kind : kProviderNames) {
    source.provider = kind;
    EXPECT_NE(MakeProvider(source), nullptr) << kind;
  }
  for (const char* unknown : {"tencent", "hmac ", ""}) {
    source.provider = unknown;
    EXPECT_EQ(MakeProvider(source), nullptr) << unknown;
  }
}

}  // namespace
}  // namespace relay
