#include "relay/event.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace relay {
namespace {

Event Sample() {
  Event event;
  DeriveEventId("demo", "key", event.id);
  event.source = "demo";
  event.tenant = "acme";
  event.type = "100";
  event.ordering_key = "stream_1";
  event.headers = "content-type: application/json\n";
  event.body = std::string("{\"a\":\"\r\n\0\xff\"}", 12);
  event.catalog_version = 7;
  event.accepted_us = 1703732078000001;
  event.window_ms = 1800000;
  return event;
}

// What Redis gives back for the fields of an XADD.
RedisValue StoredFields(const Event& event) {
  RedisCommand command("XADD");
  AppendEventFields(event, command);
  std::vector<RedisValue> items;
  for (const std::string& arg : command.Args()) items.push_back(RedisValue::Text(arg));
  items.erase(items.begin());  // The verb.
  return RedisValue::Array(std::move(items));
}

TEST(EventTest, ComesBackFromItsStreamFieldsByteForByte) {
  const Result<Event> back = DecodeEventFields(StoredFields(Sample()));
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_EQ(*back, Sample());
}

TEST(EventTest, FieldsOfALaterVersionArePassedOver) {
  RedisValue fields = StoredFields(Sample());
  fields.items.insert(fields.items.begin(), {RedisValue::Text("new"), RedisValue::Text("x")});
  const Result<Event> back = DecodeEventFields(fields);
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_EQ(*back, Sample());
}

TEST(EventTest, AnEntryThatLacksAFieldIsAnErrorThatNamesIt) {
  RedisValue fields = StoredFields(Sample());
  fields.items.erase(fields.items.begin(), fields.items.begin() + 2);
  EXPECT_EQ(DecodeEventFields(fields).status().text(), "stream entry lacks the field ten");
  EXPECT_FALSE(DecodeEventFields(RedisValue::Nil()).ok());
  EXPECT_FALSE(DecodeEventFields(RedisValue::Array({RedisValue::Text("id")})).ok());
}

TEST(EventTest, AttributesThatAreNoneAreAnError) {
  RedisValue fields = StoredFields(Sample());
  std::string& attributes = fields.items[3].text;
  const std::string good = attributes;
  const size_t line_end = good.find('\n');
  ASSERT_NE(line_end, std::string::npos);
  // Cut off anywhere, from nothing to all but its last byte.
  for (size_t size = 0; size < good.size(); ++size) {
    attributes = good.substr(0, size);
    EXPECT_FALSE(DecodeEventFields(fields).ok()) << attributes;
  }
  attributes = "9999999999" + good;  // A length beyond the end.
  EXPECT_FALSE(DecodeEventFields(fields).ok());
  attributes = "-" + good;
  EXPECT_FALSE(DecodeEventFields(fields).ok());
  attributes = good;
  attributes[line_end] = ' ';
  EXPECT_FALSE(DecodeEventFields(fields).ok());
  attributes = good;
  EXPECT_TRUE(DecodeEventFields(fields).ok());
}

// A sector of the append-only file that never reached the disk reads as zeros.
TEST(EventTest, AnEntryWithAHoleInItIsAnError) {
  Event event = Sample();
  event.body = std::string(2000, 'x');
  const RedisValue whole = StoredFields(event);
  ASSERT_TRUE(DecodeEventFields(whole).ok());
  for (size_t i = 1; i < whole.items.size(); i += 2) {
    RedisValue holed = whole;
    std::string& value = holed.items[i].text;
    for (size_t at = value.size() / 2; at < std::min(value.size(), value.size() / 2 + 512); ++at) {
      value[at] = '\0';
    }
    EXPECT_FALSE(DecodeEventFields(holed).ok()) << whole.items[i - 1].text;
  }
}

std::string IdOf(std::string_view source, std::string_view dedupe_key) {
  std::string id;
  DeriveEventId(source, dedupe_key, id);
  return id;
}

// The id is the webhook-id that receivers keep: it must never change between versions.
TEST(EventIdTest, IsStableForEver) {
  EXPECT_EQ(IdOf("demo", "key"), "d29d6be9ccb8d3320255a13a02da1a83");
}

TEST(EventIdTest, NoTwoPairsRunTogether) {
  EXPECT_EQ(IdOf("demo", "key"), IdOf("demo", "key"));
  EXPECT_NE(IdOf("demo", "key"), IdOf("demok", "ey"));
  EXPECT_NE(IdOf("demo", "key"), IdOf("demo2", "key"));
}

// Where an event lives is part of the data model: it must never change either.
TEST(PartitionTest, IsStableForEver) {
  EXPECT_EQ(PartitionOf("acme", "stream_1", "id", 16), 6);
  EXPECT_EQ(PartitionOf("acme", "", "id", 16), 10);
}

TEST(PartitionTest, FollowsTheStreamAndWithoutOneTheEvent) {
  EXPECT_EQ(PartitionOf("acme", "s", "a", 64), PartitionOf("acme", "s", "b", 64));
  std::set<int> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(PartitionOf("acme", "", std::to_string(i), 16));
  EXPECT_EQ(seen.size(), 16u);
}

TEST(PartitionTest, SpreadsTheStreamsOfATenantEvenly) {
  std::vector<int> count(16);
  for (int i = 0; i < 16000; ++i) ++count[PartitionOf("acme", "s" + std::to_string(i), "", 16)];
  for (const int n : count) EXPECT_NEAR(n, 1000, 150);
}

}  // namespace
}  // namespace relay
