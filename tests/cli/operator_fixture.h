#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <sstream>
#include <string>
#include <utility>

#include "cli/redis_session.h"
#include "tests/support/partition_fixture.h"

namespace relay {

// A test of commands that look at an installation: a real Redis with the demo catalog in it, a
// conf that leads there, and one partition that the test owns.
class OperatorTest : public PartitionTest {
 protected:
  void SetUp() override {
    PartitionTest::SetUp();
    const std::string key_file = process_.folder() + "/secret.key";
    ASSERT_TRUE(SecretBox::GenerateKeyFile(key_file).ok());
    conf_ = process_.folder() + "/relay.toml";
    std::ofstream(conf_) << "[redis]\nnodes = [\"unix://" << process_.socket_path()
                         << "\"]\n[secrets]\nkey_file = \"" << key_file << "\"\n";
    ApplyDemoCatalog();
  }
  void ApplyDemoCatalog() {
    std::stringstream text;
    text << std::ifstream(std::string(RELAY_SOURCE_DIR) + "/conf/catalog.demo.toml").rdbuf();
    Result<Catalog> catalog = ParseCatalogToml(text.str(), "catalog.demo.toml");
    ASSERT_TRUE(catalog.ok()) << catalog.status().text();
    CommandContext context;
    context.config_path = conf_;
    auto session = RedisSession::Open(context);
    ASSERT_TRUE(session.ok()) << session.status().text();
    auto store = (*session)->OpenCatalogStore();
    ASSERT_TRUE(store.ok()) << store.status().text();
    bool applied = false;
    (*store)->Apply(std::move(*catalog), std::nullopt, [&](const auto& result) {
      EXPECT_TRUE(result.ok());
      applied = true;
      (*session)->loop().Stop();
    });
    (*session)->RunUntil([&applied] { return applied; });
    const auto loaded = (*session)->LoadCatalog();
    ASSERT_TRUE(loaded.ok());
    endpoint_ = (*loaded)->Tenants().at(0)->endpoints.at(0).number;
  }

  std::string conf_;
  uint64_t endpoint_ = 0;  // The number of acme/customer-a.
};

}  // namespace relay
