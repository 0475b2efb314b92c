#include "relay/stream_code.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay {
namespace {

using testing::HasSubstr;

const RoomStream kCamera{"293710", "14y2l2c", RoomStreamType::kMain};
const RoomStream kScreen{"293710", "14y2l2c", RoomStreamType::kAux};
constexpr char kCameraCode[] = "8888_81265058829fd2e50c8ec2ac78d55127";

TEST(StreamCodeTest, HashedCodesAreThoseOfTheProvidersPages) {
  EXPECT_EQ(HashedStreamCode("8888", kCamera), kCameraCode);
  EXPECT_EQ(HashedStreamCode("8888", kScreen), "8888_65c744266708432b5b764274cf9eb5fe");
  EXPECT_EQ(HashedStreamCode("1234", {"12345", "userA", RoomStreamType::kMain}),
            "1234_8d0261436c375bb0dea901d86d7d70e8");
}

// printf '房间_用户_main' | md5sum
TEST(StreamCodeTest, RoomsAndUsersAreHashedInUtf8) {
  EXPECT_EQ(HashedStreamCode("1", {"房间", "用户", RoomStreamType::kMain}),
            "1_8250255166ae35ae82d2207a45491149");
}

TEST(StreamCodeTest, HashedCodeIsRightInEitherCase) {
  EXPECT_TRUE(CheckHashedStreamCode(kCameraCode, "8888", kCamera).ok());
  // As the provider's pages print it.
  EXPECT_TRUE(CheckHashedStreamCode("1234_8D0261436C375BB0DEA901D86D7D70E8", "1234",
                                    {"12345", "userA", RoomStreamType::kMain})
                  .ok());
}

TEST(StreamCodeTest, WrongBizidIsNamed) {
  const Status status = CheckHashedStreamCode(kCameraCode, "9999", kCamera);
  EXPECT_EQ(status.text(), "the code's BIZID is 8888, not 9999");
  EXPECT_FALSE(CheckBizid(kCameraCode, "888").ok());
  EXPECT_FALSE(CheckBizid("8888", "8888").ok());
  EXPECT_FALSE(CheckBizid("show", "8888").ok());
  EXPECT_TRUE(CheckBizid("8888_show", "8888").ok());
}

TEST(StreamCodeTest, WrongStreamIsToldWithTheCodeThatItShouldHave) {
  const Status other =
      CheckHashedStreamCode(kCameraCode, "8888", {"293710", "somebody", RoomStreamType::kMain});
  EXPECT_THAT(other.text(), HasSubstr("not that of room 293710, user somebody, type main"));
  EXPECT_THAT(other.text(), HasSubstr("expected 8888_"));
  const Status screen = CheckHashedStreamCode(kCameraCode, "8888", kScreen);
  EXPECT_THAT(screen.text(), HasSubstr("but of type main"));
}

TEST(StreamCodeTest, HashedCodeIsTakenApart) {
  const std::optional<HashedCode> parts = ParseHashedStreamCode(kCameraCode);
  ASSERT_TRUE(parts);
  EXPECT_EQ(parts->bizid, "8888");
  EXPECT_EQ(parts->digest, "81265058829fd2e50c8ec2ac78d55127");
  EXPECT_FALSE(ParseHashedStreamCode("8888_show"));
  EXPECT_FALSE(ParseHashedStreamCode("x_81265058829fd2e50c8ec2ac78d55127"));
  EXPECT_FALSE(ParseHashedStreamCode("_81265058829fd2e50c8ec2ac78d55127"));
  EXPECT_FALSE(ParseHashedStreamCode("12345678_12345_userA_main"));
  EXPECT_FALSE(ParseHashedStreamCode(""));
}

TEST(StreamCodeTest, PlainCodeIsThatOfTheProvidersPages) {
  EXPECT_EQ(PlainStreamCode("12345678", {"12345", "userA", RoomStreamType::kMain}),
            "12345678_12345_userA_main");
}

TEST(StreamCodeTest, PlainCodeIsEncodedAndReadBack) {
  const RoomStream stream{"a room/#1", "用户", RoomStreamType::kAux};
  const std::string code = PlainStreamCode("1400000001", stream);
  EXPECT_EQ(code, "1400000001_a%20room%2F%231_%E7%94%A8%E6%88%B7_aux");
  const Result<PlainCode> parts = ParsePlainStreamCode(code);
  ASSERT_TRUE(parts.ok()) << parts.status().text();
  EXPECT_EQ(parts->sdkappid, "1400000001");
  EXPECT_EQ(parts->stream, stream);
  EXPECT_FALSE(parts->ambiguous);
}

// The room is the shortest there can be, because numbered rooms have no '_' and users may.
TEST(StreamCodeTest, UnderscoresInRoomOrUserAreReportedAsAmbiguous) {
  struct {
    const char* code;
    const char* room;
    const char* user;
    bool ambiguous;
  } const cases[] = {{"1_room_user_main", "room", "user", false},
                     {"1_room_my_user_main", "room", "my_user", true},
                     {"1_room_main_main", "room", "main", false},
                     // Neither may be empty, so that there is one reading.
                     {"1_room_user__main", "room", "user_", false},
                     {"1__room_user_main", "_room", "user", false},
                     {"1_room__user_main", "room", "_user", true}};
  for (const auto& expected : cases) {
    const Result<PlainCode> parts = ParsePlainStreamCode(expected.code);
    ASSERT_TRUE(parts.ok()) << expected.code << ": " << parts.status().text();
    EXPECT_EQ(parts->stream.room, expected.room) << expected.code;
    EXPECT_EQ(parts->stream.user, expected.user) << expected.code;
    EXPECT_EQ(parts->ambiguous, expected.ambiguous) << expected.code;
  }
}

TEST(StreamCodeTest, WhatIsNoPlainCodeIsRefused) {
  for (const char* code :
       {"", "_", "1", "1_", "1_main", "1_room_main", "1__main", "1___main", "1_room__main",
        "x_room_user_main", "_room_user_main", "1_room_user_camera", "1_room_user_main_",
        "1_room_us%4_main", "1_room_us%zz_main", "1_room_%FF_main",
        "123456789012345678901_room_user_main", kCameraCode}) {
    EXPECT_FALSE(ParsePlainStreamCode(code).ok()) << code;
  }
}

TEST(StreamCodeTest, PlainCodeIsRightHoweverItWasEncoded) {
  const RoomStream stream{"a~b", "my_user", RoomStreamType::kMain};
  EXPECT_TRUE(CheckPlainStreamCode("1_a~b_my_user_main", "1", stream).ok());
  EXPECT_TRUE(CheckPlainStreamCode("1_a%7eb_my%5Fuser_main", "1", stream).ok());
  // A room that begins with the separator is still itself.
  EXPECT_TRUE(CheckPlainStreamCode("1__a_b_main", "1", {"_a", "b", RoomStreamType::kMain}).ok());
  EXPECT_EQ(CheckPlainStreamCode("2_a~b_my_user_main", "1", stream).text(),
            "the code's sdkappid is 2, not 1");
  EXPECT_THAT(CheckPlainStreamCode("1_a~b_my_user_aux", "1", stream).text(),
              HasSubstr("but of type aux: expected 1_a%7Eb_my_user_main"));
  EXPECT_THAT(CheckPlainStreamCode("1_other_my_user_main", "1", stream).text(),
              HasSubstr("is not that of room a~b, user my_user, type main"));
}

TEST(StreamCodeTest, RoomsAndUsersAreTextThatIsThere) {
  EXPECT_FALSE(CheckRoomStream({"", "user", RoomStreamType::kMain}).ok());
  EXPECT_FALSE(CheckRoomStream({"room", "", RoomStreamType::kMain}).ok());
  EXPECT_FALSE(CheckRoomStream({"\xFF", "user", RoomStreamType::kMain}).ok());
  EXPECT_TRUE(CheckRoomStream(kCamera).ok());
}

TEST(StreamCodeTest, CustomStreamIdHas64BytesAtMost) {
  EXPECT_TRUE(CheckCustomStreamId(std::string(64, 'x')).ok());
  EXPECT_THAT(CheckCustomStreamId(std::string(65, 'x')).text(), HasSubstr("65 bytes"));
  // Bytes, not characters.
  EXPECT_FALSE(CheckCustomStreamId("流流流流流流流流流流流流流流流流流流流流流流").ok());
  EXPECT_FALSE(CheckCustomStreamId("").ok());
  EXPECT_FALSE(CheckCustomStreamId("\xC3").ok());
}

}  // namespace
}  // namespace relay
