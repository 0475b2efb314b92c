#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <fstream>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "relay/clock.h"
#include "tests/integration/relay_system.h"

namespace relay {
namespace {

using testing::HasSubstr;

constexpr int kStreams = 60;
constexpr int64_t kFollowedUs = 1'000'000;
constexpr int64_t kWatchedUs = 1'000'000;

// Once it is enabled: a slow start would let the workers take turns with its first permit.
constexpr const char* kAtOnce = "breaker = { slow_start = \"0s\" }";

struct Receipt {
  int64_t at_us = 0;
  int stream = 0;
};

int64_t NumberBehind(const std::string& line, const std::string& before) {
  const size_t at = line.find(before);
  return at == std::string::npos ? -1 : std::stoll(line.substr(at + before.size()));
}

// Two workers share the partitions, and streams spread over all of them, while callbacks come all
// the time. Each change must be followed by both within a second; nothing else may be disturbed.
class RuntimeChangeTest : public testing::Test {
 protected:
  void Start() {
    relay_.StartBroker();
    relay_.StartWorker();
    relay_.StartWorker();
    ASSERT_TRUE(WaitUntil(Seconds(30), [this] {
      return HttpGet(relay_.worker_admin_port(), "/metrics").find("relay_partitions_owned 8") !=
             std::string::npos;
    }));
    load_ = relay_.SimulateBeside({"--duration", "60s", "--rate", "300", "--run", "r", "--streams",
                                   std::to_string(kStreams), "--types", "1,0"});
  }
  int64_t NowUs() const { return MicrosSinceEpoch(clock_.WallNow()); }

  std::vector<Receipt> ReceiptsOf(const std::string& name) const {
    std::vector<Receipt> receipts;
    std::ifstream log(relay_.log_path(name));
    for (std::string line; std::getline(log, line);) {
      const int64_t number = NumberBehind(line, "\"seq\":\"r.");
      if (number < 0) continue;
      receipts.push_back({NumberBehind(line, "\"at_us\":"), static_cast<int>(number % kStreams)});
    }
    return receipts;
  }
  size_t ReceivedBetween(const std::string& name, int64_t from_us, int64_t to_us) const {
    const std::vector<Receipt> receipts = ReceiptsOf(name);
    return static_cast<size_t>(std::count_if(
        receipts.begin(), receipts.end(),
        [&](const Receipt& one) { return one.at_us >= from_us && one.at_us < to_us; }));
  }
  // Distinct streams whose callbacks arrived in that time.
  size_t StreamsBetween(const std::string& name, int64_t from_us, int64_t to_us) const {
    std::set<int> streams;
    for (const Receipt& one : ReceiptsOf(name)) {
      if (one.at_us >= from_us && one.at_us < to_us) streams.insert(one.stream);
    }
    return streams.size();
  }
  void PassUntil(int64_t at_us) {
    ASSERT_TRUE(WaitUntil(Seconds(30), [&] { return NowUs() >= at_us; }));
  }
  // Does what an operator says, and checks what `name` gets from a second after it on.
  void ExpectSilenceAfter(const std::string& name, const std::function<void()>& change) {
    change();
    const int64_t followed_us = NowUs() + kFollowedUs;
    PassUntil(followed_us + kWatchedUs);
    EXPECT_EQ(ReceivedBetween(name, followed_us, followed_us + kWatchedUs), 0u);
  }
  // Most streams: neither worker is missing, each has about half of them.
  void ExpectAllStreamsAfter(const std::string& name, const std::function<void()>& change) {
    change();
    const int64_t followed_us = NowUs() + kFollowedUs;
    PassUntil(followed_us + kWatchedUs);
    EXPECT_GE(StreamsBetween(name, followed_us, followed_us + kWatchedUs), kStreams * 3 / 4u);
  }
  void Say(std::vector<std::string> arguments) {
    const Ran ran = relay_.Relayctl(std::move(arguments));
    EXPECT_EQ(ran.status, 0) << ran.output;
  }

  SystemClock clock_;
  RelaySystem relay_;
  std::unique_ptr<ChildProgram> load_;
};

TEST_F(RuntimeChangeTest, BothWorkersFollowWithinASecond) {
  const EndpointSpec a{"a", relay_.StartSink("a"), ""};
  const EndpointSpec b{"b", relay_.StartSink("b"), ""};
  const int gone = relay_.StartSink("gone", {"--status", "410"});
  relay_.Apply({a, {"gone", gone, kAtOnce}});
  Start();
  ExpectAllStreamsAfter("a", [] {});

  ExpectSilenceAfter("a", [this] { Say({"endpoint", "pause", "acme/a"}); });
  Say({"endpoint", "discard", "acme/a", "--yes"});
  ExpectAllStreamsAfter("a", [this] { Say({"endpoint", "resume", "acme/a"}); });

  // It was disabled by its first answer, and both workers know.
  const size_t refused = static_cast<size_t>(relay_.Received("gone"));
  EXPECT_GE(refused, 1u);
  relay_.sink("gone").Kill9();
  relay_.StartSink("gone", {}, gone);
  ExpectAllStreamsAfter("gone", [this] { Say({"endpoint", "enable", "acme/gone"}); });

  ExpectAllStreamsAfter("b", [&] { relay_.Apply({a, {"gone", gone, kAtOnce}, b}); });
  ExpectSilenceAfter("gone", [&] { relay_.Apply({a, b}); });

  load_->Signal(SIGINT);
  ASSERT_TRUE(load_->Wait(Seconds(20)).has_value());
  EXPECT_TRUE(relay_.WaitUntilDrained());
  const Ran checked = relay_.Fsck();
  EXPECT_EQ(checked.status, 0) << checked.output;
  // What the removed endpoint had is dropped, and nothing of it is left behind.
  EXPECT_THAT(relay_.Relayctl({"dlq", "list"}).output, testing::Not(HasSubstr("gone")));
}

}  // namespace
}  // namespace relay
