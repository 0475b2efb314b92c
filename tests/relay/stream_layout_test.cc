#include "relay/stream_layout.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "relay/attempt_record.h"
#include "relay/event.h"

namespace relay {
namespace {

using testing::Contains;

// The values are Redis's own (CLUSTER KEYSLOT): another CRC would scatter a partition's keys.
TEST(StreamLayoutTest, SlotIsThatOfRedisCluster) {
  EXPECT_EQ(KeySlot("123456789"), 0x31C3);
  EXPECT_EQ(KeySlot("p01aa"), 1894);
}

TEST(StreamLayoutTest, PartitionsSpreadEvenlyOverAnyNumberOfMasters) {
  for (const int partitions : {1, 16, 64}) {
    std::set<std::string> tags;
    for (int i = 0; i < partitions; ++i) {
      const std::string tag = PartitionTag(i, partitions);
      EXPECT_EQ(KeySlot(tag) * partitions / 16384, i) << tag;
      tags.insert(tag);
    }
    EXPECT_EQ(tags.size(), static_cast<size_t>(partitions));
  }
}

TEST(StreamLayoutTest, KeysShareTheirPartitionsTag) {
  const PartitionKeys keys = PartitionKeys::For(3, 16);
  const std::string prefix = "relay:{" + keys.tag + "}:";
  for (const std::string& key : {keys.own, keys.normal, keys.ref, keys.Retries(7),
                                 keys.DeadLetters(7), keys.Claim("ab"), keys.AttemptLog("acme")}) {
    EXPECT_THAT(key, testing::StartsWith(prefix));
  }
  EXPECT_EQ(keys.Retries(7), prefix + "rz:7");
}

TEST(StreamLayoutTest, MemberIsValidated) {
  const Result<Member> member = Member::Parse("n1700000000123-4");
  ASSERT_TRUE(member.ok());
  EXPECT_EQ(member->entry_id(), "1700000000123-4");
  EXPECT_EQ(member->stored_ms(), 1700000000123);
  EXPECT_EQ(*member, Member(EventClass::kNormal, "1700000000123-4"));
  for (const char* text : {"", "n", "x1-1", "n1", "n1-", "n-1", "n1-1-1", "n12345678901234567890-1",
                           "n1-1 ", "n+1-1"}) {
    EXPECT_FALSE(Member::Parse(text).ok()) << text;
  }
}

TEST(StreamLayoutTest, ScoreHoldsDueTimeAndAttemptsExactly) {
  const int64_t score = ScoreOf(1'700'000'000'123, 63);
  EXPECT_EQ(static_cast<int64_t>(static_cast<double>(score)), score);
  EXPECT_EQ(DueOfScore(score), 1'700'000'000'123);
  EXPECT_EQ(AttemptsOfScore(score), 63);
}

// Scripts read these fields by name.
TEST(StreamLayoutTest, EventsAreWrittenUnderTheNamesThatScriptsRead) {
  RedisCommand command("XADD");
  AppendEventFields(Event{}, command);
  EXPECT_THAT(command.Args(), Contains(std::string(kBodyField)));
  EXPECT_THAT(command.Args(), Contains(std::string(kTenantField)));
}

TEST(AttemptRecordTest, RecordComesBackAsItWasWritten) {
  const std::string time("\x01\x8B\xCF\xE5\x68\x7B", 6);
  const std::string bytes = time + EncodeAttempt(AttemptOutcome::kRejected, 503, Millis(1234)) +
                            time +
                            EncodeAttempt(AttemptOutcome::kTimedOut, 0, std::chrono::hours(24));
  const auto history = DecodeHistory(bytes);
  ASSERT_TRUE(history.ok());
  ASSERT_EQ(history->size(), 2u);
  EXPECT_EQ((*history)[0],
            (AttemptRecord{1700000000123, AttemptOutcome::kRejected, 503, Millis(1234)}));
  EXPECT_EQ((*history)[1].latency, Millis((1 << 24) - 1));  // Capped.
}

TEST(AttemptRecordTest, BrokenHistoryIsRefused) {
  EXPECT_FALSE(DecodeHistory("short").ok());
  EXPECT_FALSE(DecodeHistory(std::string(12, '\0')).ok());
  EXPECT_FALSE(DecodeHistory(std::string(12, '\x7F')).ok());
}

TEST(AttemptRecordTest, LastRecordSaysTheReason) {
  const AttemptRecord failed{1, AttemptOutcome::kRejected, 500, Millis(1)};
  const AttemptRecord expired{2, AttemptOutcome::kExpired, 0, Millis(0)};
  EXPECT_EQ(ReasonOf({}), DeadLetterReason::kAttemptsExhausted);
  EXPECT_EQ(ReasonOf({expired, failed}), DeadLetterReason::kAttemptsExhausted);
  EXPECT_EQ(ReasonOf({failed, expired}), DeadLetterReason::kExpired);
}

TEST(AttemptRecordTest, ReasonsAreReadByTheirNames) {
  EXPECT_EQ(*ParseDeadLetterReason("endpoint_disabled"), DeadLetterReason::kEndpointDisabled);
  EXPECT_THAT(ParseDeadLetterReason("?").status().text(), testing::HasSubstr("final_status"));
}

}  // namespace
}  // namespace relay
