#include "cli/up_demo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tests/support/simulated_loop.h"

namespace relay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class UpDemoTest : public ::testing::Test {
 protected:
  UpDemoTest() {
    std::string path = std::filesystem::temp_directory_path() / "relay-demo-XXXXXX";
    EXPECT_TRUE(mkdtemp(path.data()));
    UpOptions options;
    options.demo = true;
    options.base_port = 20000;
    plan_ = *MakeUpPlan(options, Settings(), path);
    plan_.conf_folder = RELAY_SOURCE_DIR "/conf";
  }
  ~UpDemoTest() override { std::filesystem::remove_all(plan_.folder); }

  // What a sink writes down of a request.
  void Append(size_t sink, const std::string& text) {
    std::ofstream(plan_.sink_log(sink), std::ios::app) << text << std::flush;
  }

  UpPlan plan_;
  SimulatedClock clock_;
};

TEST_F(UpDemoTest, TheShippedCatalogIsMovedToTheSinksOfThisRun) {
  const Result<Catalog> catalog = DemoCatalog(plan_);
  ASSERT_TRUE(catalog.ok()) << catalog.status().text();
  ASSERT_THAT(catalog->tenants.front().endpoints, SizeIs(3));
  EXPECT_EQ(catalog->tenants.front().endpoints[0].url, "http://127.0.0.1:20011/hook");
  EXPECT_EQ(catalog->tenants.front().endpoints[2].url, "http://127.0.0.1:20013/hook");
}

TEST_F(UpDemoTest, EachSinkVerifiesWhatItsEndpointSigns) {
  const Result<Catalog> catalog = DemoCatalog(plan_);
  ASSERT_TRUE(catalog.ok());
  const std::vector<Endpoint>& endpoints = catalog->tenants.front().endpoints;
  EXPECT_THAT(SinkSecrets(endpoints[0]), ElementsAre("--secret", HasSubstr("whsec_")));
  EXPECT_THAT(SinkSecrets(endpoints[1]), ElementsAre("--tencent-key", "customer-b-key"));
}

TEST_F(UpDemoTest, ALineOfALogIsReadOnceItIsWhole) {
  SinkLogReader reader(plan_.sink_log(0));
  EXPECT_THAT(reader.ReadNew(), IsEmpty());
  Append(0, R"({"webhook_id":"e1","seq":"r.0","attempt":1,"status":500,"at_us":5}
{"webhook_id":"e1","seq":"r.0",)");
  ASSERT_THAT(reader.ReadNew(), SizeIs(1));
  Append(0, "\"attempt\":2,\"status\":200,\"at_us\":9}\n");
  const std::vector<SinkLine> lines = reader.ReadNew();
  ASSERT_THAT(lines, SizeIs(1));
  EXPECT_EQ(lines[0].webhook_id, "e1");
  EXPECT_EQ(lines[0].attempt, 2);
  EXPECT_EQ(lines[0].status, 200);
  EXPECT_EQ(lines[0].at_us, 9);
  EXPECT_THAT(reader.ReadNew(), IsEmpty());
}

TEST_F(UpDemoTest, WhatStoodInALogBeforeIsPassedOver) {
  Append(0, "{\"seq\":\"old.0\",\"status\":200}\n");
  SinkLogReader reader(plan_.sink_log(0));
  EXPECT_THAT(reader.ReadNew(), IsEmpty());
}

TEST_F(UpDemoTest, AnEventThatNobodyGotIsMissingEverywhere) {
  const Result<Catalog> catalog = DemoCatalog(plan_);
  ASSERT_TRUE(catalog.ok());
  DemoEvent event(plan_, catalog->tenants.front(), clock_);
  event.Look();
  EXPECT_FALSE(event.attempted_everywhere());
  EXPECT_EQ(event.Missing(),
            "customer-a has had no attempt; customer-b has had no attempt; "
            "customer-c has had no attempt");
}

}  // namespace
}  // namespace relay
