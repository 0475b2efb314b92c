#include <gtest/gtest.h>

#include "tests/integration/relay_system.h"

namespace relay {
namespace {

// Whatever the format, what was sent is found again in what arrived: nothing is lost, altered or
// unaccounted for.
TEST(FormatTest, VerifyAccountsForEveryFormat) {
  RelaySystem relay;
  const auto endpoint = [&relay](const std::string& name, const std::string& more) {
    return EndpointSpec{name, relay.StartSink(name), more};
  };
  relay.Apply({endpoint("raw", ""), endpoint("binary", "format = \"cloudevents\""),
               endpoint("structured", "format = \"cloudevents\"\ncontent_mode = \"structured\""),
               endpoint("normalized", "format = \"normalized\"")});
  relay.StartBroker();
  relay.StartWorker();
  EXPECT_EQ(relay.Simulate({"--count", "200"}).status, 0);
  EXPECT_TRUE(relay.WaitUntilDrained());
  const Ran verified = relay.Verify();
  EXPECT_EQ(verified.status, 0) << verified.output;
  EXPECT_EQ(relay.Received("normalized"), 200);
}

}  // namespace
}  // namespace relay
