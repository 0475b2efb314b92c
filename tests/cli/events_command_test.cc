// events show and list against a real Redis; their words without one.

#include "cli/events_command.h"

#include <gmock/gmock.h>

#include "cli/command_line.h"
#include "cli/escaped_text.h"
#include "relay/attempt_log_record.h"
#include "tests/cli/operator_fixture.h"

namespace relay {
namespace {

using testing::AllOf;
using testing::ContainsRegex;
using testing::HasSubstr;
using testing::Not;

constexpr char kId[] = "0123456789abcdef0123456789abcdef";

TEST(EscapedTextTest, NothingReachesATerminalButPrintableText) {
  EXPECT_EQ(EscapedText("plain \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80"),
            "plain \xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80");
  EXPECT_EQ(EscapedText("a\n\r\tb"), "a\\n\\r\\tb");
  EXPECT_EQ(EscapedText(std::string_view("\x1B[2J\0\x7F", 6)), "\\x1b[2J\\x00\\x7f");
  EXPECT_EQ(EscapedText("c:\\x"), "c:\\\\x");
  EXPECT_EQ(EscapedText("\xC2\x9B"), "\\xc2\\x9b") << "a terminal's other escape";
  EXPECT_EQ(EscapedText("\xE2\x80\xAE"), "\\xe2\\x80\\xae") << "right to left from here";
  EXPECT_EQ(EscapedText("\xFF\xC3"), "\\xff\\xc3");
  EXPECT_EQ(EscapedText("\xE2\x82"), "\\xe2\\x82") << "cut within a character";
}

class EventsCommandTest : public OperatorTest {
 protected:
  struct Outcome {
    int code = 0;
    std::string out;
    std::string err;
  };

  void SetUp() override {
    OperatorTest::SetUp();
    now_ms_ = std::stoll(Ask(RedisCommand("TIME")).items.at(0).text) * 1000;
  }
  Outcome Relayctl(std::vector<std::string> arguments) {
    static constexpr AddCommand kCommands[] = {&AddEventsCommand};
    arguments.insert(arguments.begin(), {"--config", conf_});
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    const int code = RunCommandLine(kCommands, std::move(arguments), {});
    std::fflush(stdout);
    std::string out = testing::internal::GetCapturedStdout();
    return {code, std::move(out), testing::internal::GetCapturedStderr()};
  }
  AttemptLogRecord Attempt(const std::string& id, int attempt, AttemptOutcome outcome) {
    AttemptLogRecord record;
    record.event_id = id;
    record.endpoint = endpoint_;
    record.attempt = attempt;
    record.at_ms = now_ms_ + attempt;
    record.outcome = outcome;
    record.times.total = Micros(12'300);
    if (outcome != AttemptOutcome::kAccepted) {
      record.fate = AttemptFate::kRetry;
      record.due_ms = record.at_ms + 1000;
    }
    return record;
  }
  void Log(const std::vector<AttemptLogRecord>& records, int partition = 0,
           const std::string& tenant = "acme") {
    std::string entry;
    for (const AttemptLogRecord& record : records) AppendAttempt(record, entry);
    Ask(RedisCommand("XADD")
            .Arg(PartitionKeys::For(partition, 16).AttemptLog(tenant))
            .Arg("*")
            .Arg(kAttemptsField)
            .Arg(entry));
  }
  static int LinesOf(const std::string& text) {
    return static_cast<int>(std::count(text.begin(), text.end(), '\n'));
  }

  int64_t now_ms_ = 0;
};

TEST_F(EventsCommandTest, EveryAttemptOfAnEventIsShownWhereverItWasLogged) {
  AttemptLogRecord failed = Attempt(kId, 1, AttemptOutcome::kRejected);
  failed.status = 500;
  failed.times.first_byte = Micros(9000);
  failed.answer = "broken\x1B[2J";
  Log({failed, Attempt("fedcba9876543210fedcba9876543210", 1, AttemptOutcome::kAccepted)}, 5);
  AttemptLogRecord delivered = Attempt(kId, 2, AttemptOutcome::kAccepted);
  delivered.status = 200;
  delivered.connection_reused = true;
  Log({delivered}, 5);

  const Outcome shown = Relayctl({"events", "show", kId});
  EXPECT_EQ(shown.code, kExitOk);
  EXPECT_THAT(shown.out, HasSubstr(std::string("webhook-id  ") + kId));
  EXPECT_THAT(shown.out, HasSubstr("acme/customer-a: delivered\n"));
  EXPECT_THAT(shown.out, ContainsRegex("attempt 1  [^ ]+  rejected  status 500  12.3 ms "
                                       "\\(first byte 9.0 ms\\)"));
  EXPECT_THAT(shown.out, HasSubstr("answer  broken\\x1b[2J\n"));
  EXPECT_THAT(shown.out, ContainsRegex("next    20"));
  EXPECT_THAT(shown.out, ContainsRegex("attempt 2  [^ ]+  accepted  status 200  12.3 ms "
                                       "\\(kept connection\\)"));
  EXPECT_THAT(shown.out, Not(HasSubstr("fedcba")));

  const std::string json = Relayctl({"events", "show", kId, "--json"}).out;
  EXPECT_EQ(LinesOf(json), 2);
  EXPECT_THAT(json, HasSubstr("\"attempt\":1"));
  EXPECT_THAT(json, HasSubstr("\"answer\":\"broken\\\\x1b[2J\""));
  EXPECT_THAT(json, HasSubstr("\"first_byte_us\":9000"));
}

TEST_F(EventsCommandTest, WhatIsOwedOrDeadIsShownBesideTheAttempts) {
  Event event = MakeEvent();
  event.id = kId;
  const Member member = Store(event);
  Ask(ClaimEventId(keys_, kId, member, Seconds(60)));
  EXPECT_THAT(Relayctl({"events", "show", kId}).out, HasSubstr("not settled yet"));
  EXPECT_THAT(Relayctl({"events", "show", kId, "--json"}).out, HasSubstr("\"unsettled\""));

  Read();
  const OwedDelivery retry{endpoint_, OwedDelivery::State::kPending, Seconds(60), 1,
                           EncodeAttempt(AttemptOutcome::kTimedOut, 0, Millis(7))};
  const OwedDelivery dead{endpoint_ + 1, OwedDelivery::State::kDead, Millis(0), 1,
                          EncodeAttempt(AttemptOutcome::kFinalStatus, 400, Millis(7))};
  ASSERT_TRUE(SettleOne(Last(member, {retry, dead})));
  Log({Attempt(kId, 1, AttemptOutcome::kTimedOut)});
  const Outcome shown = Relayctl({"events", "show", kId});
  EXPECT_EQ(shown.code, kExitOk);
  EXPECT_THAT(shown.out, HasSubstr("source      demo\ntenant      acme\ntype        100\n"));
  EXPECT_THAT(shown.out, ContainsRegex("acme/customer-a: retry due [^ ]+, attempts made 1\n  att"));
  EXPECT_THAT(shown.out, HasSubstr(": dead letter since "));
  EXPECT_THAT(Relayctl({"events", "show", kId, "--json"}).out,
              AllOf(HasSubstr("\"state\":\"retry\",\"due_at\":"), HasSubstr("\"state\":\"dead\"")));
}

TEST_F(EventsCommandTest, AnEventThatIsDoneIsKnownForAsLongAsItsClaim) {
  Ask(RedisCommand("SET").Arg(keys_.Claim(kId)).Arg(std::to_string(now_ms_) + "-0"));
  Log({Attempt(kId, 1, AttemptOutcome::kAccepted)});
  const Outcome shown = Relayctl({"events", "show", kId});
  EXPECT_EQ(shown.code, kExitOk);
  EXPECT_THAT(shown.out, HasSubstr("nothing is owed any more"));
  EXPECT_THAT(shown.out, HasSubstr("accepted"));
}

TEST_F(EventsCommandTest, AnIdThatNobodyKnowsIsToldWithTheBoundsOfTheLog) {
  const Outcome shown = Relayctl({"events", "show", "nobody\x1B"});
  EXPECT_EQ(shown.code, kExitCheckFailed);
  EXPECT_THAT(shown.err, HasSubstr("nothing is known of nobody\\x1b: attempts are kept for 3d"));
  EXPECT_THAT(shown.err, HasSubstr("16MiB a tenant"));
}

TEST_F(EventsCommandTest, AttemptsOfATenantThatLeftTheCatalogAreFoundByItsName) {
  Log({Attempt(kId, 1, AttemptOutcome::kAccepted)}, 3, "gone");
  EXPECT_EQ(Relayctl({"events", "show", kId}).code, kExitCheckFailed);
  EXPECT_EQ(Relayctl({"events", "show", kId, "--tenant", "gone"}).code, kExitOk);
}

TEST_F(EventsCommandTest, TheNewestAttemptsOfATenantAreListedByFilter) {
  for (int i = 1; i <= 3; ++i) {
    Log({Attempt("a" + std::to_string(i), i, AttemptOutcome::kAccepted)}, i);
  }
  AttemptLogRecord failed = Attempt("bad", 4, AttemptOutcome::kTimedOut);
  failed.endpoint = 77;
  Log({failed}, 9);
  const std::string all = Relayctl({"events", "list", "--tenant", "acme"}).out;
  EXPECT_THAT(all, ContainsRegex("bad +acme/#77 +4 +timed_out +12.3 ms +retry\n.* a3 "));
  EXPECT_THAT(all, HasSubstr("4 attempts\n"));
  const auto lines = [this](std::vector<std::string> options) {
    options.insert(options.begin(), {"events", "list", "--json", "--tenant"});
    return LinesOf(Relayctl(options).out);
  };
  EXPECT_EQ(lines({"acme"}), 4);
  EXPECT_EQ(lines({"nobody"}), 0);
  EXPECT_EQ(lines({"acme", "--limit", "2"}), 2);
  EXPECT_EQ(lines({"acme", "--failed"}), 1);
  EXPECT_EQ(lines({"acme", "--endpoint", "customer-a"}), 3);
  EXPECT_EQ(lines({"acme", "--endpoint", "#77"}), 1);
  EXPECT_EQ(lines({"acme", "--since", "1h"}), 4);
  EXPECT_EQ(lines({"acme", "--since", "2100-01-01T00:00:00Z"}), 0);
  EXPECT_EQ(Relayctl({"events", "list", "--tenant", "acme", "--endpoint", "x"}).code, kExitUsage);
  EXPECT_EQ(Relayctl({"events", "list"}).code, kExitUsage);
}

TEST_F(EventsCommandTest, LogsAreReadBeyondOnePage) {
  for (int i = 0; i < 150; ++i) Log({Attempt(kId, i + 1, AttemptOutcome::kRejected)}, 2);
  EXPECT_EQ(LinesOf(Relayctl({"events", "show", kId, "--json"}).out), 150);
  EXPECT_EQ(
      LinesOf(Relayctl({"events", "list", "--tenant", "acme", "--json", "--limit", "140"}).out),
      140);
}

TEST_F(EventsCommandTest, AnEntryThatCannotBeReadHidesNothingElse) {
  Ask(RedisCommand("XADD").Arg(keys_.AttemptLog("acme")).Arg("*").Arg("a").Arg("\x07garbage"));
  Log({Attempt(kId, 1, AttemptOutcome::kAccepted)});
  const Outcome shown = Relayctl({"events", "show", kId});
  EXPECT_EQ(shown.code, kExitOk);
  EXPECT_THAT(shown.err, HasSubstr("1 entries of the attempt log cannot be read"));
}

TEST_F(EventsCommandTest, ARedisThatIsAwayHasItsOwnExitCode) {
  process_.Stop();
  EXPECT_EQ(Relayctl({"events", "show", kId}).code, kExitRedis);
}

}  // namespace
}  // namespace relay
