#include "relay/unrouted_event.h"

#include <gtest/gtest.h>

#include "relay/refusal_record.h"
#include "relay/stream_layout.h"

namespace relay {
namespace {

// What Redis gives back for an XADD: the fields behind the id "*".
RedisValue StoredFields(const RedisCommand& command) {
  std::vector<RedisValue> items;
  bool behind_id = false;
  for (const std::string& arg : command.Args()) {
    if (behind_id) items.push_back(RedisValue::Text(arg));
    if (arg == "*") behind_id = true;
  }
  return RedisValue::Array(std::move(items));
}

TEST(UnroutedEventTest, ComesBackWithWhatItsRoutingNeeds) {
  UnroutedEvent unrouted;
  unrouted.event.id = "0123";
  unrouted.event.source = "demo";
  unrouted.event.body = "{\"a\":1}";
  unrouted.attributes = {"push.example", "1234", "8888_1", "tenant=acme"};
  const RedisCommand command = KeepUnrouted(unrouted.event, unrouted.attributes);
  EXPECT_EQ(command.Args()[1], kUnroutedKey);
  EXPECT_EQ(command.Args()[2], "MAXLEN");
  const Result<UnroutedEvent> back = DecodeUnrouted(StoredFields(command));
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_EQ(*back, unrouted);
  EXPECT_FALSE(DecodeUnrouted(RedisValue::Nil()).ok());
}

TEST(RefusalRecordTest, ComesBackAsItWasKept) {
  const RefusalRecord refusal = {"demo", "forged", "wrong key", "10.0.0.1", 403, 1767225600000};
  const RedisCommand command = KeepRefusal(refusal);
  EXPECT_EQ(command.Args()[1], kRefusedKey);
  const Result<RefusalRecord> back = DecodeRefusal(StoredFields(command));
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_EQ(*back, refusal);
}

TEST(RefusalRecordTest, WhatIsNoRefusalIsAnError) {
  EXPECT_FALSE(DecodeRefusal(RedisValue::Nil()).ok());
  EXPECT_FALSE(DecodeRefusal(RedisValue::Array({})).ok());
  EXPECT_FALSE(DecodeRefusal(RedisValue::Array({RedisValue::Text("reason")})).ok());
  EXPECT_FALSE(DecodeRefusal(RedisValue::Array({RedisValue::Text("reason"), RedisValue::Text("x"),
                                                RedisValue::Text("at"), RedisValue::Text("1x")}))
                   .ok());
}

}  // namespace
}  // namespace relay
