// Every redis.call of every script made to fail in turn: whatever stands there afterwards, nothing
// may be lost, and a sweep makes the books exact.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "relay/attempt_record.h"
#include "relay/redis_streams.h"
#include "tests/crash/checker.h"
#include "tests/crash/owner.h"

namespace relay {
namespace {

using testing::IsEmpty;

// The partition before the call: numbered events at the endpoints 1 and 2, in every state that a
// script meets.
struct Stage {
  Member fresh;      // Pending, nothing written yet.
  Member chunked;    // Pending, its first chunk written (endpoint 1), its last one not.
  Member taken;      // Leased at 1 and parked at 2.
  Member dead;       // Dead at 1.
  Member half_done;  // Both pending and dead at 1: half a redrive.
  int64_t taken_token = 0;
  int64_t chunked_token = 0;
};

class EachCallTest : public testing::Test {
 protected:
  using Build = std::function<ScriptCall(const Stage&)>;

  void SetUp() override {
    ASSERT_TRUE(process_.Start().ok());
    redis_.Connect();
  }

  Member Pending() {
    const int number = model_.NewEvent(random_);
    Event event = model_.EventOf(number);
    event.tenant = "acme";  // An endpoint is one tenant's.
    const auto member = ParseStored(redis_.Ask(StoreEvent(keys_, event)));
    redis_.Ask(ReadEvents(std::vector<std::string>{keys_.normal}, 10, Millis(0)));
    events_.emplace_back(*member, event);
    return *member;
  }
  const Event& EventOf(const Member& member) const {
    for (const auto& [stored, event] : events_) {
      if (stored == member) return event;
    }
    GiveUp("no such event");
  }
  Settlement SettlementOf(const Member& member, std::vector<OwedDelivery> owed,
                          Settlement::Kind kind = Settlement::Kind::kLast) const {
    const Event& event = EventOf(member);
    return {member, kind,           event.tenant, static_cast<int64_t>(event.body.size()),
            0,      std::move(owed)};
  }
  static OwedDelivery Retry(uint64_t endpoint) {
    return {endpoint, OwedDelivery::State::kPending, Millis(0), 1,
            EncodeAttempt(AttemptOutcome::kRejected, 500, Millis(1))};
  }
  static OwedDelivery Corpse(uint64_t endpoint) {
    return {endpoint, OwedDelivery::State::kDead, Millis(0), 1, ""};
  }
  Resolution Item(const Member& member, int64_t token, Resolution::Kind kind,
                  uint64_t endpoint = 1) const {
    const Event& event = EventOf(member);
    return {member,       endpoint,
            token,        kind,
            Millis(0),    EncodeAttempt(AttemptOutcome::kTimedOut, 0, Millis(1)),
            event.tenant, static_cast<int64_t>(event.body.size())};
  }
  int64_t TokenOf(const Member& member) {
    const RedisValue score =
        redis_.Ask(RedisCommand("ZSCORE").Arg(keys_.Retries(1)).Arg(member.text()));
    return score.is_text() ? std::atoll(score.text.c_str()) : 0;
  }

  Stage SetTheStage() {
    redis_.Ask(RedisCommand("FLUSHALL"));
    events_.clear();
    redis_.Run(CreateGroups(keys_));
    owner_ = {1, "boot"};
    redis_.Run(TakeOwnership(keys_, owner_.boot, Seconds(600)));
    Stage stage;
    stage.fresh = Pending();
    stage.chunked = Pending();
    stage.taken = Pending();
    stage.dead = Pending();
    stage.half_done = Pending();
    const Settlement before[] = {SettlementOf(stage.chunked, {Retry(1)}, Settlement::Kind::kChunk),
                                 SettlementOf(stage.taken, {Retry(1), Retry(2)}),
                                 SettlementOf(stage.dead, {Corpse(1)}),
                                 SettlementOf(stage.half_done, {Retry(1)})};
    redis_.Run(Settle(keys_, owner_, before));
    redis_.Run(Take(keys_, owner_, 1, 100, Seconds(600), 1 << 20));
    stage.taken_token = TokenOf(stage.taken);
    stage.chunked_token = TokenOf(stage.chunked);
    return stage;
  }

  std::vector<std::string> Sweep() {
    PartitionSweep sweep(redis_, keys_, owner_);
    Status status;
    sweep.Start(true, [&status](const Result<SweepReport>& report) { status = report.status(); });
    redis_.RunCallbacks();
    std::vector<std::string> breaches = LookOver(redis_, keys_, true);
    if (!status.ok()) breaches.push_back(status.ToString());
    for (std::string& breach : RunFsck(redis_, keys_)) breaches.push_back(std::move(breach));
    return breaches;
  }
  // Which events are still there: on the pending list or owed.
  int64_t Entries() { return redis_.Ask(RedisCommand("XLEN").Arg(keys_.normal)).integer; }

  // Fails the call at 1, 2, ... until it gets through. `gone` is how many payloads it releases.
  void FailInTurn(const Build& build, int gone) {
    for (int nth = 1;; ++nth) {
      const Stage stage = SetTheStage();
      const int64_t before = Entries();
      const ScriptCall call = build(stage);
      redis_.FailNextAt(nth);
      const bool failed = redis_.Run(call).is_error();
      SCOPED_TRACE(call.script->name + ", call " + std::to_string(nth));
      EXPECT_THAT(LookOver(redis_, keys_, false), IsEmpty());
      if (failed) {
        EXPECT_THAT(Sweep(), IsEmpty());
        // Whatever the failed call left to do, the same call again does without harm.
        redis_.Run(call);
      }
      EXPECT_THAT(Sweep(), IsEmpty());
      EXPECT_GE(Entries(), before - gone);
      EXPECT_EQ(redis_.Run(call).is_error(), false);
      EXPECT_THAT(Sweep(), IsEmpty());
      if (!failed) {
        EXPECT_GT(nth, 3);
        return;
      }
      ASSERT_LT(nth, 200);
    }
  }

  Random random_{7};
  RedisProcess process_;
  CrashRedis redis_{process_, random_};
  const PartitionKeys keys_ = PartitionKeys::For(0, 16);
  OwnerToken owner_;
  Model model_;
  std::vector<std::pair<Member, Event>> events_;
};

TEST_F(EachCallTest, Settle) {
  FailInTurn(
      [this](const Stage& stage) {
        const Settlement entries[] = {SettlementOf(stage.fresh, {Retry(1), Corpse(2)}),
                                      SettlementOf(stage.chunked, {Retry(2)})};
        return Settle(keys_, owner_, entries);
      },
      0);
}

TEST_F(EachCallTest, SettleOfWhatOwesNothing) {
  FailInTurn(
      [this](const Stage& stage) {
        const Settlement entries[] = {SettlementOf(stage.fresh, {}),
                                      SettlementOf(stage.chunked, {})};
        return Settle(keys_, owner_, entries);
      },
      1);
}

TEST_F(EachCallTest, Done) {
  FailInTurn(
      [this](const Stage& stage) {
        const Settlement entries[] = {SettlementOf(stage.fresh, {}),
                                      SettlementOf(stage.chunked, {})};
        return Done(keys_, owner_, entries);
      },
      1);
}

TEST_F(EachCallTest, Take) {
  FailInTurn([this](const Stage&) { return Take(keys_, owner_, 2, 10, Millis(1000), 1 << 20); }, 0);
  FailInTurn(
      [this](const Stage&) {
        return TakeOld(keys_, owner_, 2, 10, Millis(1000), 1 << 20, int64_t{9'000'000'000'000});
      },
      0);
}

TEST_F(EachCallTest, Resolve) {
  for (const Resolution::Kind kind :
       {Resolution::Kind::kOk, Resolution::Kind::kFail, Resolution::Kind::kPark,
        Resolution::Kind::kDead, Resolution::Kind::kDrop}) {
    FailInTurn(
        [this, kind](const Stage& stage) {
          const Resolution items[] = {
              Item(stage.taken, stage.taken_token, kind),
              Item(stage.chunked, stage.chunked_token, kind),
              Item(stage.half_done, TokenOf(stage.half_done), Resolution::Kind::kOk)};
          return Resolve(keys_, owner_, items);
        },
        1);
  }
}

TEST_F(EachCallTest, Redrive) {
  FailInTurn(
      [this](const Stage&) { return RedriveRange(keys_, owner_, 1, 0, 9'000'000'000'000, 100); },
      0);
}

TEST_F(EachCallTest, Purge) {
  FailInTurn(
      [this](const Stage&) {
        return Purge(keys_, owner_, 1, std::string(kTenantOfEvents), PurgeScope::kRetries, 100);
      },
      2);
  FailInTurn(
      [this](const Stage& stage) {
        return Purge(keys_, owner_, 1, EventOf(stage.dead).tenant,
                     PurgeScope::kDeadLettersAndRetries, 100);
      },
      3);
  FailInTurn(
      [this](const Stage& stage) {
        return PurgeMembers(keys_, owner_, 1, EventOf(stage.dead).tenant, {&stage.dead, 1});
      },
      1);
}

TEST_F(EachCallTest, HoldAndRelease) {
  FailInTurn([this](const Stage&) { return Hold(keys_, owner_, 2); }, 0);
  FailInTurn(
      [this](const Stage&) {
        redis_.Run(Hold(keys_, owner_, 2));
        return Release(keys_, owner_, 2);
      },
      0);
}

// The sweeps mend what others have broken; they may fail half way themselves.
// Beside the books: whatever is left of it, they do not change.
TEST_F(EachCallTest, Streams) {
  FailInTurn(
      [this](const Stage& stage) {
        const std::vector<StreamWrite> writes = {
            {StreamWrite::Kind::kState, "s", stage.fresh.stored_ms(), "state"},
            {StreamWrite::Kind::kRecording, "s", stage.fresh.stored_ms(), "1 url"},
            {StreamWrite::Kind::kState, "old", 1, "forgotten at once"}};
        return WriteStreams(keys_, owner_, writes);
      },
      0);
}

TEST_F(EachCallTest, Sweeps) {
  const auto damage = [this](const Stage& stage) {
    redis_.Ask(RedisCommand("ZADD").Arg(keys_.DeadLetters(1)).Arg("5").Arg(stage.half_done.text()));
    redis_.Ask(RedisCommand("HSET").Arg(keys_.ref).Arg(stage.taken.text()).Arg("4"));
    redis_.Ask(RedisCommand("HSET").Arg(keys_.history).Arg("n1-1/1").Arg("gone"));
    redis_.Ask(RedisCommand("HSET").Arg(keys_.counters).Arg("ok").Arg("1"));
  };
  const std::vector<uint64_t> endpoints = {1, 2};
  FailInTurn(
      [&](const Stage& stage) {
        damage(stage);
        return RequeueOrphans(keys_, owner_, EventClass::kNormal, "-", 100);
      },
      0);
  FailInTurn(
      [&](const Stage& stage) {
        damage(stage);
        return Recount(keys_, owner_, endpoints);
      },
      0);
  FailInTurn(
      [&](const Stage& stage) {
        damage(stage);
        const Member members[] = {stage.taken, stage.half_done, stage.dead};
        return RecountOwed(keys_, owner_, endpoints, members);
      },
      0);
  FailInTurn(
      [&](const Stage& stage) {
        damage(stage);
        return PruneHistory(keys_, owner_, endpoints, "0", 100);
      },
      0);
}

}  // namespace
}  // namespace relay
