#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "tests/integration/relay_system.h"

namespace relay {
namespace {

using testing::HasSubstr;

// With several events answered 410 at once, by two workers that share the partitions.
TEST(DisablingTest, TheOperatorIsToldOnceAndTheBooksAddUp) {
  RelaySystem relay;
  std::string catalog =
      relay.Catalog({{"a", relay.StartSink("a", {"--status", "410"}), ""},
                     {"ops", relay.StartSink("ops"), "pattern = '{\"event_type\":[999]}'"}});
  const std::string tenant = "id = \"acme\"\n";
  catalog.insert(catalog.find(tenant) + tenant.size(), "operator = \"ops\"\n");
  const std::string path = relay.folder() + "/catalog.toml";
  std::ofstream(path) << catalog;
  const Ran applied = relay.Relayctl({"apply", path});
  ASSERT_EQ(applied.status, 0) << applied.output;
  relay.StartBroker();
  relay.StartWorker();
  relay.StartWorker();
  EXPECT_EQ(relay.Simulate({"--count", "20", "--streams", "10"}).status, 0);
  EXPECT_TRUE(WaitUntil(Seconds(30), [&] { return relay.Received("ops") >= 1; }));
  EXPECT_TRUE(relay.WaitUntilDrained());
  // Two, if the answers came just before and just after a full minute.
  EXPECT_LE(relay.Received("ops"), 2);
  const Ran listed = relay.Relayctl({"endpoint", "list"});
  EXPECT_THAT(listed.output, HasSubstr("disabled (answered 410)"));
  const Ran checked = relay.Fsck();
  EXPECT_EQ(checked.status, 0) << checked.output;
}

}  // namespace
}  // namespace relay
