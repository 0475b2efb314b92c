#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <string>

#include "tests/integration/relay_system.h"

namespace relay {
namespace {

using ::testing::HasSubstr;

TEST(FaultTest, AWorkerKilledInMidDeliveryLosesNothing) {
  RelaySystem relay;
  relay.Apply({{"a", relay.StartSink("a", {"--delay", "200ms"}), "in_flight_max = 50"}});
  relay.StartBroker();
  ChildProgram& worker = relay.StartWorker();
  EXPECT_EQ(relay.Simulate({"--count", "300"}).status, 0);
  ASSERT_TRUE(WaitUntil(Seconds(20), [&] { return relay.Received("a") > 20; }));
  worker.Kill9();
  relay.StartWorker();
  EXPECT_TRUE(relay.WaitUntilDrained());
  ExpectNothingLost(relay);
}

TEST(FaultTest, AWorkerThatLeavesHandsItsPartitionsOverWithoutDuplicates) {
  RelaySystem relay;
  relay.Apply({{"a", relay.StartSink("a"), "in_flight_max = 50"},
               {"b", relay.StartSink("b"), "in_flight_max = 50"}});
  relay.StartBroker();
  ChildProgram& leaving = relay.StartWorker();
  relay.StartWorker();
  auto load = relay.SimulateBeside({"--count", "4000", "--rate", "1000"});
  ASSERT_TRUE(WaitUntil(Seconds(20), [&] { return relay.Received("a") > 1000; }));
  leaving.Signal(SIGTERM);
  EXPECT_EQ(leaving.Wait(Seconds(30)).value_or(-1), 0) << leaving.Output();
  EXPECT_EQ(load->Wait(Seconds(60)).value_or(-1), 0) << load->Output();
  EXPECT_TRUE(relay.WaitUntilDrained());
  ExpectNothingLost(relay, {"--max-duplicates", "0"});
}

TEST(FaultTest, SigtermUnderLoadLosesAndRepeatsNothing) {
  RelaySystem relay;
  relay.Apply({{"a", relay.StartSink("a", {"--delay", "20ms"}), "in_flight_max = 50"}});
  relay.StartBroker();
  ChildProgram& first = relay.StartWorker();
  auto load = relay.SimulateBeside({"--count", "3000", "--rate", "1000"});
  ASSERT_TRUE(WaitUntil(Seconds(20), [&] { return relay.Received("a") > 500; }));
  first.Signal(SIGTERM);
  EXPECT_EQ(first.Wait(Seconds(30)).value_or(-1), 0) << first.Output();
  relay.StartWorker();
  EXPECT_EQ(load->Wait(Seconds(60)).value_or(-1), 0) << load->Output();
  EXPECT_TRUE(relay.WaitUntilDrained());
  ExpectNothingLost(relay, {"--max-duplicates", "0"});
}

// The broker answers what it has taken, then ends; the provider repeats the rest elsewhere.
TEST(FaultTest, ABrokerThatIsToldToEndAnswersWhatItTook) {
  RelaySystem relay;
  relay.Apply({{"a", relay.StartSink("a"), "in_flight_max = 50"}});
  ChildProgram& broker = relay.StartBroker();
  relay.StartWorker();
  auto load = relay.SimulateBeside({"--count", "100000", "--connections", "16"});
  ASSERT_TRUE(WaitUntil(Seconds(20), [&] { return relay.Received("a") > 500; }));
  broker.Signal(SIGTERM);
  EXPECT_EQ(broker.Wait(Seconds(10)).value_or(-1), 0) << broker.Output();
  load->Signal(SIGINT);
  EXPECT_TRUE(load->Wait(Seconds(20)));
  EXPECT_TRUE(relay.WaitUntilDrained());
  ExpectNothingLost(relay, {"--max-duplicates", "0"});
}

TEST(FaultTest, RedisKilledUnderLoadLosesNothingThatWasAnswered) {
  RelaySystem relay("always");
  relay.Apply({{"a", relay.StartSink("a"), "in_flight_max = 50"}});
  relay.StartBroker();
  relay.StartWorker();
  auto load = relay.SimulateBeside({"--count", "90000", "--rate", "1500"});
  for (int kill = 1; kill <= 3; ++kill) {
    const int before = relay.Received("a");
    ASSERT_TRUE(WaitUntil(Seconds(20), [&] { return relay.Received("a") > before + 500; }));
    relay.redis().Kill9();
    ASSERT_TRUE(relay.redis().Start().ok());
  }
  // Some callbacks met the gaps and were refused, as they should be.
  load->Signal(SIGINT);
  EXPECT_TRUE(load->Wait(Seconds(20))) << load->Output();
  EXPECT_TRUE(relay.WaitUntilDrained());
  ExpectNothingLost(relay);
}

TEST(FaultTest, WithoutRedisEveryCallbackIsRefusedWith503AndTakenAgainAfterwards) {
  RelaySystem relay;
  relay.Apply({{"a", relay.StartSink("a"), ""}});
  relay.StartBroker();
  EXPECT_THAT(SendRaw(relay.broker_port(), SignedCallback("s", "1")), HasSubstr(" 200 "));
  relay.redis().Stop();
  ASSERT_TRUE(WaitUntil(Seconds(10), [&] {
    return HttpGet(relay.broker_admin_port(), "/readyz").find(" 503 ") != std::string::npos;
  }));
  const std::string refused = SendRaw(relay.broker_port(), SignedCallback("s", "2"));
  EXPECT_THAT(refused, HasSubstr(" 503 "));
  EXPECT_THAT(refused, HasSubstr("Retry-After:"));
  ASSERT_TRUE(relay.redis().Start().ok());
  EXPECT_TRUE(WaitUntil(Seconds(20), [&] {
    return SendRaw(relay.broker_port(), SignedCallback("s", "2")).find(" 200 ") !=
           std::string::npos;
  }));
  relay.StartWorker();
  EXPECT_TRUE(relay.WaitUntilDrained());
  EXPECT_EQ(relay.Received("a"), 2);
  EXPECT_EQ(relay.Fsck().status, 0);
}

// A frozen worker loses its lease; when it wakes it must not disturb what the new owner does.
TEST(FaultTest, AFrozenWorkerThatWakesDisturbsNothing) {
  RelaySystem relay;
  relay.Apply({{"a", relay.StartSink("a"), "in_flight_max = 50"}});
  relay.StartBroker();
  ChildProgram& frozen = relay.StartWorker();
  auto load = relay.SimulateBeside({"--count", "9000", "--rate", "700"});
  ASSERT_TRUE(WaitUntil(Seconds(20), [&] { return relay.Received("a") > 300; }));
  frozen.Signal(SIGSTOP);
  relay.StartWorker();
  const int at_freeze = relay.Received("a");
  // The new owner may begin when the lease of 5 s is over.
  ASSERT_TRUE(WaitUntil(Seconds(15), [&] { return relay.Received("a") > at_freeze + 2000; }));
  frozen.Signal(SIGCONT);
  EXPECT_EQ(load->Wait(Seconds(60)).value_or(-1), 0) << load->Output();
  EXPECT_TRUE(relay.WaitUntilDrained());
  ExpectNothingLost(relay);
}

}  // namespace
}  // namespace relay
