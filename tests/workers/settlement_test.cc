#include "workers/settlement.h"

#include <gtest/gtest.h>

namespace relay {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr AttemptOutcome kRetriedOutcomes[] = {
    AttemptOutcome::kRejected, AttemptOutcome::kOverloaded,  AttemptOutcome::kAckMissing,
    AttemptOutcome::kTimedOut, AttemptOutcome::kUnreachable, AttemptOutcome::kTlsFailed,
    AttemptOutcome::kBlocked,  AttemptOutcome::kTooLarge,
};

class SettlementTest : public ::testing::Test {
 protected:
  SettlementTest() {
    endpoint_.retry_schedule = DefaultRetrySchedule();
    endpoint_.retry_jitter = 0;
    facts_.accepted = WallTime(seconds(1'700'000'000));
    facts_.now = facts_.accepted;
    facts_.outcome = AttemptOutcome::kTimedOut;
  }

  AttemptSettlement Decide() { return DecideSettlement(endpoint_, facts_, random_); }
  Millis DelayAfter(int attempts_made) {
    facts_.attempts_made = attempts_made;
    return std::get<RetryAfter>(Decide()).delay;
  }

  Endpoint endpoint_;
  AttemptFacts facts_;
  Random random_{7};
};

TEST_F(SettlementTest, AnAcceptedDeliveryIsAcknowledged) {
  facts_.outcome = AttemptOutcome::kAccepted;
  EXPECT_EQ(Decide(), AttemptSettlement(Acknowledge{}));
}

TEST_F(SettlementTest, WithoutJitterTheScheduleIsFollowedToTheLetter) {
  const auto& schedule = DefaultRetrySchedule();
  for (size_t i = 0; i < schedule.size(); ++i) {
    EXPECT_EQ(DelayAfter(int(i) + 1), schedule[i]) << i;
  }
}

TEST_F(SettlementTest, AFailureBeyondTheScheduleIsADeadLetter) {
  facts_.attempts_made = int(DefaultRetrySchedule().size()) + 1;
  EXPECT_EQ(Decide(), AttemptSettlement(DeadLetter{DeadLetterReason::kAttemptsExhausted}));
  facts_.attempts_made = 63;
  EXPECT_EQ(Decide(), AttemptSettlement(DeadLetter{DeadLetterReason::kAttemptsExhausted}));
}

TEST_F(SettlementTest, AttemptsEndTheScheduleSoonerOrRepeatItsLastDelay) {
  endpoint_.retry_schedule = {seconds(1), seconds(5)};
  endpoint_.retry_attempts = 2;
  EXPECT_EQ(DelayAfter(1), seconds(1));
  facts_.attempts_made = 2;
  EXPECT_EQ(Decide(), AttemptSettlement(DeadLetter{DeadLetterReason::kAttemptsExhausted}));
  endpoint_.retry_attempts = 6;
  EXPECT_EQ(DelayAfter(2), seconds(5));
  EXPECT_EQ(DelayAfter(5), seconds(5));
  facts_.attempts_made = 6;
  EXPECT_EQ(Decide(), AttemptSettlement(DeadLetter{DeadLetterReason::kAttemptsExhausted}));
}

TEST_F(SettlementTest, EveryFailureThatMayPassIsRetried) {
  for (AttemptOutcome outcome : kRetriedOutcomes) {
    facts_.outcome = outcome;
    EXPECT_EQ(Decide(), AttemptSettlement(RetryAfter{seconds(1)})) << AttemptOutcomeName(outcome);
  }
}

TEST_F(SettlementTest, AFinalStatusAndAGoneEndpointDieAtOnce) {
  facts_.outcome = AttemptOutcome::kFinalStatus;
  EXPECT_EQ(Decide(), AttemptSettlement(DeadLetter{DeadLetterReason::kFinalStatus}));
  facts_.outcome = AttemptOutcome::kGone;
  EXPECT_EQ(Decide(), AttemptSettlement(DeadLetter{DeadLetterReason::kGone}));
}

TEST_F(SettlementTest, OnlyGoneDisablesTheEndpoint) {
  EXPECT_TRUE(DisablesEndpoint(AttemptOutcome::kGone));
  EXPECT_FALSE(DisablesEndpoint(AttemptOutcome::kFinalStatus));
  for (AttemptOutcome outcome : kRetriedOutcomes) EXPECT_FALSE(DisablesEndpoint(outcome));
}

TEST_F(SettlementTest, ABlockedAddressKeepsItsNameWhenRetriesAreOut) {
  facts_.outcome = AttemptOutcome::kBlocked;
  facts_.attempts_made = 11;
  EXPECT_EQ(Decide(), AttemptSettlement(DeadLetter{DeadLetterReason::kBlocked}));
}

TEST_F(SettlementTest, JitterStaysWithinItsShareAndReachesBothSides) {
  endpoint_.retry_jitter = 0.2;
  endpoint_.retry_schedule = {seconds(10)};
  Millis lowest = hours(1);
  Millis highest{0};
  for (int i = 0; i < 10000; ++i) {
    const Millis delay = DelayAfter(1);
    ASSERT_GE(delay, Millis(8000));
    ASSERT_LE(delay, Millis(12000));
    lowest = std::min(lowest, delay);
    highest = std::max(highest, delay);
  }
  EXPECT_LT(lowest, Millis(8050));
  EXPECT_GT(highest, Millis(11950));
}

// One draw a delay, in this form: whoever changes how jitter is drawn sees it here.
TEST_F(SettlementTest, ASeedReplaysItsDelays) {
  endpoint_.retry_jitter = 0.2;
  Random expected(7);
  for (int attempt = 1; attempt <= 10; ++attempt) {
    const Millis planned = DefaultRetrySchedule()[attempt - 1];
    const double factor = 1.0 + 0.2 * (2.0 * expected.Unit() - 1.0);
    EXPECT_EQ(DelayAfter(attempt), Millis(int64_t(double(planned.count()) * factor))) << attempt;
  }
}

TEST_F(SettlementTest, FullJitterNeverMakesANegativeDelay) {
  endpoint_.retry_jitter = 1.0;
  for (int i = 0; i < 1000; ++i) EXPECT_GE(DelayAfter(1), Millis(0));
}

TEST_F(SettlementTest, AnAbsurdScheduleDoesNotOverflow) {
  endpoint_.retry_schedule = {Millis::max()};
  endpoint_.retry_jitter = 1.0;
  endpoint_.deliver_within = Millis::max();
  for (int i = 0; i < 100; ++i) {
    const Millis delay = DelayAfter(1);
    EXPECT_GE(delay, Millis(0));
    EXPECT_LE(delay, Millis(hours(24 * 365)));
  }
}

TEST_F(SettlementTest, RetryAfterProlongsTheDelayUpToItsCap) {
  facts_.outcome = AttemptOutcome::kOverloaded;
  facts_.retry_after = seconds(90);
  EXPECT_EQ(DelayAfter(1), seconds(90));
  facts_.retry_after = hours(20);
  EXPECT_EQ(DelayAfter(1), endpoint_.retry_after_max);
}

TEST_F(SettlementTest, RetryAfterNeverShortensTheDelay) {
  facts_.outcome = AttemptOutcome::kOverloaded;
  facts_.retry_after = seconds(1);
  EXPECT_EQ(DelayAfter(5), minutes(10));
}

TEST_F(SettlementTest, ATryThatWouldComeTooLateIsADeadLetterNow) {
  endpoint_.deliver_within = minutes(10);
  facts_.attempts_made = 4;  // The next delay is two minutes.
  facts_.now = facts_.accepted + minutes(8);
  EXPECT_EQ(Decide(), AttemptSettlement(RetryAfter{minutes(2)}));
  facts_.now += Millis(1);
  EXPECT_EQ(Decide(), AttemptSettlement(DeadLetter{DeadLetterReason::kExpired}));
}

TEST_F(SettlementTest, AWallClockSetBackDoesNotExpireADelivery) {
  facts_.now = facts_.accepted - hours(2);
  EXPECT_EQ(Decide(), AttemptSettlement(RetryAfter{seconds(1)}));
}

TEST_F(SettlementTest, TheDeliveryWindowEndsAfterDeliverWithin) {
  const WallTime end = facts_.accepted + endpoint_.deliver_within;
  EXPECT_FALSE(DeliveryWindowIsOver(endpoint_, facts_.accepted, end));
  EXPECT_TRUE(DeliveryWindowIsOver(endpoint_, facts_.accepted, end + Millis(1)));
}

}  // namespace
}  // namespace relay
