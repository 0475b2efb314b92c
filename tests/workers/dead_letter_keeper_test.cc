// The keeper with real scripts and a simulated clock: the fake client hands each command to a Redis
// of the test's own.

#include "workers/dead_letter_keeper.h"

#include <gmock/gmock.h>

#include <optional>
#include <utility>

#include "relay/catalog_snapshot.h"
#include "tests/support/fake_redis.h"
#include "tests/support/partition_fixture.h"
#include "tests/support/simulated_loop.h"

namespace relay {
namespace {

using std::chrono::hours;
using testing::Each;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Le;
using testing::SizeIs;

constexpr hours kDay{24};

// Keeps what it is given, and answers when the test wants it to.
class FakeArchive final : public DeadLetterArchive {
 public:
  explicit FakeArchive(SimulatedLoop& loop) : loop_(loop) {}

  void Append(std::vector<ArchivedLetter> letters, const CallScope& scope, Done done) override {
    if (letters.empty()) return;
    if (on_batch) on_batch();
    batches.push_back(letters.size());
    if (answer.ok()) {
      for (ArchivedLetter& letter : letters) kept.push_back(std::move(letter));
    }
    waiting_ = [done = std::move(done), watch = scope.watch(), answer = answer] {
      if (!watch.gone()) done(answer);
    };
    if (!slow) Answer();
  }
  void Answer() { loop_.Post(std::exchange(waiting_, nullptr)); }
  bool waiting() const { return waiting_ != nullptr; }
  std::vector<std::string> Bodies() const {
    std::vector<std::string> bodies;
    for (const ArchivedLetter& letter : kept) bodies.push_back(letter.event.body);
    return bodies;
  }

  std::vector<ArchivedLetter> kept;
  std::vector<size_t> batches;
  Status answer;
  bool slow = false;
  std::function<void()> on_batch;

 private:
  SimulatedLoop& loop_;
  std::function<void()> waiting_;
};

class DeadLetterKeeperTest : public PartitionTest {
 protected:
  void SetUp() override {
    PartitionTest::SetUp();
    for (const char* verb : {"HMGET", "TIME", "SMEMBERS", "ZCOUNT", "ZRANGE", "HSCAN", "XRANGE",
                             "HGET", "HSET", "HDEL"}) {
      client_.On(verb, [this](const FakeRedisCall& call) {
        RedisCommand command(call.verb);
        for (const std::string& arg : call.args) command.Arg(arg);
        return redis_.Command(command);
      });
    }
    for (const char* script : {"purge", "weigh_dead"}) {
      client_.On(script, [this](const FakeRedisCall& call) {
        return redis_.Eval(*call.script, call.keys, call.args);
      });
    }
    Catalog catalog;
    catalog.tenants.emplace_back().id = "acme";
    Endpoint& endpoint = catalog.tenants.back().endpoints.emplace_back();
    endpoint.id = "hooks";
    endpoint.number = 7;
    catalog_ = CatalogSnapshot::Of(catalog);
  }

  // Begins anew, as another process would, with the partition's token of now.
  void Start(Millis age_max, int64_t bytes_max, const std::string& archive_dir) {
    keeper_.reset();
    tenure_ = std::make_shared<Tenure>();
    tenure_->keys = keys_;
    tenure_->owner = owner_;
    const Settings::DeadLetters settings{age_max, bytes_max, archive_dir};
    const bool archives = !archive_dir.empty() && archive_dir != "none";
    keeper_.emplace(
        DeadLetterKeeper::Parts{loop_, client_, *log_, worker_metrics_,
                                archives ? &archive_ : nullptr, [this] { return catalog_; }},
        settings, /*partitions=*/1);
    keeper_->Add(tenure_);
  }
  // Long enough for one look and all that it drops.
  void Look() { loop_.Advance(DeadLetterKeeper::kLookEvery + DeadLetterKeeper::kTick); }

  // An event that died at each of `dead` so long ago, and waits at `waiting`.
  Member Dead(const std::vector<uint64_t>& dead, Millis age, const std::string& body,
              const std::vector<uint64_t>& waiting = {}) {
    const Member member = Store(MakeEvent(body));
    Read();
    Settlement settlement{
        member, Settlement::Kind::kLast, "acme", static_cast<int64_t>(body.size()), 0, {}};
    for (const uint64_t endpoint : dead) {
      settlement.owed.push_back({endpoint, OwedDelivery::State::kDead, Millis(0), 1,
                                 EncodeAttempt(AttemptOutcome::kTimedOut, 0, Millis(3))});
    }
    for (const uint64_t endpoint : waiting) settlement.owed.push_back(Parked(endpoint));
    EXPECT_TRUE(SettleOne(settlement));
    for (const uint64_t endpoint : dead) {
      const std::string key = keys_.DeadLetters(endpoint);
      const RedisValue died = Ask(RedisCommand("ZSCORE").Arg(key).Arg(member.text()));
      Ask(RedisCommand("ZADD")
              .Arg(key)
              .Arg(std::stoll(died.text) - age.count())
              .Arg(member.text()));
    }
    return member;
  }
  int64_t DeadAt(uint64_t endpoint) { return Length("ZCARD", keys_.DeadLetters(endpoint)); }
  std::string Told() { return Ask(RedisCommand("HGET").Arg(kOverLimitKey).Arg("0")).text; }

  SimulatedLoop loop_;
  FakeRedis client_{loop_};
  std::unique_ptr<Log> log_ = Log::Silent();
  Metrics metrics_;
  WorkerMetrics worker_metrics_{metrics_};
  FakeArchive archive_{loop_};
  CatalogPtr catalog_;
  TenurePtr tenure_;
  std::optional<DeadLetterKeeper> keeper_;
};

TEST_F(DeadLetterKeeperTest, WithoutAnArchiveNothingIsDroppedAndItIsTold) {
  Dead({7}, 40 * kDay, "old");
  Dead({7}, kDay, "young");
  Start(30 * kDay, 3, "");
  Look();
  EXPECT_EQ(DeadAt(7), 2);
  EXPECT_EQ(worker_metrics_.dead_letters_over_age.Value(), 1);
  EXPECT_EQ(worker_metrics_.dead_letters_over_bytes.Value(), 1);
  EXPECT_EQ(Told(), "1 1");
  EXPECT_EQ(client_.CountOf("purge"), 0);
}

TEST_F(DeadLetterKeeperTest, WhatIsTooOldIsDroppedOnceItIsArchived) {
  Dead({7}, 40 * kDay, "old");
  Dead({7}, kDay, "young");
  archive_.on_batch = [this] { EXPECT_EQ(DeadAt(7), 2); };
  Start(30 * kDay, 0, "/archive");
  Look();
  EXPECT_THAT(archive_.Bodies(), ElementsAre("old"));
  EXPECT_EQ(archive_.kept[0].endpoint_id, "hooks");
  EXPECT_THAT(archive_.kept[0].history, SizeIs(1));
  EXPECT_EQ(DeadAt(7), 1);
  EXPECT_EQ(Counters().dropped, 1);
  EXPECT_EQ(worker_metrics_.dead_letters_dropped_by_age.Value(), 1);
  EXPECT_EQ(worker_metrics_.dead_letters_archived.Value(), 1);
  EXPECT_EQ(worker_metrics_.dead_letters_over_age.Value(), 0);
  ExpectCleanBooks();
}

TEST_F(DeadLetterKeeperTest, NothingIsDroppedWhileTheArchiveFailsAndItIsTriedAgain) {
  Dead({7}, 40 * kDay, "old");
  archive_.answer = Status::Unavailable("No space left on device");
  Start(30 * kDay, 0, "/archive");
  Look();
  EXPECT_EQ(DeadAt(7), 1);
  EXPECT_EQ(worker_metrics_.archive_failures.Value(), 1);
  EXPECT_EQ(Told(), "1 0");

  archive_.answer = Status::Ok();
  Look();
  EXPECT_EQ(DeadAt(7), 0);
  EXPECT_THAT(archive_.Bodies(), ElementsAre("old"));
  EXPECT_EQ(Told(), "");
  ExpectCleanBooks();
}

TEST_F(DeadLetterKeeperTest, TheWordNoneDropsWithoutAnArchive) {
  Dead({7}, 40 * kDay, "old");
  Start(30 * kDay, 0, "none");
  Look();
  EXPECT_EQ(DeadAt(7), 0);
  EXPECT_EQ(worker_metrics_.dead_letters_archived.Value(), 0);
  ExpectCleanBooks();
}

TEST_F(DeadLetterKeeperTest, TheOldestOfAllEndpointsGoFirstUntilTheRestFits) {
  Dead({7}, 3 * kDay, "c-- 10 byt");
  Dead({8}, 5 * kDay, "a-- 10 byt");
  Dead({7}, 4 * kDay, "b-- 10 byt");
  Dead({8}, 1 * kDay, "e-- 10 byt");
  Dead({9}, 2 * kDay, "d-- 10 byt");
  Start(Millis(0), 25, "/archive");
  Look();
  EXPECT_THAT(archive_.Bodies(), ElementsAre("a-- 10 byt", "b-- 10 byt", "c-- 10 byt"));
  EXPECT_EQ(worker_metrics_.dead_letters_dropped_by_bytes.Value(), 3);
  EXPECT_EQ(worker_metrics_.dead_letters_over_bytes.Value(), 0);
  ExpectCleanBooks();
}

TEST_F(DeadLetterKeeperTest, TheOrderHoldsOverManyPages) {
  std::vector<std::string> oldest_first;
  for (int i = 0; i < 230; ++i) {
    oldest_first.push_back(std::to_string(1000 + i));
    // Long runs at each endpoint, so that their pages end at different times.
    Dead({static_cast<uint64_t>(7 + i / 70 % 2)}, 40 * kDay - Seconds(i), oldest_first.back());
  }
  Start(Millis(0), 4 * 30, "/archive");
  Look();
  oldest_first.resize(200);
  EXPECT_EQ(archive_.Bodies(), oldest_first);
  ExpectCleanBooks();
}

// They are stored once: what is dropped for the sake of memory must free it.
TEST_F(DeadLetterKeeperTest, AnEventThatIsDeadAtTwoEndpointsCountsOnce) {
  Dead({7, 8}, 3 * kDay, "a-- 10 byt");
  Dead({7, 8}, 2 * kDay, "b-- 10 byt");
  Start(Millis(0), 20, "/archive");
  Look();
  EXPECT_THAT(archive_.kept, IsEmpty());

  Start(Millis(0), 19, "/archive");
  Look();
  EXPECT_THAT(archive_.Bodies(), ElementsAre("a-- 10 byt", "a-- 10 byt"));
  EXPECT_EQ(DeadAt(7), 1);
  EXPECT_EQ(DeadAt(8), 1);
  ExpectCleanBooks();
}

TEST_F(DeadLetterKeeperTest, ABacklogThatWaitsCostsNoDeadLetter) {
  Dead({7}, 3 * kDay, "dead");
  for (int i = 0; i < 20; ++i) Dead({}, Millis(0), "waiting and large", {8});
  Start(Millis(0), 10, "/archive");
  Look();
  EXPECT_GE(client_.CountOf("weigh_dead"), 1);
  EXPECT_THAT(archive_.kept, IsEmpty());
  EXPECT_EQ(DeadAt(7), 1);
}

TEST_F(DeadLetterKeeperTest, WeighingIsDoneOncePerFiveMinutes) {
  Dead({7}, 3 * kDay, "dead");
  Start(Millis(0), 1, "");
  Look();
  const int weighed = client_.CountOf("weigh_dead");
  EXPECT_GE(weighed, 1);
  Look();
  EXPECT_EQ(client_.CountOf("weigh_dead"), weighed);
  loop_.Advance(DeadLetterKeeper::kWeighEvery);
  EXPECT_EQ(client_.CountOf("weigh_dead"), 2 * weighed);
}

TEST_F(DeadLetterKeeperTest, ACrashBetweenArchiveAndPurgeArchivesTwiceAndLosesNothing) {
  Dead({7}, 40 * kDay, "old");
  archive_.slow = true;
  Start(30 * kDay, 0, "/archive");
  Look();
  ASSERT_TRUE(archive_.waiting());
  archive_.slow = false;
  keeper_.reset();  // The record is on the disk, and who wrote it is gone.
  archive_.Answer();
  loop_.RunReady();
  EXPECT_EQ(DeadAt(7), 1);

  Start(30 * kDay, 0, "/archive");
  Look();
  EXPECT_THAT(archive_.Bodies(), ElementsAre("old", "old"));
  EXPECT_EQ(DeadAt(7), 0);
  ExpectCleanBooks();
}

TEST_F(DeadLetterKeeperTest, WhoHasLostThePartitionMeanwhileDropsNothing) {
  Dead({7}, 40 * kDay, "old");
  archive_.slow = true;
  Start(30 * kDay, 0, "/archive");
  Look();
  ASSERT_TRUE(archive_.waiting());
  Run(GiveBackOwnership(keys_, owner_));
  owner_ = Owner("boot-2");
  archive_.Answer();
  loop_.RunReady();
  EXPECT_EQ(client_.CountOf("purge"), 1);
  EXPECT_EQ(DeadAt(7), 1);
  ExpectCleanBooks();
}

TEST_F(DeadLetterKeeperTest, ALetterThatIsRedrivenMeanwhileIsLeftAlone) {
  const Member member = Dead({7}, 40 * kDay, "old");
  archive_.on_batch = [&] { Run(RedriveMembers(keys_, owner_, 7, {&member, 1})); };
  Start(30 * kDay, 0, "/archive");
  Look();
  EXPECT_THAT(archive_.kept, SizeIs(1));
  EXPECT_EQ(Counters().dropped, 0);
  EXPECT_THAT(TakeAll(7), SizeIs(1));
  ExpectCleanBooks();
}

TEST_F(DeadLetterKeeperTest, ManyGoInSmallBatches) {
  for (int i = 0; i < 120; ++i) Dead({static_cast<uint64_t>(7 + i % 2)}, 40 * kDay, "old");
  Start(30 * kDay, 0, "/archive");
  Look();
  EXPECT_THAT(archive_.kept, SizeIs(120));
  EXPECT_THAT(archive_.batches, Each(Le(DeadLetterDrop::kBatchMax)));
  EXPECT_EQ(DeadAt(7) + DeadAt(8), 0);
  ExpectCleanBooks();
}

// What it cannot read it must neither drop nor stumble over for ever.
TEST_F(DeadLetterKeeperTest, ALetterThatCannotBeReadStaysAndHoldsUpNoOther) {
  const Member broken = Dead({7}, 50 * kDay, "broken");
  for (int i = 0; i < 60; ++i) Dead({7}, 40 * kDay, "old");
  Ask(RedisCommand("HSET").Arg(keys_.history).Arg(broken.text() + "/7").Arg("no record"));
  Start(30 * kDay, 0, "/archive");
  Look();
  EXPECT_THAT(archive_.kept, SizeIs(60));
  EXPECT_EQ(DeadAt(7), 1);
  EXPECT_EQ(worker_metrics_.dead_letters_over_age.Value(), 1);
}

TEST_F(DeadLetterKeeperTest, APartitionOnItsWayBackIsLeftAlone) {
  Dead({7}, 40 * kDay, "old");
  Start(30 * kDay, 0, "none");
  tenure_->returning = true;
  Look();
  EXPECT_EQ(DeadAt(7), 1);
}

}  // namespace
}  // namespace relay
