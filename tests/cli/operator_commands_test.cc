// fsck, dlq, pending, endpoint, unrouted, refused and status against a real Redis.

#include <gmock/gmock.h>

#include <algorithm>

#include "cli/apply_command.h"
#include "cli/command_line.h"
#include "cli/dlq_command.h"
#include "cli/endpoint_command.h"
#include "cli/fsck_command.h"
#include "cli/pending_command.h"
#include "cli/refused_command.h"
#include "cli/status_command.h"
#include "cli/table.h"
#include "cli/unrouted_command.h"
#include "relay/attempt_record.h"
#include "relay/refusal_record.h"
#include "relay/unrouted_event.h"
#include "tests/cli/operator_fixture.h"

namespace relay {
namespace {

using testing::HasSubstr;
using testing::Not;

class OperatorCommandsTest : public OperatorTest {
 protected:
  struct Outcome {
    int code = 0;
    std::string out;
  };

  Outcome Relayctl(std::vector<std::string> arguments) {
    static constexpr AddCommand kCommands[] = {
        &AddFsckCommand,    &AddDlqCommand,    &AddEndpointCommand, &AddUnroutedCommand,
        &AddRefusedCommand, &AddStatusCommand, &AddPendingCommand,  &AddApplyCommand};
    arguments.insert(arguments.begin(), {"--config", conf_});
    testing::internal::CaptureStdout();
    const int code = RunCommandLine(kCommands, std::move(arguments), {});
    std::fflush(stdout);
    return {code, testing::internal::GetCapturedStdout()};
  }
  int PendingLines(std::vector<std::string> options = {}) {
    options.insert(options.begin(), {"pending", "list", "--json"});
    const std::string out = Relayctl(options).out;
    return static_cast<int>(std::count(out.begin(), out.end(), '\n'));
  }
  // A dead letter of customer-a; its event id.
  std::string Dead(AttemptOutcome outcome) {
    const Event event = MakeEvent();
    Bury(Store(event), outcome);
    return event.id;
  }
  // Makes a stored event a dead letter of customer-a.
  void Bury(const Member& member, AttemptOutcome outcome) {
    Read();
    const OwedDelivery dead{endpoint_, OwedDelivery::State::kDead, Millis(0), 1,
                            EncodeAttempt(outcome, 500, Millis(7))};
    EXPECT_TRUE(SettleOne(Last(member, {dead})));
  }
};

TEST_F(OperatorCommandsTest, FsckFindsABreachAndRepairsIt) {
  Dead(AttemptOutcome::kRejected);
  EXPECT_EQ(Relayctl({"fsck"}).code, kExitOk);
  Ask(RedisCommand("HSET").Arg(keys_.counters).Arg("dead").Arg("9"));
  const Outcome broken = Relayctl({"fsck"});
  EXPECT_EQ(broken.code, kExitCheckFailed);
  EXPECT_THAT(broken.out, HasSubstr("counter dead is 9"));
  EXPECT_EQ(Relayctl({"fsck", "--repair"}).code, kExitOk);
  EXPECT_THAT(Relayctl({"fsck", "--json"}).out, HasSubstr("\"breaches\":0"));
}

TEST_F(OperatorCommandsTest, DeadLettersAreListedByFilter) {
  const std::string exhausted = Dead(AttemptOutcome::kRejected);
  const std::string expired = Dead(AttemptOutcome::kExpired);
  const std::string all = Relayctl({"dlq", "list", "--json"}).out;
  EXPECT_THAT(all, HasSubstr(exhausted));
  EXPECT_THAT(all, HasSubstr(expired));
  EXPECT_THAT(all, HasSubstr("\"endpoint\":\"acme/customer-a\""));
  EXPECT_THAT(all, HasSubstr("\"reason\":\"attempts_exhausted\",\"attempts\":1,"
                             "\"last\":\"rejected\",\"status\":500"));

  const std::string some = Relayctl({"dlq", "list", "--json", "--reason", "expired"}).out;
  EXPECT_THAT(some, HasSubstr(expired));
  EXPECT_THAT(some, Not(HasSubstr(exhausted)));
  EXPECT_EQ(Relayctl({"dlq", "list", "--json", "--endpoint", "customer-b"}).out, "");
  EXPECT_EQ(Relayctl({"dlq", "list", "--json", "--until", "1h"}).out, "");
  const auto matching = [this](const std::string& pattern) {
    return Relayctl({"dlq", "list", "--json", "--pattern", pattern}).out;
  };
  EXPECT_EQ(matching(R"({"event_type":[100],"$tenant":["acme"]})"), all);
  EXPECT_EQ(matching(R"({"event_type":[{"anything-but":100}]})"), "");
  EXPECT_EQ(matching(R"({"$type":["1"]})"), "");
  EXPECT_EQ(Relayctl({"dlq", "list", "--pattern", R"({"a":[{"like":1}]})"}).code, kExitUsage);
  EXPECT_THAT(Relayctl({"dlq", "show", expired}).out, HasSubstr("{\"event_type\":100}"));
  EXPECT_EQ(Relayctl({"dlq", "show", "nobody"}).code, kExitCheckFailed);
}

TEST_F(OperatorCommandsTest, NamesThatOthersHaveChosenCannotTalkToTheTerminal) {
  Event event = MakeEvent();
  event.type = event.ordering_key = "\x1b[2J";
  const Member member = Store(event);
  EXPECT_THAT(Relayctl({"pending", "list"}).out, HasSubstr("\\x1b[2J"));
  Bury(member, AttemptOutcome::kRejected);
  for (const char* command : {"list", "show"}) {
    std::vector<std::string> arguments = {"dlq", command};
    if (command == std::string("show")) arguments.push_back(event.id);
    const std::string out = Relayctl(arguments).out;
    EXPECT_THAT(out, HasSubstr("\\x1b[2J"));
    EXPECT_THAT(out, Not(HasSubstr("\x1b")));
  }
}

TEST_F(OperatorCommandsTest, RedriveAndPurgeTouchOnlyWhatTheFilterNames) {
  Dead(AttemptOutcome::kRejected);
  Dead(AttemptOutcome::kExpired);
  EXPECT_THAT(Relayctl({"dlq", "redrive", "--reason", "expired"}).out,
              HasSubstr("1 dead letter put back"));
  EXPECT_EQ(Length("ZCARD", keys_.Retries(endpoint_)), 1);
  EXPECT_EQ(Length("ZCARD", keys_.DeadLetters(endpoint_)), 1);
  EXPECT_THAT(Relayctl({"dlq", "purge", "--yes"}).out, HasSubstr("1 dead letter thrown away"));
  EXPECT_EQ(Length("ZCARD", keys_.Retries(endpoint_)), 1);
  EXPECT_EQ(Entries(), 1);
  ExpectCleanBooks();
}

TEST_F(OperatorCommandsTest, ADryRunCountsAndChangesNothing) {
  Dead(AttemptOutcome::kRejected);
  Dead(AttemptOutcome::kExpired);
  for (const char* what : {"redrive", "purge"}) {
    EXPECT_THAT(Relayctl({"dlq", what, "--dry-run"}).out, HasSubstr("2 dead letters would be"));
    EXPECT_THAT(Relayctl({"dlq", what, "--dry-run", "--reason", "expired"}).out,
                HasSubstr("1 dead letter would be"));
    EXPECT_THAT(Relayctl({"dlq", what, "--dry-run", "--tenant", "nobody"}).out,
                HasSubstr("0 dead letters"));
  }
  EXPECT_EQ(Length("ZCARD", keys_.DeadLetters(endpoint_)), 2);
}

TEST_F(OperatorCommandsTest, WhatCannotBeMeantIsRefusedAndChangesNothing) {
  Dead(AttemptOutcome::kRejected);
  EXPECT_EQ(Relayctl({"dlq", "redrive", "--endpoint", "nobody"}).code, kExitUsage);
  EXPECT_EQ(Relayctl({"dlq", "redrive", "--tenant", "acme", "--endpoint", "acme/x"}).code,
            kExitUsage);
  EXPECT_EQ(Relayctl({"dlq", "redrive", "--rate", "1000000000"}).code, kExitUsage);
  EXPECT_EQ(Relayctl({"dlq", "redrive", "--rate", "0"}).code, kExitUsage);
  EXPECT_EQ(Relayctl({"dlq", "redrive", "--until", "yesterday"}).code, kExitUsage);
  EXPECT_EQ(Relayctl({"dlq", "redrive", "--type", "999"}).code, kExitOk);
  EXPECT_EQ(Length("ZCARD", keys_.DeadLetters(endpoint_)), 1);
}

// What has died since the first run began was redriven by it, and died again.
TEST_F(OperatorCommandsTest, ARedriveThatGoesOnTakesNothingTwice) {
  Dead(AttemptOutcome::kRejected);
  const std::string dead = keys_.DeadLetters(endpoint_);
  const RedisValue first =
      Ask(RedisCommand("ZRANGE").Arg(dead).Arg("0").Arg("0").Arg("WITHSCORES"));
  ASSERT_EQ(first.items.size(), 2u);
  // Whatever the clock says: the second dies a second after the first.
  Ask(RedisCommand("ZINCRBY").Arg(dead).Arg("-1000").Arg(first.items[0].text));
  Dead(AttemptOutcome::kExpired);
  const std::string until = TimeText(std::stoll(first.items[1].text) - 1000);
  EXPECT_THAT(Relayctl({"dlq", "redrive", "--until", until}).out,
              HasSubstr("1 dead letter put back"));
  EXPECT_THAT(Relayctl({"dlq", "list", "--json"}).out, HasSubstr("\"reason\":\"expired\""));
  EXPECT_EQ(Length("ZCARD", dead), 1);
}

TEST_F(OperatorCommandsTest, WhatIsOwedIsPendingFromItsStoringUntilItIsDone) {
  const Event event = MakeEvent(R"({"event_type":100,"stream_param":"relay_seq=r.7"})");
  const Member member = Store(event);
  const std::string unread = Relayctl({"pending", "list", "--json"}).out;
  EXPECT_THAT(unread, HasSubstr("\"webhook_id\":\"" + event.id + "\",\"tenant\":\"acme\""));
  EXPECT_THAT(unread, HasSubstr("\"state\":\"unread\""));
  EXPECT_THAT(unread, HasSubstr("\"seq\":\"r.7\""));

  Read();
  EXPECT_THAT(Relayctl({"pending", "list", "--json"}).out, HasSubstr("\"state\":\"read\""));

  const OwedDelivery retry{endpoint_, OwedDelivery::State::kPending, Millis(0), 2,
                           EncodeAttempt(AttemptOutcome::kRejected, 500, Millis(7))};
  ASSERT_TRUE(SettleOne(Last(member, {retry})));
  const std::string put_off = Relayctl({"pending", "list", "--json"}).out;
  EXPECT_THAT(put_off, HasSubstr("\"endpoint\":\"acme/customer-a\""));
  EXPECT_THAT(put_off, HasSubstr("\"state\":\"retry\""));
  EXPECT_THAT(put_off, HasSubstr("\"attempts\":2"));
  EXPECT_THAT(put_off, HasSubstr("\"status\":500"));
  EXPECT_EQ(PendingLines(), 1);

  const TakenDelivery taken = TakeAll(endpoint_).at(0);
  EXPECT_EQ(PendingLines(), 1);
  ASSERT_TRUE(ResolveOne(ResolutionOf(taken, endpoint_, Resolution::Kind::kOk)));
  EXPECT_EQ(PendingLines(), 0);
}

TEST_F(OperatorCommandsTest, DeadLettersAreNotPending) {
  Dead(AttemptOutcome::kRejected);
  EXPECT_EQ(PendingLines(), 0);
  EXPECT_THAT(Relayctl({"pending", "list"}).out, HasSubstr("0 retries, 0 events"));
}

TEST_F(OperatorCommandsTest, PendingIsNarrowedToATenantAndToAnEndpoint) {
  Owed({endpoint_});
  Pending();
  EXPECT_EQ(PendingLines(), 2);
  EXPECT_EQ(PendingLines({"--tenant", "acme"}), 2);
  EXPECT_EQ(PendingLines({"--tenant", "nobody"}), 0);
  EXPECT_EQ(PendingLines({"--endpoint", "acme/customer-a"}), 1);
  EXPECT_EQ(PendingLines({"--endpoint", "customer-b"}), 0);
  EXPECT_THAT(Relayctl({"pending", "list"}).out, HasSubstr("1 retries, 1 events not settled yet"));
}

// What a power cut has left with a hole hides nothing else.
TEST_F(OperatorCommandsTest, PendingShowsAnEntryThatIsNotWhatWasWritten) {
  Store(MakeEvent());
  RedisCommand holed("XADD");
  holed.Arg(keys_.normal).Arg("*");
  AppendEventFields(MakeEvent(), holed);
  std::vector<std::string> words = holed.Args();
  words.back().assign(words.back().size(), '\0');
  RedisCommand torn(words.front());
  for (size_t i = 1; i < words.size(); ++i) torn.Arg(words[i]);
  Ask(torn);
  const Outcome listed = Relayctl({"pending", "list", "--json"});
  EXPECT_EQ(listed.code, kExitOk);
  EXPECT_THAT(listed.out, HasSubstr("\"webhook_id\":"));
  EXPECT_THAT(listed.out, HasSubstr("\"state\":\"damaged\""));
  EXPECT_THAT(Relayctl({"pending", "list"}).out, HasSubstr("its sum is wrong"));
}

TEST_F(OperatorCommandsTest, PendingIsShownAsATableWithItsStates) {
  const Member member = Pending();
  Store(MakeEvent());
  const OwedDelivery retry{endpoint_, OwedDelivery::State::kPending, Seconds(60), 3,
                           EncodeAttempt(AttemptOutcome::kTimedOut, 0, Millis(7))};
  ASSERT_TRUE(SettleOne(Last(member, {retry})));
  const std::string table = Relayctl({"pending", "list"}).out;
  EXPECT_THAT(table, testing::ContainsRegex("acme/\\* +100 +unread"));
  EXPECT_THAT(table, testing::ContainsRegex("acme/customer-a +100 +retry +3 +timed_out"));
  EXPECT_THAT(table, HasSubstr("1 retries, 1 events not settled yet"));
}

TEST_F(OperatorCommandsTest, PendingOfARedisThatIsAwayHasItsOwnExitCode) {
  process_.Stop();
  EXPECT_EQ(Relayctl({"pending", "list"}).code, kExitRedis);
}

TEST_F(OperatorCommandsTest, EventsInAPartitionThatNoWorkerHasSeenArePending) {
  const PartitionKeys unseen = PartitionKeys::For(1, 16);
  Value(ParseStored(Ask(StoreEvent(unseen, MakeEvent()))));
  EXPECT_EQ(PendingLines(), 1);
}

TEST_F(OperatorCommandsTest, PendingIsListedBeyondOnePage) {
  for (int i = 0; i < 450; ++i) Owed({endpoint_});
  EXPECT_EQ(PendingLines(), 450);
  for (int i = 0; i < 450; ++i) Store(MakeEvent());
  Read(250);
  EXPECT_EQ(PendingLines(), 900);
}

TEST_F(OperatorCommandsTest, EndpointIsPausedAndResumed) {
  EXPECT_EQ(Relayctl({"endpoint", "pause", "acme/customer-a"}).code, kExitOk);
  EXPECT_THAT(Relayctl({"endpoint", "list"}).out, HasSubstr("paused"));
  EXPECT_EQ(Relayctl({"endpoint", "resume", "acme/customer-a"}).code, kExitOk);
  EXPECT_THAT(Relayctl({"endpoint", "list", "--json"}).out, Not(HasSubstr("paused")));
  EXPECT_EQ(Relayctl({"endpoint", "pause", "acme/nobody"}).code, kExitUsage);
}

TEST_F(OperatorCommandsTest, WhatAPausedEndpointHoldsIsListed) {
  EXPECT_EQ(Relayctl({"endpoint", "pause", "acme/customer-a", "--reason", "moving"}).code, kExitOk);
  Owed({endpoint_});
  Owed({endpoint_});
  EXPECT_THAT(Relayctl({"endpoint", "list", "--json"}).out,
              HasSubstr("\"pending\":2,\"held\":0,\"dead\":0"));
  Run(Hold(keys_, owner_, endpoint_));
  const std::string lines = Relayctl({"endpoint", "list", "--json"}).out;
  EXPECT_THAT(lines, HasSubstr("\"pending\":2,\"held\":2,\"dead\":0"));
  EXPECT_THAT(lines, HasSubstr("\"reason\":\"moving\",\"since\":\"20"));
}

TEST_F(OperatorCommandsTest, DiscardThrowsAwayWhatWaitsAndNothingElse) {
  const std::string dead = Dead(AttemptOutcome::kRejected);
  for (int i = 0; i < 450; ++i) Owed({endpoint_});
  const std::vector<std::string> discard = {"endpoint", "discard", "acme/customer-a"};
  const auto with = [&discard](std::vector<std::string> options) {
    options.insert(options.begin(), discard.begin(), discard.end());
    return options;
  };
  EXPECT_THAT(Relayctl(with({"--dry-run"})).out,
              HasSubstr("450 waiting deliveries of acme/customer-a would be thrown away"));
  EXPECT_EQ(PendingLines(), 450);
  EXPECT_THAT(Relayctl(with({"--yes"})).out,
              HasSubstr("450 waiting deliveries of acme/customer-a thrown away"));
  EXPECT_EQ(PendingLines(), 0);
  EXPECT_EQ(Counters().dropped, 450);
  EXPECT_THAT(Relayctl({"dlq", "list", "--json"}).out, HasSubstr(dead));
  ExpectCleanBooks();
  EXPECT_EQ(Relayctl({"endpoint", "discard", "acme/nobody", "--yes"}).code, kExitUsage);
}

TEST_F(OperatorCommandsTest, ApplySaysWhatARemovedEndpointStillHas) {
  Dead(AttemptOutcome::kRejected);
  Owed({endpoint_});
  Owed({endpoint_});
  const std::string file = process_.folder() + "/empty.toml";
  std::ofstream(file) << "format = 1\n";
  const std::string what = "acme/customer-a has 2 waiting and 1 dead deliveries, which ";
  EXPECT_THAT(Relayctl({"apply", file, "--diff"}).out, HasSubstr(what + "would be dropped\n"));
  const std::string applied = Relayctl({"apply", file}).out;
  EXPECT_THAT(applied, HasSubstr(what + "are dropped\n"));
  EXPECT_THAT(applied, Not(HasSubstr("customer-b")));
}

TEST_F(OperatorCommandsTest, UnroutedEventIsStoredWhereTheCatalogPutsItNow) {
  Event event = MakeEvent();
  event.tenant.clear();
  Ask(KeepUnrouted(event, {}));
  EXPECT_THAT(Relayctl({"unrouted", "list"}).out, HasSubstr(event.id));
  EXPECT_THAT(Relayctl({"unrouted", "redrive"}).out, HasSubstr("1 events routed"));
  EXPECT_EQ(Length("XLEN", std::string(kUnroutedKey)), 0);
  const int partition = PartitionOf("acme", "", event.id, 16);
  EXPECT_EQ(Length("XLEN", PartitionKeys::For(partition, 16).normal), 1);
}

TEST_F(OperatorCommandsTest, RefusalsAndStatusAreShown) {
  Ask(KeepRefusal({"demo", "forged", "the sign does not fit", "127.0.0.1", 403, 1700000000123}));
  EXPECT_THAT(Relayctl({"refused"}).out, HasSubstr("2023-11-14T22:13:20.123Z  demo"));
  EXPECT_THAT(Relayctl({"refused", "--json"}).out, HasSubstr("\"reason\":\"forged\""));
  const std::string status = Relayctl({"status"}).out;
  EXPECT_THAT(status, HasSubstr("catalog version 1"));
  EXPECT_THAT(status, HasSubstr("boot-1"));
}

TEST_F(OperatorCommandsTest, RedisThatIsAwayHasItsOwnExitCode) {
  process_.Stop();
  EXPECT_EQ(Relayctl({"status"}).code, kExitRedis);
}

}  // namespace
}  // namespace relay
