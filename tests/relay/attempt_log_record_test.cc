#include "relay/attempt_log_record.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/random.h"

namespace relay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

AttemptLogRecord Failure() {
  AttemptLogRecord record;
  record.event_id = "0123456789abcdef0123456789abcdef";
  record.endpoint = 123456;
  record.attempt = 3;
  record.at_ms = 1'767'225'600'123;
  record.outcome = AttemptOutcome::kRejected;
  record.fate = AttemptFate::kRetry;
  record.status = 502;
  record.times = {Micros(1200), Micros(20'000), Micros(41'000), Micros(150'000), Micros(212'345)};
  record.due_ms = record.at_ms + 30'000;
  record.answer = std::string("bad\0gateway\xFF\x1B[31m", 17);
  return record;
}

AttemptLogRecord Success() {
  AttemptLogRecord record;
  record.event_id = "not-32-hex-digits";
  record.endpoint = 1;
  record.at_ms = 1'767'225'600'000;
  record.status = 200;
  record.connection_reused = true;
  record.times.total = Micros(900);
  record.answer = "{\"code\":0}";
  return record;
}

std::string EntryOf(const std::vector<AttemptLogRecord>& records) {
  std::string entry;
  for (const AttemptLogRecord& record : records) AppendAttempt(record, entry);
  return entry;
}

TEST(AttemptLogRecordTest, WhatIsWrittenIsReadBack) {
  AttemptLogRecord unsent;
  unsent.event_id = std::string(32, 'F');  // Upper case: not packed.
  unsent.attempt = 0;
  unsent.outcome = AttemptOutcome::kEndpointDisabled;
  unsent.fate = AttemptFate::kDead;
  unsent.why = "the endpoint is disabled";
  const auto read = DecodeAttempts(EntryOf({Failure(), Success(), unsent}));
  ASSERT_TRUE(read.ok()) << read.status().text();
  EXPECT_THAT(*read, ElementsAre(Failure(), Success(), unsent));
}

TEST(AttemptLogRecordTest, ASuccessIsSmall) {
  AttemptLogRecord success = Success();
  success.event_id = Failure().event_id;
  EXPECT_LE(EntryOf({success}).size(), 60u);
}

TEST(AttemptLogRecordTest, LongTextsAreCutAndItIsSaid) {
  AttemptLogRecord record = Failure();
  record.event_id = std::string(500, 'i');
  record.why = std::string(500, 'w');
  record.answer = std::string(5000, 'a');
  const std::string entry = EntryOf({record});
  EXPECT_LE(entry.size(), kAttemptLogRecordBytesMax + 1);
  auto read = DecodeAttempts(entry);
  ASSERT_TRUE(read.ok()) << read.status().text();
  EXPECT_EQ(read->at(0).answer, std::string(AttemptLogRecord::kAnswerMax, 'a'));
  EXPECT_TRUE(read->at(0).answer_cut);
  EXPECT_EQ(read->at(0).why.size(), AttemptLogRecord::kWhyMax);
  EXPECT_EQ(read->at(0).event_id.size(), AttemptLogRecord::kIdMax);

  record.outcome = AttemptOutcome::kAccepted;
  read = DecodeAttempts(EntryOf({record}));
  ASSERT_TRUE(read.ok());
  EXPECT_EQ(read->at(0).answer.size(), AttemptLogRecord::kAcceptedAnswerMax);
}

TEST(AttemptLogRecordTest, NumbersBeyondTheirRangeAreHeldWithinIt) {
  AttemptLogRecord record = Failure();
  record.times.total = Micros::max();
  record.times.dns = Micros(-5);
  record.due_ms = record.at_ms - 1000;
  const auto read = DecodeAttempts(EntryOf({record}));
  ASSERT_TRUE(read.ok()) << read.status().text();
  EXPECT_EQ(read->at(0).times.dns, Micros(0));
  EXPECT_EQ(read->at(0).due_ms, record.at_ms);
}

// Whatever a power cut or a foreign hand leaves in Redis must not be taken for an attempt.
TEST(AttemptLogRecordTest, NoBeginningOfAnEntryIsTakenForAWholeOne) {
  const std::string entry = EntryOf({Failure(), Success()});
  const size_t first = EntryOf({Failure()}).size();
  for (size_t length = 0; length < entry.size(); ++length) {
    const auto read = DecodeAttempts(std::string_view(entry).substr(0, length));
    EXPECT_EQ(read.ok(), length == first) << length;
  }
}

TEST(AttemptLogRecordTest, GarbledBytesAreRefusedOrReadWithinTheirBounds) {
  const std::string entry = EntryOf({Failure(), Success()});
  Random random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string garbled = entry;
    for (int i = 0; i <= round % 4; ++i) {
      garbled[random.Next() % garbled.size()] = static_cast<char>(random.Next());
    }
    const auto read = DecodeAttempts(garbled);
    if (!read.ok()) continue;
    for (const AttemptLogRecord& record : *read) {
      EXPECT_LE(record.answer.size(), AttemptLogRecord::kAnswerMax);
      EXPECT_NE(AttemptOutcomeName(record.outcome), "unknown");
      EXPECT_NE(AttemptFateName(record.fate), "unknown");
    }
  }
}

TEST(AttemptLogRecordTest, WhatAppendWouldNotHaveWrittenIsRefused) {
  const std::string entry = EntryOf({Success()});
  EXPECT_THAT(DecodeAttempts("\x02" + entry.substr(1)).status().text(), HasSubstr("version 2"));
  std::string no_fate = entry;
  no_fate[2] = 0;
  EXPECT_FALSE(DecodeAttempts(no_fate).ok());
  std::string unknown_flag = entry;
  unknown_flag[2] = static_cast<char>(unknown_flag[2] | 0x80);
  EXPECT_FALSE(DecodeAttempts(unknown_flag).ok());
  std::string longer = entry + "x";
  EXPECT_FALSE(DecodeAttempts(longer).ok());
  // A number in two bytes that one would hold.
  const std::string two_byte_length = {entry[0], static_cast<char>(entry[1] | 0x80), 0};
  EXPECT_FALSE(DecodeAttempts(two_byte_length + entry.substr(2)).ok());
}

}  // namespace
}  // namespace relay
