#include "workers/room_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "tests/support/fake_redis.h"
#include "tests/support/simulated_loop.h"

namespace relay {
namespace {

class RoomBookTest : public testing::Test {
 protected:
  RoomBookTest() {
    redis_.On("GET", [this](const FakeRedisCall&) {
      return version_ == 0 ? RedisValue::Nil() : RedisValue::Text(std::to_string(version_));
    });
    redis_.On("HGETALL", [this](const FakeRedisCall&) {
      std::vector<RedisValue> flat;
      for (const auto& [key, value] : rooms_) {
        flat.push_back(RedisValue::Text(key));
        flat.push_back(RedisValue::Text(value));
      }
      return RedisValue::Array(std::move(flat));
    });
    redis_.On("room", RedisValue::Array({RedisValue::Integer(0), RedisValue::Integer(0)}));
    tenure_ = std::make_shared<Tenure>();
    tenure_->keys = PartitionKeys::For(0, 1);
    event_.tenant = "acme";
    event_.ordering_key = "8888_ab";
  }

  void Register(Millis ttl) {
    const int64_t till_ms = MillisSinceEpoch(loop_.clock().WallNow()) + ttl.count();
    rooms_["acme/8888_ab"] = std::to_string(till_ms) + " " + EncodeRoom({"293710", "u", "main", 0});
    ++version_;
  }

  SimulatedLoop loop_;
  FakeRedis redis_{loop_};
  std::unique_ptr<Log> log_ = Log::Silent();
  std::map<std::string, std::string> rooms_;
  int version_ = 0;
  RoomBook book_{loop_, redis_, *log_};
  TenurePtr tenure_;
  Event event_;
};

TEST_F(RoomBookTest, RoomsAreThereWhenThePartitionIsTaken) {
  Register(Seconds(60));
  book_.Add(tenure_);
  loop_.RunReady();
  const RegisteredRoomPtr room = book_.Find(*tenure_, event_);
  ASSERT_NE(room, nullptr);
  EXPECT_EQ(room->room, "293710");
  event_.tenant = "other";
  EXPECT_EQ(book_.Find(*tenure_, event_), nullptr);
}

TEST_F(RoomBookTest, RegistrationIsSeenWithinTwoSeconds) {
  book_.Add(tenure_);
  loop_.RunReady();
  EXPECT_EQ(book_.Find(*tenure_, event_), nullptr);
  EXPECT_EQ(redis_.CountOf("HGETALL"), 0) << "nothing was ever registered";
  Register(Seconds(60));
  loop_.Advance(Seconds(2));
  EXPECT_NE(book_.Find(*tenure_, event_), nullptr);
  EXPECT_EQ(redis_.CountOf("HGETALL"), 1);
  rooms_.clear();
  ++version_;
  loop_.Advance(Seconds(2));
  EXPECT_EQ(book_.Find(*tenure_, event_), nullptr);
}

TEST_F(RoomBookTest, ExpiredRoomIsNotToldAndIsTrimmed) {
  Register(Seconds(10));
  book_.Add(tenure_);
  loop_.Advance(Seconds(9));
  EXPECT_NE(book_.Find(*tenure_, event_), nullptr);
  loop_.Advance(Seconds(2));
  EXPECT_EQ(book_.Find(*tenure_, event_), nullptr);
  EXPECT_EQ(redis_.CountOf("room"), 0);
  loop_.Advance(RoomBook::kTrimEvery);
  EXPECT_EQ(redis_.CountOf("room"), 1);
}

TEST_F(RoomBookTest, PartitionThatIsGoneTellsNothing) {
  Register(Seconds(60));
  book_.Add(tenure_);
  loop_.RunReady();
  book_.Drop(tenure_);
  EXPECT_EQ(book_.Find(*tenure_, event_), nullptr);
  redis_.ForgetCalls();
  loop_.Advance(Seconds(3));
  EXPECT_EQ(redis_.CountOf("GET"), 0);
}

}  // namespace
}  // namespace relay
