#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "tests/integration/relay_system.h"

namespace relay {
namespace {

constexpr int64_t kSecondUs = 1'000'000;

// When the endpoint's receiver got its requests, oldest first.
std::vector<int64_t> ReceiptsOf(const RelaySystem& relay, const std::string& name) {
  std::vector<int64_t> times;
  std::ifstream log(relay.log_path(name));
  const std::string member = "\"at_us\":";
  for (std::string line; std::getline(log, line);) {
    const size_t at = line.find(member);
    if (at != std::string::npos) times.push_back(std::stoll(line.substr(at + member.size())));
  }
  std::sort(times.begin(), times.end());
  return times;
}

// The most requests that began within `span` of each other.
int MostWithin(const std::vector<int64_t>& times, int64_t span_us) {
  size_t first = 0;
  int most = 0;
  for (size_t last = 0; last < times.size(); ++last) {
    while (times[last] - times[first] >= span_us) ++first;
    most = std::max(most, static_cast<int>(last - first) + 1);
  }
  return most;
}

// Each request is answered after 150 ms, so that more than three of them within that time were in
// flight together.
TEST(LaneTest, TheCapHoldsWhileWorkersComeAndGo) {
  RelaySystem relay;
  relay.Apply({{"a", relay.StartSink("a", {"--delay", "150ms"}), "in_flight_max = 3"}});
  relay.StartBroker();
  ChildProgram& first = relay.StartWorker();
  const auto load = relay.SimulateBeside({"--count", "200", "--streams", "50"});
  const auto received = [&relay](int count) {
    return WaitUntil(Seconds(60), [&] { return relay.Received("a") >= count; });
  };
  ASSERT_TRUE(received(20));
  relay.StartWorker();
  relay.StartWorker();
  ChildProgram& fourth = relay.StartWorker();
  ASSERT_TRUE(received(60));
  fourth.Kill9();
  ASSERT_TRUE(received(90));
  first.Signal(SIGTERM);
  ASSERT_TRUE(received(120));
  relay.StartWorker();
  EXPECT_TRUE(relay.WaitUntilDrained(Seconds(120)));
  EXPECT_LE(MostWithin(ReceiptsOf(relay, "a"), 150'000), 3);
  ExpectNothingLost(relay);
}

TEST(LaneTest, ADeadEndpointIsProbedByOneOfAllWorkersAndDrainsOnceItIsBack) {
  RelaySystem relay;
  const int port = relay.StartSink("a", {"--status", "500"});
  relay.Apply({{"a", port,
                "retry = { schedule = [\"20ms\"], attempts = 60, jitter = 0 }\n"
                "breaker = { failures = 5, probe_every = \"500ms\", slow_start = \"1s\" }"}});
  relay.StartBroker();
  for (int i = 0; i < 3; ++i) relay.StartWorker();
  EXPECT_EQ(relay.Simulate({"--count", "400", "--streams", "50"}).status, 0);
  // Once it is open everywhere: what was in flight then has ended, and only probes are sent.
  ASSERT_TRUE(WaitUntil(Seconds(30), [&] {
    const std::vector<int64_t> times = ReceiptsOf(relay, "a");
    return times.size() > 14 && times.back() - times[times.size() - 10] > 4 * kSecondUs;
  }));
  relay.sink("a").Kill9();
  std::vector<int64_t> probes = ReceiptsOf(relay, "a");
  probes.erase(probes.begin(), probes.end() - 9);
  // Eight intervals; on a busy machine the first of them may have arrived late by up to one.
  EXPECT_GE(probes.back() - probes.front(), 7 * kSecondUs / 2);

  relay.StartSink("a", {}, port);
  EXPECT_TRUE(relay.WaitUntilDrained());
  ExpectNothingLost(relay);
}

TEST(LaneTest, AllWorkersTogetherKeepTheRate) {
  RelaySystem relay;
  relay.Apply({{"a", relay.StartSink("a"), "rate = { per_s = 40, burst = 4 }"}});
  relay.StartBroker();
  relay.StartWorker();
  relay.StartWorker();
  EXPECT_EQ(relay.Simulate({"--count", "160", "--streams", "50"}).status, 0);
  EXPECT_TRUE(relay.WaitUntilDrained());
  const std::vector<int64_t> times = ReceiptsOf(relay, "a");
  ASSERT_EQ(times.size(), 160u);
  // Four at once, forty a second, and what a receiver that was kept waiting gets in a lump. Each
  // worker by itself would have sent all in two seconds.
  EXPECT_LE(MostWithin(times, 2 * kSecondUs), 4 + 80 + 20);
  EXPECT_GE(times.back() - times.front(), 3 * kSecondUs);
  EXPECT_LE(times.back() - times.front(), 8 * kSecondUs);
  ExpectNothingLost(relay);
}

}  // namespace
}  // namespace relay
