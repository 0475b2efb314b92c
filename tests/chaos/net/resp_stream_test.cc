#include "tests/chaos/net/resp_stream.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay {
namespace {

using ::testing::AllOf;
using ::testing::AnyOf;
using ::testing::ElementsAreArray;
using ::testing::EndsWith;
using ::testing::IsEmpty;
using ::testing::StartsWith;

const std::vector<std::string> kReplies = {
    "+OK\r\n",    ":-12\r\n",    "$5\r\na\r\nbc\r\n",
    "$0\r\n\r\n", "$-1\r\n",     "*-1\r\n",
    "*0\r\n",     "-ERR no\r\n", "*2\r\n$3\r\nkey\r\n*3\r\n:1\r\n*0\r\n$-1\r\n",
    "+last\r\n",
};

TEST(RespStreamTest, RepliesAreWholeWhateverPiecesTheyComeIn) {
  std::string bytes;
  for (const std::string& reply : kReplies) bytes += reply;
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    RespStream stream;
    std::vector<std::string> whole;
    for (size_t at = 0; at < bytes.size(); at += piece) {
      ASSERT_TRUE(stream.Feed(std::string_view(bytes).substr(at, piece), &whole));
    }
    EXPECT_THAT(whole, ElementsAreArray(kReplies)) << piece;
  }
}

TEST(RespStreamTest, WhatIsNoReplyIsNotUnderstood) {
  for (const char* bytes : {"hello\r\n", "\r\n", "*x\r\n", "$1x\r\n"}) {
    RespStream stream;
    std::vector<std::string> whole;
    EXPECT_FALSE(stream.Feed(bytes, &whole)) << bytes;
    EXPECT_THAT(whole, IsEmpty());
  }
}

TEST(AnswerOrderTest, ARefusalWaitsForTheAnswersBeforeIt) {
  const RespError error{"err", "-ERR no\r\n"};
  AnswerOrder order;
  order.Refused(error);
  EXPECT_EQ(order.Due(), "-ERR no\r\n");
  EXPECT_EQ(order.Due(), "");
  order.Sent();
  order.Refused(error);
  order.Refused(error);
  order.Sent();
  EXPECT_EQ(order.Due(), "");
  order.Answered();
  EXPECT_EQ(order.Due(), "-ERR no\r\n-ERR no\r\n");
  order.Answered();
  EXPECT_EQ(order.Due(), "");
}

TEST(ReplyGarblerTest, ARefusalNeverBecomesAValue) {
  Random random(1);
  ReplyGarbler garbler(random);
  for (const char* reply : {"-ERR no\r\n", "$-1\r\n", "*-1\r\n"}) {
    for (int i = 0; i < 1000; ++i) {
      const GarbledReply garbled = garbler.Garble(reply);
      EXPECT_THAT(garbled.bytes, AnyOf(IsEmpty(), StartsWith("-"), StartsWith("\x7f"),
                                       StartsWith(std::string(reply).substr(0, 1))))
          << garbled.name;
    }
  }
}

TEST(ReplyGarblerTest, EachKindDoesWhatItSays) {
  using After = GarbledReply::After;
  Random random(1);
  ReplyGarbler garbler(random);
  const std::string reply = "$5\r\nhello\r\n";
  EXPECT_THAT(garbler.Garble(reply, GarbleKind::kError).bytes,
              AllOf(StartsWith("-"), EndsWith("\r\n")));
  EXPECT_THAT(garbler.Garble(reply, GarbleKind::kWrongType).bytes, StartsWith("*1"));
  EXPECT_EQ(garbler.Garble(":1\r\n", GarbleKind::kWrongType).bytes.front(), '*');
  EXPECT_EQ(garbler.Garble("*0\r\n", GarbleKind::kWrongType).bytes.front(), ':');
  const GarbledReply cut = garbler.Garble(reply, GarbleKind::kCut);
  EXPECT_LT(cut.bytes.size(), reply.size());
  EXPECT_EQ(cut.after, After::kReset);
  EXPECT_THAT(garbler.Garble(reply, GarbleKind::kNoise).bytes, StartsWith("\x7f"));
  EXPECT_GE(garbler.Garble(reply, GarbleKind::kDelay).delay, Millis(2500));
  const GarbledReply swallowed = garbler.Garble(reply, GarbleKind::kSwallow);
  EXPECT_EQ(swallowed.bytes, "");
  EXPECT_EQ(swallowed.after, After::kClose);
}

}  // namespace
}  // namespace relay
