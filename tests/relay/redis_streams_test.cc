#include "relay/redis_streams.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "relay/stream_state.h"
#include "tests/support/partition_fixture.h"

namespace relay {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::UnorderedElementsAre;

using WriteKind = StreamWrite::Kind;

class RedisStreamsTest : public PartitionTest {
 protected:
  std::vector<std::string> Write(const std::vector<StreamWrite>& writes) {
    return Value(ParseWriteStreams(Run(WriteStreams(keys_, owner_, writes))));
  }
  std::map<std::string, std::string> HashOf(const RedisCommand& command) {
    const auto fields = Value(ParseHash(Ask(command)));
    return {fields.begin(), fields.end()};
  }
  int64_t NowMs() {
    const RedisValue time = Ask(RedisCommand("TIME"));
    return std::stoll(time.items[0].text) * 1000;
  }
};

TEST_F(RedisStreamsTest, StatesAndMediaAreKeptByStream) {
  const int64_t now = NowMs();
  Write({{WriteKind::kState, "s1", now, "first"},
         {WriteKind::kState, "s2", now, "other"},
         {WriteKind::kRecording, "s1", now, "17 http://r"},
         {WriteKind::kScreenshot, "s1", now, "18 http://c"},
         {WriteKind::kState, "s1", now, "second"}});
  EXPECT_THAT(HashOf(ReadStreams(keys_)),
              UnorderedElementsAre(Pair("s1", "second"), Pair("s2", "other")));
  EXPECT_THAT(HashOf(ReadStreamMedia(keys_)),
              UnorderedElementsAre(Pair("rs1", "17 http://r"), Pair("cs1", "18 http://c")));
  ExpectCleanBooks();
}

// The pending list is read again after a crash: an old recording must not cover a later one.
TEST_F(RedisStreamsTest, EarlierRecordingDoesNotCoverALaterOne) {
  const int64_t now = NowMs();
  Write({{WriteKind::kRecording, "s", now, "20 later"}});
  Write({{WriteKind::kRecording, "s", now, "9 earlier"},
         {WriteKind::kRecording, "s", now, "10 earlier"}});
  EXPECT_THAT(HashOf(ReadStreamMedia(keys_)), UnorderedElementsAre(Pair("rs", "20 later")));
}

TEST_F(RedisStreamsTest, StreamsThatNothingWasHeardOfAreForgotten) {
  const int64_t now = NowMs();
  const int64_t old = now - kStreamAgeMax.count() - 60'000;
  EXPECT_THAT(Write({{WriteKind::kState, "old", old, "x"},
                     {WriteKind::kRecording, "old", old, "1 u"},
                     {WriteKind::kState, "new", now, "x"}}),
              ElementsAre("old"));
  EXPECT_THAT(HashOf(ReadStreams(keys_)), UnorderedElementsAre(Pair("new", "x")));
  EXPECT_THAT(HashOf(ReadStreamMedia(keys_)), IsEmpty());
  EXPECT_EQ(Length("ZCARD", keys_.stream_age), 1);
}

TEST_F(RedisStreamsTest, WhatWasHeardOfLongestAgoGoesWhenThereAreTooMany) {
  const int64_t now = NowMs();
  std::vector<StreamWrite> writes;
  for (int i = 0; i < kStreamsMax; ++i) {
    writes.push_back({WriteKind::kState, "s" + std::to_string(i), now - kStreamsMax + i, "x"});
    if (writes.size() < kStreamWritesMax) continue;
    EXPECT_THAT(Write(std::exchange(writes, {})), IsEmpty());
  }
  EXPECT_THAT(
      Write({{WriteKind::kState, "s0", now, "again"}, {WriteKind::kState, "one more", now, "x"}}),
      ElementsAre("s1"));
  EXPECT_EQ(Length("HLEN", keys_.streams), kStreamsMax);
  EXPECT_EQ(Length("ZCARD", keys_.stream_age), kStreamsMax);
}

TEST_F(RedisStreamsTest, OnlyTheOwnerWrites) {
  const OwnerToken former = owner_;
  owner_ = Owner("boot-1");
  const StreamWrite write{WriteKind::kState, "s", NowMs(), "x"};
  EXPECT_EQ(ParseWriteStreams(Run(WriteStreams(keys_, former, {&write, 1}))).status().code(),
            StatusCode::kConflict);
  EXPECT_THAT(HashOf(ReadStreams(keys_)), IsEmpty());
}

class RoomsTest : public RedisStreamsTest {
 protected:
  static RoomRegistration RoomOf(const std::string& code, Millis ttl = Seconds(60)) {
    return {RoomKey("acme", code), {"room " + code, "user", "main", 0}, ttl};
  }
  Result<RoomsReply> Register(const std::vector<RoomRegistration>& rooms) {
    return ParseRooms(Run(RegisterRooms(keys_, rooms)));
  }
  int64_t Version() { return Value(ParseRoomVersion(Ask(ReadRoomVersion(keys_)))); }
};

TEST_F(RoomsTest, RegisteredRoomIsReadBackWithItsExpiry) {
  EXPECT_EQ(Version(), 0);
  EXPECT_EQ(Value(Register({RoomOf("8888_ab")})).rooms, 1);
  EXPECT_EQ(Version(), 1);
  const auto rooms = HashOf(ReadRooms(keys_));
  ASSERT_EQ(rooms.size(), 1u);
  const RegisteredRoom room = Value(DecodeRoom(rooms.at("acme/8888_ab")));
  EXPECT_EQ(room.room, "room 8888_ab");
  EXPECT_EQ(room.user, "user");
  EXPECT_EQ(room.type, "main");
  EXPECT_NEAR(static_cast<double>(room.expires_ms), static_cast<double>(NowMs() + 60'000), 5000);
}

TEST_F(RoomsTest, RegisteringAgainReplacesAndUnregisteringForgets) {
  Value(Register({RoomOf("a")}));
  RoomRegistration other = RoomOf("a");
  other.room.user = "another";
  EXPECT_EQ(Value(Register({other})).rooms, 1);
  EXPECT_EQ(Value(DecodeRoom(HashOf(ReadRooms(keys_)).at("acme/a"))).user, "another");
  const std::string key = RoomKey("acme", "a");
  EXPECT_EQ(Value(ParseRooms(Run(DropRooms(keys_, {&key, 1})))).changed, 1);
  EXPECT_EQ(Value(ParseRooms(Run(DropRooms(keys_, {&key, 1})))).changed, 0);
  EXPECT_EQ(Version(), 3);
  EXPECT_EQ(Length("ZCARD", keys_.room_expiry), 0);
}

TEST_F(RoomsTest, ExpiredRoomsMakePlace) {
  Value(Register({RoomOf("a", Millis(1))}));
  const auto is_gone = [this] { return Value(ParseRooms(Run(TrimRooms(keys_)))).rooms == 0; };
  while (!is_gone()) {
  }
  EXPECT_EQ(Version(), 2);
  EXPECT_THAT(HashOf(ReadRooms(keys_)), IsEmpty());
}

TEST_F(RoomsTest, FullPartitionRefusesNewRoomsAndTakesKnownOnes) {
  std::vector<RoomRegistration> rooms;
  for (int i = 0; i < kRoomsMax; ++i) {
    rooms.push_back(RoomOf(std::to_string(i)));
    if (rooms.size() == kRoomChangesMax) Value(Register(std::exchange(rooms, {})));
  }
  const Result<RoomsReply> full = Register({RoomOf("one more"), RoomOf("0")});
  ASSERT_FALSE(full.ok());
  EXPECT_EQ(full.status().code(), StatusCode::kConflict);
  EXPECT_EQ(full.status().text(), "FULL of 10000 rooms 10000 are taken");
  EXPECT_EQ(Length("HLEN", keys_.rooms), kRoomsMax);
  EXPECT_TRUE(Register({RoomOf("0"), RoomOf("0")}).ok());
}

TEST(RegisteredRoomTest, RefusesWhatItDoesNotWrite) {
  const std::string good = "17 " + EncodeRoom({"1:2", "u ser", "aux", 0});
  const Result<RegisteredRoom> room = DecodeRoom(good);
  ASSERT_TRUE(room.ok());
  EXPECT_EQ(*room, (RegisteredRoom{"1:2", "u ser", "aux", 17}));
  for (size_t cut = 0; cut < good.size(); ++cut) EXPECT_FALSE(DecodeRoom(good.substr(0, cut)).ok());
}

}  // namespace
}  // namespace relay
