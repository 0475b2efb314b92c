#include "relay/redis_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace relay {
namespace {

using ::testing::ElementsAre;

class RedisReaderTest : public ::testing::Test {
 protected:
  // Every reply that has come whole.
  std::vector<std::string> ReadAll() {
    std::vector<std::string> replies;
    while (RedisValue* reply = reader_.Next().value()) replies.push_back(DebugString(*reply));
    return replies;
  }

  RedisReader reader_;
};

TEST_F(RedisReaderTest, EveryShapeIsReadInPieces) {
  std::vector<std::string> replies;
  for (const char byte :
       std::string("+OK\r\n$3\r\nabc\r\n:7\r\n$-1\r\n*2\r\n:1\r\n*1\r\n$1\r\nx\r\n-ERR\r\n")) {
    ASSERT_TRUE(reader_.Feed({&byte, 1}).ok());
    for (std::string& reply : ReadAll()) replies.push_back(std::move(reply));
  }
  EXPECT_THAT(replies, ElementsAre("OK", "abc", "7", "(nil)", "[1, [x]]", "ERR"));
}

// What one reply leaves in place is memory for the next, and never a part of it.
TEST_F(RedisReaderTest, NothingOfAReplyIsSeenInTheNext) {
  ASSERT_TRUE(reader_.Feed("*1\r\n:1\r\n$6\r\nlonger\r\n$1\r\nx\r\n:7\r\n$-1\r\n").ok());
  for (const RedisValue& wanted :
       {RedisValue::Array({RedisValue::Integer(1)}), RedisValue::Text("longer"),
        RedisValue::Text("x"), RedisValue::Integer(7), RedisValue::Nil()}) {
    EXPECT_EQ(**reader_.Next(), wanted);
  }
}

TEST_F(RedisReaderTest, AReplyMayBeTakenAway) {
  ASSERT_TRUE(reader_.Feed("*1\r\n$1\r\nx\r\n*1\r\n$1\r\ny\r\n").ok());
  const RedisValue first = std::move(**reader_.Next());
  EXPECT_THAT(ReadAll(), ElementsAre("[y]"));
  EXPECT_EQ(DebugString(first), "[x]");
}

TEST_F(RedisReaderTest, WhatIsNoReplyIsRefusedForGood) {
  ASSERT_TRUE(reader_.Feed("+OK\r\nHTTP/1.1 400\r\n").ok());
  EXPECT_EQ(DebugString(**reader_.Next()), "OK");
  EXPECT_FALSE(reader_.Next().ok());
  EXPECT_FALSE(reader_.Feed("+OK\r\n").ok());
}

}  // namespace
}  // namespace relay
