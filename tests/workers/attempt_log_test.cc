#include "workers/attempt_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fake_redis.h"
#include "tests/support/simulated_loop.h"

namespace relay {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::SizeIs;

class AttemptLogTest : public testing::Test {
 protected:
  AttemptLogTest() {
    tenure_.keys = PartitionKeys::For(0, 1);
    redis_.On("PEXPIRE", RedisValue::Integer(1));
    redis_.On("MEMORY", [this](const FakeRedisCall&) { return RedisValue::Integer(size_); });
    redis_.On("XLEN", RedisValue::Integer(1000));
  }
  void TakeWrites() { redis_.On("XADD", RedisValue::Text("1-0")); }
  AttemptLog MakeLog() { return AttemptLog(loop_, redis_, worker_metrics_, settings_, 1); }
  void Add(AttemptLog& log, const std::string& id, const std::string& tenant = "acme",
           const std::string& answer = "") {
    AttemptLogRecord record;
    record.event_id = id;
    record.outcome = AttemptOutcome::kRejected;
    record.fate = AttemptFate::kRetry;
    record.answer = answer;
    log.Add(tenure_, tenant, record);
  }
  std::vector<FakeRedisCall> Writes() const {
    std::vector<FakeRedisCall> writes;
    for (const FakeRedisCall& call : redis_.calls()) {
      if (call.verb == "XADD") writes.push_back(call);
    }
    return writes;
  }
  // Until what has been gathered is written and answered.
  void Pass() { loop_.Advance(AttemptLog::kGather); }
  static std::vector<std::string> IdsOf(const FakeRedisCall& write) {
    std::vector<std::string> ids;
    const auto records = DecodeAttempts(write.args.back());
    EXPECT_TRUE(records.ok());
    for (const AttemptLogRecord& record : *records) ids.push_back(record.event_id);
    return ids;
  }
  double dropped() const { return worker_metrics_.attempts_not_logged.Value(); }

  SimulatedLoop loop_;
  FakeRedis redis_{loop_};
  Metrics metrics_;
  WorkerMetrics worker_metrics_{metrics_};
  Settings::AttemptLog settings_;
  Tenure tenure_;
  int64_t size_ = 1000;  // What Redis says of every log.
};

TEST_F(AttemptLogTest, AttemptsAreGatheredIntoOneWriteForEachTenant) {
  TakeWrites();
  AttemptLog log = MakeLog();
  Add(log, "e1");
  Add(log, "e2");
  Add(log, "e3", "globex");
  loop_.Advance(AttemptLog::kGather / 2);
  Add(log, "e4");
  EXPECT_THAT(Writes(), SizeIs(0));
  Pass();
  const std::vector<FakeRedisCall> writes = Writes();
  ASSERT_THAT(writes, SizeIs(2));
  EXPECT_EQ(writes[0].args[0], tenure_.keys.AttemptLog("acme"));
  EXPECT_THAT(IdsOf(writes[0]), ElementsAre("e1", "e2", "e4"));
  EXPECT_EQ(writes[1].args[0], tenure_.keys.AttemptLog("globex"));
  EXPECT_EQ(worker_metrics_.attempts_logged.Value(), 4);
}

TEST_F(AttemptLogTest, AWriteTrimsWhatIsOlderThanTheBound) {
  TakeWrites();
  AttemptLog log = MakeLog();
  Add(log, "e1");
  Pass();
  const int64_t oldest_ms = MillisSinceEpoch(loop_.clock().WallNow()) - settings_.age_max.count();
  const std::vector<std::string> args = Writes().at(0).args;
  ASSERT_GE(args.size(), 5u);
  EXPECT_EQ(args[1], "MINID");
  EXPECT_EQ(args[2], "~");
  EXPECT_EQ(args[3], std::to_string(oldest_ms));
  EXPECT_EQ(args[4], "*");
}

TEST_F(AttemptLogTest, AnEntryIsClosedBeforeItIsLargerThanANode) {
  TakeWrites();
  AttemptLog log = MakeLog();
  for (int i = 0; i < 10; ++i) Add(log, "e" + std::to_string(i), "acme", std::string(1024, 'a'));
  Pass();
  size_t ids = 0;
  for (const FakeRedisCall& write : Writes()) {
    EXPECT_LE(write.args.back().size(), AttemptLog::kEntryBytesMax);
    ids += IdsOf(write).size();
  }
  EXPECT_EQ(ids, 10u);
  EXPECT_GE(Writes().size(), 4u);
}

TEST_F(AttemptLogTest, AFlushWritesAtOnce) {
  TakeWrites();
  AttemptLog log = MakeLog();
  Add(log, "e1");
  log.Flush();
  EXPECT_THAT(Writes(), SizeIs(1));
  Pass();
  EXPECT_THAT(Writes(), SizeIs(1));
}

TEST_F(AttemptLogTest, TheExpiryIsRenewedNowAndThen) {
  TakeWrites();
  AttemptLog log = MakeLog();
  Add(log, "e1");
  Pass();
  Add(log, "e2");
  Pass();
  EXPECT_EQ(redis_.CountOf("PEXPIRE"), 1);
  loop_.Advance(settings_.age_max / 10);
  Add(log, "e3");
  Pass();
  EXPECT_EQ(redis_.CountOf("PEXPIRE"), 2);
}

TEST_F(AttemptLogTest, ALogThatIsTooLargeIsTrimmedByTheNextWriteUntilItFits) {
  TakeWrites();
  size_ = settings_.bytes_max * 2;
  AttemptLog log = MakeLog();
  Add(log, "e1");
  Pass();
  EXPECT_EQ(redis_.CountOf("MEMORY"), 1) << "what another owner left is not known";
  Add(log, "e2");
  Pass();
  EXPECT_THAT(Writes().at(1).args, Contains("MAXLEN"));
  EXPECT_EQ(Writes().at(1).args[3], "375");  // Of 1,000 entries three quarters of a half.
  EXPECT_EQ(redis_.CountOf("MEMORY"), 2);
  size_ = 1000;
  Add(log, "e3");
  Pass();
  Add(log, "e4");
  Pass();
  EXPECT_THAT(Writes().at(3).args, Contains("MINID"));
  EXPECT_EQ(redis_.CountOf("MEMORY"), 3);
}

TEST_F(AttemptLogTest, NothingIsWrittenWhileRedisIsAway) {
  TakeWrites();
  AttemptLog log = MakeLog();
  redis_.TakeDown();
  Add(log, "e1");
  Pass();
  EXPECT_THAT(Writes(), SizeIs(0));
  EXPECT_EQ(dropped(), 1);
  redis_.BringUp("run-1");
  Pass();
  EXPECT_THAT(Writes(), SizeIs(0)) << "what was dropped stays so";
  Add(log, "e2");
  Pass();
  EXPECT_THAT(Writes(), SizeIs(1));
}

TEST_F(AttemptLogTest, AWriteThatIsLostIsCountedAndNotRepeated) {
  AttemptLog log = MakeLog();
  Add(log, "e1");
  Add(log, "e2");
  Pass();
  redis_.TakeDown();
  Pass();
  EXPECT_EQ(dropped(), 2);
  redis_.BringUp("run-2");
  Pass();
  EXPECT_THAT(Writes(), SizeIs(1));
}

TEST_F(AttemptLogTest, ARefusalForMemoryIsCountedAndTheExpirySetAnew) {
  redis_.On("XADD", RedisValue::Error("OOM command not allowed"));
  AttemptLog log = MakeLog();
  Add(log, "e1");
  Pass();
  EXPECT_EQ(dropped(), 1);
  TakeWrites();
  Add(log, "e2");
  Pass();
  EXPECT_EQ(redis_.CountOf("PEXPIRE"), 2);
  EXPECT_EQ(dropped(), 1);
}

// The bound that keeps a worker small while Redis does not answer.
TEST_F(AttemptLogTest, WhatWaitsForASlowRedisIsBounded) {
  AttemptLog log = MakeLog();
  const std::string answer(1024, 'a');
  constexpr int kAttempts = 10'000;
  for (int i = 0; i < kAttempts; ++i) {
    Add(log, "e", "acme", answer);
    if (i % 100 == 0) Pass();
  }
  Pass();
  size_t waiting = 0;
  for (const FakeRedisCall& write : Writes()) waiting += write.args.back().size();
  EXPECT_LE(waiting, AttemptLog::kBytesMax);
  EXPECT_GT(waiting, AttemptLog::kBytesMax / 2);
  EXPECT_GT(dropped(), 0);

  TakeWrites();
  while (redis_.unanswered() > 0) redis_.Answer(RedisValue::Integer(1));
  Pass();
  const double before = dropped();
  Add(log, "e");
  Pass();
  EXPECT_EQ(dropped(), before) << "what has been answered makes room";
}

TEST_F(AttemptLogTest, NothingIsWrittenWhileMemoryIsTight) {
  TakeWrites();
  AttemptLog log = MakeLog();
  log.SetMemory(AttemptLog::Memory::kTight);
  Add(log, "e1");
  Pass();
  EXPECT_THAT(Writes(), SizeIs(0));
  EXPECT_EQ(dropped(), 1);
  log.SetMemory(AttemptLog::Memory::kAmple);
  Add(log, "e2");
  Pass();
  EXPECT_THAT(Writes(), SizeIs(1));
}

TEST_F(AttemptLogTest, ALogIsHeldShorterWhileMemoryIsScarce) {
  TakeWrites();
  size_ = settings_.bytes_max / 4;  // Well within the bound.
  AttemptLog log = MakeLog();
  log.SetMemory(AttemptLog::Memory::kScarce);
  Add(log, "e1");
  Pass();
  Add(log, "e2");
  Pass();
  EXPECT_THAT(Writes().at(1).args, Contains("MAXLEN"));
  EXPECT_EQ(Writes().at(1).args[3], "375");  // Of a quarter of the bound to 3/4 of an eighth.
}

TEST_F(AttemptLogTest, NothingIsWrittenWhenItIsSwitchedOff) {
  settings_.enabled = false;
  AttemptLog log = MakeLog();
  Add(log, "e1");
  Pass();
  EXPECT_TRUE(redis_.calls().empty());
  EXPECT_EQ(dropped(), 0);
}

TEST_F(AttemptLogTest, LogsAreForgottenWhenThereAreTooMany) {
  TakeWrites();
  AttemptLog log = MakeLog();
  for (size_t i = 0; i <= AttemptLog::kLogsKnownMax; ++i) Add(log, "e", "t" + std::to_string(i));
  Pass();
  redis_.ForgetCalls();
  Add(log, "e", "t1");
  Pass();
  EXPECT_EQ(redis_.CountOf("XADD"), 1);
  EXPECT_EQ(redis_.CountOf("MEMORY"), 1) << "asked anew";
}

}  // namespace
}  // namespace relay
