#include "workers/partition_owner.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <set>

#include "tests/workers/fake_ownership.h"
#include "workers/fair_share.h"

namespace relay {
namespace {

using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr int kPartitions = 4;

class PartitionOwnerTest : public ::testing::Test {
 protected:
  PartitionOwnerTest() {
    owner_.emplace(loop_, redis_, random_, *log_, "boot1", "host/0", kPartitions,
                   PartitionOwner::Events{
                       .on_gained = [this](const TenurePtr& tenure) { held_.insert(tenure); },
                       .on_returning = [this](const TenurePtr& t) { returning_.push_back(t); },
                       .on_ended =
                           [this](const TenurePtr& tenure) {
                             EXPECT_TRUE(tenure->over);
                             EXPECT_EQ(held_.erase(tenure), 1u);
                           }});
  }

  void StartOwning() {
    owner_->Start();
    loop_.RunReady();
  }
  std::string OwnKey(int partition) const { return PartitionKeys::For(partition, kPartitions).own; }

  SimulatedLoop loop_;
  FakeRedis redis_{loop_};
  FakeOwnership server_{loop_, redis_};
  Random random_{7};
  std::unique_ptr<Log> log_ = Log::Silent();
  std::set<TenurePtr> held_;
  std::vector<TenurePtr> returning_;
  std::optional<PartitionOwner> owner_;
};

TEST_F(PartitionOwnerTest, AWorkerAloneTakesEveryPartitionAtOnce) {
  StartOwning();
  EXPECT_THAT(held_, SizeIs(kPartitions));
  EXPECT_EQ(owner_->owned(), kPartitions);
  for (const TenurePtr& tenure : held_) {
    EXPECT_EQ(tenure->owner.text(), "1 boot1");
    EXPECT_EQ(tenure->run_id, "run-1");
  }
}

TEST_F(PartitionOwnerTest, APartitionIsSweptBeforeItIsAnnounced) {
  redis_.Off("recount");
  StartOwning();
  EXPECT_THAT(held_, IsEmpty());
  EXPECT_EQ(redis_.CountOf("create_groups"), kPartitions);
  EXPECT_EQ(redis_.CountOf("recount"), kPartitions);
}

TEST_F(PartitionOwnerTest, TwoWorkersShareEvenly) {
  server_.others = {"boot2 host/1"};
  StartOwning();
  EXPECT_THAT(held_, SizeIs(kPartitions / 2));
}

TEST_F(PartitionOwnerTest, RenewedLeasesLast) {
  StartOwning();
  loop_.Advance(std::chrono::minutes(1));
  EXPECT_THAT(held_, SizeIs(kPartitions));
  for (const auto& [key, lease] : server_.leases) EXPECT_EQ(lease.epoch, 1);
}

// What counts is when the last good renewal was sent, not when its answer came.
TEST_F(PartitionOwnerTest, AnOwnerThatCannotRenewStopsBeforeItsLeaseEnds) {
  StartOwning();
  redis_.TakeDown();
  loop_.Advance(PartitionOwner::kStopAfter);
  EXPECT_THAT(held_, SizeIs(kPartitions));
  loop_.Advance(PartitionOwner::kTick);
  EXPECT_THAT(held_, IsEmpty());
  for (const auto& [key, lease] : server_.leases) EXPECT_GT(lease.deadline_ms, server_.now_ms());
}

TEST_F(PartitionOwnerTest, ALeaseThatAnotherHoldsIsLost) {
  StartOwning();
  server_.leases[OwnKey(2)] = {9, "boot2", server_.now_ms() + 5000};
  server_.others = {"boot2 host/1"};
  loop_.Advance(PartitionOwner::kRenewEvery);
  EXPECT_THAT(held_, SizeIs(kPartitions - 1));
  for (const TenurePtr& tenure : held_) EXPECT_NE(tenure->partition, 2);
}

TEST_F(PartitionOwnerTest, AStaleAnswerEndsTheTenure) {
  StartOwning();
  const TenurePtr tenure = *held_.begin();
  owner_->ReportLost(tenure);
  EXPECT_FALSE(tenure->over);  // Never from inside the call.
  loop_.RunReady();
  EXPECT_TRUE(tenure->over);
  EXPECT_THAT(held_, SizeIs(kPartitions - 1));
}

TEST_F(PartitionOwnerTest, ANewcomerIsGivenItsShareAfterDraining) {
  StartOwning();
  server_.others = {"boot2 host/1"};
  loop_.Advance(PartitionOwner::kRenewEvery);
  EXPECT_THAT(returning_, IsEmpty());  // One roll may be a mistake.
  loop_.Advance(PartitionOwner::kRenewEvery);
  ASSERT_THAT(returning_, SizeIs(kPartitions / 2));
  EXPECT_THAT(held_, SizeIs(kPartitions));
  EXPECT_TRUE(returning_[0]->returning);

  owner_->GiveBack(returning_[0]);
  loop_.RunReady();
  EXPECT_THAT(held_, SizeIs(kPartitions - 1));
  EXPECT_EQ(server_.leases[OwnKey(returning_[0]->partition)].deadline_ms, 0);
  // What was given back is not taken again.
  loop_.Advance(PartitionOwner::kRenewEvery * 3);
  EXPECT_THAT(held_, SizeIs(kPartitions - 1));
}

TEST_F(PartitionOwnerTest, AReturningPartitionKeepsItsLeaseUntilItIsGivenBack) {
  StartOwning();
  server_.others = {"boot2 host/1"};
  loop_.Advance(PartitionOwner::kRenewEvery * 30);
  EXPECT_THAT(held_, SizeIs(kPartitions));
}

TEST_F(PartitionOwnerTest, AFreePartitionIsTakenWithinASecond) {
  server_.others = {"boot2 host/1"};
  StartOwning();
  server_.others.clear();
  loop_.Advance(PartitionOwner::kRenewEvery);
  EXPECT_THAT(held_, SizeIs(kPartitions));
}

TEST_F(PartitionOwnerTest, AnotherRedisProcessEndsEveryTenureAndTakesAnew) {
  StartOwning();
  const std::set<TenurePtr> before = held_;
  redis_.TakeDown();
  loop_.Advance(Millis(100));
  EXPECT_THAT(held_, SizeIs(kPartitions));  // A broken connection alone ends nothing.
  redis_.BringUp("run-2");
  loop_.RunReady();
  for (const TenurePtr& tenure : before) EXPECT_TRUE(tenure->over);
  loop_.Advance(PartitionOwner::kRenewEvery);
  ASSERT_THAT(held_, SizeIs(kPartitions));
  for (const TenurePtr& tenure : held_) {
    EXPECT_EQ(tenure->run_id, "run-2");
    EXPECT_EQ(tenure->owner.epoch, 2u);
  }
}

TEST_F(PartitionOwnerTest, TheSameRedisProcessComingBackKeepsTheTenures) {
  StartOwning();
  redis_.TakeDown();
  loop_.Advance(Seconds(2));
  redis_.BringUp("run-1");
  loop_.Advance(std::chrono::minutes(1));
  for (const TenurePtr& tenure : held_) EXPECT_EQ(tenure->owner.epoch, 1u);
  EXPECT_THAT(held_, SizeIs(kPartitions));
}

TEST_F(PartitionOwnerTest, LeavingReturnsEverythingAndSaysSo) {
  StartOwning();
  bool left = false;
  owner_->Leave([&left] { left = true; });
  EXPECT_THAT(returning_, IsEmpty());  // Never from inside the call.
  loop_.RunReady();
  ASSERT_THAT(returning_, SizeIs(kPartitions));
  loop_.Advance(Seconds(10));
  EXPECT_FALSE(left);
  for (const TenurePtr& tenure : std::vector<TenurePtr>(returning_)) owner_->GiveBack(tenure);
  loop_.RunReady();
  EXPECT_TRUE(left);
  EXPECT_THAT(held_, IsEmpty());
  for (const auto& [key, lease] : server_.leases) EXPECT_EQ(lease.deadline_ms, 0);
}

TEST_F(PartitionOwnerTest, LeavingInTheMiddleOfATakeOverGivesItBackUnannounced) {
  redis_.Off("recount");
  StartOwning();
  bool left = false;
  owner_->Leave([&left] { left = true; });
  while (redis_.unanswered() > 0) {
    redis_.Answer(RedisValue::Error("STALE"));
    loop_.RunReady();
  }
  loop_.RunReady();
  EXPECT_TRUE(left);
  EXPECT_THAT(returning_, IsEmpty());
}

TEST(FairShareTest, SharesAddUpAndDifferByOneAtMost) {
  const std::vector<std::string> live = {"c", "a", "e", "b", "d"};
  int sum = 0;
  for (const std::string& self : live) {
    const int share = FairShare(live, self, 16);
    EXPECT_GE(share, 3);
    EXPECT_LE(share, 4);
    sum += share;
  }
  EXPECT_EQ(sum, 16);
  EXPECT_EQ(FairShare(live, "a", 16), 4);  // The first in order has one of the remainder.
}

TEST(FairShareTest, WhoIsMissingFromTheRollCountsItselfIn) {
  EXPECT_EQ(FairShare({}, "a", 16), 16);
  EXPECT_EQ(FairShare({"b"}, "a", 16), 8);
}

}  // namespace
}  // namespace relay
