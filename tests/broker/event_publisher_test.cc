#include "broker/event_publisher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_redis.h"
#include "tests/support/simulated_loop.h"

namespace relay {
namespace {

using testing::ElementsAre;
using testing::Pair;

class EventPublisherTest : public testing::Test {
 protected:
  Event EventOf(const std::string& stream) {
    Event event;
    event.id = "0123";
    event.tenant = "acme";
    event.ordering_key = stream;
    return event;
  }

  SimulatedLoop loop_;
  Metrics metrics_;
  FakeRedis first_{loop_};
  FakeRedis second_{loop_};
  std::vector<std::pair<uint32_t, StoreOutcome>> outcomes_;
  EventPublisher publisher_{
      loop_,
      {&first_, &second_},
      8,
      Seconds(1),
      metrics_,
      [this](uint32_t ticket, StoreOutcome outcome) { outcomes_.emplace_back(ticket, outcome); }};
};

// Two events of a stream on two connections could change places.
TEST_F(EventPublisherTest, AStreamKeepsToOneConnection) {
  for (uint32_t i = 0; i < 20; ++i) publisher_.Publish(EventOf("s"), i);
  EXPECT_EQ(first_.calls().size() * second_.calls().size(), 0u);
  EXPECT_EQ(first_.calls().size() + second_.calls().size(), 20u);
}

TEST_F(EventPublisherTest, StreamsSpreadOverTheConnections) {
  for (uint32_t i = 0; i < 64; ++i) publisher_.Publish(EventOf("s" + std::to_string(i)), i);
  EXPECT_GT(first_.calls().size(), 10u);
  EXPECT_GT(second_.calls().size(), 10u);
}

TEST_F(EventPublisherTest, TellsEachOutcomeApart) {
  for (uint32_t i = 0; i < 4; ++i) publisher_.PublishUnrouted(EventOf("s"), {}, i);
  first_.Answer(RedisValue::Text("1-0"));
  first_.Answer(RedisValue::Error("OOM command not allowed"));
  first_.Answer(Status::DeadlineExceeded("late"));
  first_.Answer(Status::Unavailable("broken"));
  EXPECT_THAT(outcomes_, ElementsAre());
  loop_.RunReady();
  EXPECT_THAT(outcomes_,
              ElementsAre(Pair(0, StoreOutcome::kStored), Pair(1, StoreOutcome::kRefused),
                          Pair(2, StoreOutcome::kTimedOut), Pair(3, StoreOutcome::kUnavailable)));
}

TEST_F(EventPublisherTest, AConnectionThatIsBehindIsFullAndTheOtherIsNot) {
  Event unrouted = EventOf("s");
  unrouted.tenant = "";
  for (uint32_t i = 0; i < StoreBacklog::kAlways; ++i) publisher_.PublishUnrouted(unrouted, {}, i);
  EXPECT_FALSE(publisher_.Full(unrouted));
  loop_.Advance(StoreBacklog::kPatience);
  EXPECT_TRUE(publisher_.Full(unrouted));
  int full = 0;
  for (int i = 0; i < 64; ++i) full += publisher_.Full(EventOf("s" + std::to_string(i)));
  EXPECT_GT(full, 10);
  EXPECT_LT(full, 54);
  first_.TakeDown();
  loop_.RunReady();
  EXPECT_FALSE(publisher_.Full(unrouted));
}

TEST_F(EventPublisherTest, AReplyThatIsNoIdIsNoPromise) {
  publisher_.PublishUnrouted(EventOf("s"), {}, 0);
  publisher_.PublishUnrouted(EventOf("s"), {}, 1);
  first_.Answer(RedisValue::Nil());
  first_.Answer(RedisValue::Integer(1));
  loop_.RunReady();
  EXPECT_THAT(outcomes_,
              ElementsAre(Pair(0, StoreOutcome::kRefused), Pair(1, StoreOutcome::kRefused)));
}

TEST_F(EventPublisherTest, WithoutAConnectionEveryStoreFailsSoon) {
  first_.TakeDown();
  second_.TakeDown();
  publisher_.Publish(EventOf("s"), 9);
  EXPECT_THAT(outcomes_, ElementsAre());
  loop_.RunReady();
  EXPECT_THAT(outcomes_, ElementsAre(Pair(9, StoreOutcome::kUnavailable)));
}

}  // namespace
}  // namespace relay
