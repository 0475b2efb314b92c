// relayctl verify on the logs of runs in which something went wrong: each wrong is found, nothing
// else is, and in a clean run there is nothing.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "cli/command_line.h"
#include "cli/verify_command.h"
#include "relay/exit_code.h"
#include "relay/json_object.h"
#include "relay/sha256.h"
#include "tests/cli/temporary_folder.h"

namespace relay {
namespace {

constexpr char kCatalog[] = R"(
format = 1
[[source]]
id = "live"
path = "live"
provider = "tencent-live"
keys = ["k"]
route = { tenant = "acme" }
[[tenant]]
id = "acme"
[[tenant.endpoint]]
id = "a"
url = "http://127.0.0.1:9101/hook"
timeout = "5s"
retry = { schedule = ["1s", "5s"], jitter = 0.2 }
[[tenant.endpoint]]
id = "b"
url = "http://127.0.0.1:9102/hook"
retry = { schedule = ["1s", "5s"], jitter = 0.2 }
[[tenant.endpoint]]
id = "starts"
url = "http://127.0.0.1:9103/hook"
pattern = '{"event_type":[1]}'
)";

// Everything that a clean run has none of.
constexpr const char* kWrongs[] = {"refused",
                                   "indeterminate",
                                   "dead",
                                   "false_dead",
                                   "pending",
                                   "lost_in_cut",
                                   "lost_in_cut_oldest_ms",
                                   "loss",
                                   "phantom",
                                   "corrupt",
                                   "duplicates",
                                   "duplicates_near_fault",
                                   "duplicates_without_fault",
                                   "late_answers",
                                   "delivered_after_5xx",
                                   "early_retries",
                                   "late_retries",
                                   "late_retries_near_fault",
                                   "inversions",
                                   "dead_unknown",
                                   "pending_unknown",
                                   "malformed_lines"};
using Found = std::map<std::string, int64_t>;

std::string Micros(int64_t at_ms) {
  return std::to_string(1'000'000'000'000 + at_ms * 1000);
}

std::string Quoted(const std::string& name, const std::string& value) {
  return "\"" + name + "\":\"" + value + "\",";
}

// A request at a sink; what is not said is as it should be.
struct Arrival {
  std::string endpoint = "acme/a";
  int attempt = 1;
  int status = 200;
  std::string signature = "ok";
  std::string body = "";
  std::string id = "";
};

// The logs of a run as the tools write them. Times are milliseconds since its beginning.
struct Logs {
  std::string sent, received, dead, pending, faults;

  void Send(const std::string& seq, int64_t at_ms, const std::string& stream = "s") {
    sent += R"({"op":"send",)" + Quoted("seq", seq) + Quoted("sha256", Sha256Hex(seq)) +
            R"("type":"100",)" + Quoted("stream", stream) + "\"at_us\":" + Micros(at_ms) + "}\n";
  }
  void Answer(const std::string& seq, int64_t at_ms, int status = 200) {
    sent += R"({"op":"answer",)" + Quoted("seq", seq) + "\"status\":" + std::to_string(status) +
            ",\"latency_us\":1000,\"at_us\":" + Micros(at_ms) + "}\n";
  }
  void Acked(const std::string& seq, int64_t at_ms = 0, const std::string& stream = "s") {
    Send(seq, at_ms, stream);
    Answer(seq, at_ms + 1);
  }
  void Refused(const std::string& seq, int status) {
    Send(seq, 0);
    Answer(seq, 1, status);
  }
  void Got(const std::string& seq, int64_t at_ms, const Arrival& how = {}) {
    received += Quoted("webhook_id", how.id.empty() ? "id-" + seq : how.id) +
                Quoted("endpoint", how.endpoint) + Quoted("seq", seq) +
                Quoted("sha256", Sha256Hex(how.body.empty() ? seq : how.body)) +
                Quoted("signature", how.signature) + "\"attempt\":" + std::to_string(how.attempt) +
                ",\"status\":" + std::to_string(how.status) + ",\"at_us\":" + Micros(at_ms) + "}\n";
    received.insert(received.rfind('\n', received.size() - 2) + 1, "{");
  }
  void GotBoth(const std::string& seq, int64_t at_ms) {
    Got(seq, at_ms);
    Got(seq, at_ms, {.endpoint = "acme/b"});
  }
  // Of endpoint b, which has received everything else.
  void Dead(const std::string& seq, const std::string& reason) {
    dead += "{" + Quoted("event_id", "id-" + seq) + Quoted("reason", reason) +
            "\"endpoint\":\"acme/b\"}\n";
  }
  void Pending(const std::string& seq, const std::string& endpoint) {
    pending += "{" + Quoted("webhook_id", "id-" + seq) + Quoted("endpoint", endpoint) +
               R"("seq":")" + seq + "\"}\n";
  }
  void Fault(int64_t at_ms, int64_t until_ms, int64_t may_lose_ms = 0) {
    faults += R"({"kind":"kill","target":"x",)"
              "\"at_us\":" +
              Micros(at_ms) + ",\"until_us\":" + Micros(until_ms) +
              ",\"may_lose_us\":" + std::to_string(may_lose_ms * 1000) + "}\n";
  }
  // Endpoint b answers 2xx to other deliveries all the time.
  void KeepWell(int64_t from_ms, int64_t until_ms) {
    for (int64_t at_ms = from_ms; at_ms <= until_ms; at_ms += 200) {
      const std::string seq = "well-" + std::to_string(at_ms);
      Acked(seq, at_ms, seq);
      GotBoth(seq, at_ms + 5);
    }
  }
};

struct Case {
  const char* name;
  void (*plant)(Logs& logs);
  Found found;
};

class VerifyTest : public testing::TestWithParam<Case> {
 protected:
  // Three callbacks that arrived where they should, at 100 ms.
  VerifyTest() {
    for (const char* seq : {"1", "2", "3"}) logs_.Acked(seq, 90, "clean");
    for (const char* seq : {"1", "2", "3"}) logs_.GotBoth(seq, 100);
  }
  int Verify(std::vector<std::string> more = {"--json"}) {
    more.insert(
        more.begin(),
        {"verify", "--expect", Write("catalog", kCatalog), "--sent", Write("sent", logs_.sent),
         "--received", Write("received", logs_.received), "--dead", Write("dead", logs_.dead),
         "--pending", Write("pending", logs_.pending), "--faults", Write("faults", logs_.faults)});
    static constexpr AddCommand kCommands[] = {&AddVerifyCommand};
    testing::internal::CaptureStdout();
    const int code = RunCommandLine(kCommands, std::move(more), {});
    std::fflush(stdout);
    out_ = testing::internal::GetCapturedStdout();
    return code;
  }
  std::string Write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_.File(name)) << text;
    return folder_.File(name);
  }
  // As it stands in the JSON.
  std::string Raw(const std::string& name) const {
    JsonObject object;
    EXPECT_TRUE(object.Parse(out_).ok()) << out_;
    const JsonMember* member = object.Find(name);
    return member ? std::string(member->raw) : "absent";
  }
  Found WrongsFound() const {
    Found found;
    for (const char* name : kWrongs) {
      if (Raw(name) != "0") found[name] = std::stoll(Raw(name));
    }
    return found;
  }

  TemporaryFolder folder_;
  Logs logs_;
  std::string out_;
};

TEST_P(VerifyTest, FindsWhatIsPlantedAndNothingElse) {
  GetParam().plant(logs_);
  const Found& expected = GetParam().found;
  const bool breach =
      expected.contains("loss") || expected.contains("phantom") || expected.contains("corrupt");
  EXPECT_EQ(Verify(), breach ? kExitCheckFailed : kExitOk);
  EXPECT_EQ(WrongsFound(), expected) << out_;
}

const Case kCases[] = {
    {"Nothing", [](Logs&) {}, {}},

    // ---- Lost, dead or pending
    {"LossAtOneEndpoint",
     [](Logs& logs) {
       logs.Acked("x");
       logs.Got("x", 10);
     },
     {{"loss", 1}}},
    {"LossEverywhere", [](Logs& logs) { logs.Acked("x"); }, {{"loss", 2}}},
    {"LossOfWhatWasOnlyRefused",
     [](Logs& logs) {
       logs.Acked("x");
       logs.Got("x", 10);
       logs.Got("x", 10, {.endpoint = "acme/b", .status = 500});
     },
     {{"loss", 1}}},
    {"LossOfWhatWasAcknowledgedAtItsSecondSending",
     [](Logs& logs) {
       logs.Refused("x", 503);
       logs.Acked("x", 50);
     },
     {{"loss", 2}}},
    {"DeadLetterIsNoLoss",
     [](Logs& logs) {
       logs.Acked("x");
       logs.Got("x", 10);
       for (int i = 0; i < 3; ++i) {
         logs.Got("x", 6'000 * i, {.endpoint = "acme/b", .attempt = i + 1, .status = 500});
       }
       logs.Dead("x", "attempts_exhausted");
     },
     {{"dead", 1}, {"late_retries", 1}}},
    {"DeadLetterOfAnEndpointThatWasWellIsFalse",
     [](Logs& logs) {
       logs.Acked("x");
       logs.Got("x", 10);
       logs.Got("x", 10, {.endpoint = "acme/b", .status = 500});
       logs.Dead("x", "attempts_exhausted");
       logs.KeepWell(200, 10'000);
     },
     {{"dead", 1}, {"false_dead", 1}}},
    {"DeadLetterOfAnEndpointThatWasSilentIsNotFalse",
     [](Logs& logs) {
       logs.Acked("x");
       logs.Got("x", 10);
       logs.Got("x", 10, {.endpoint = "acme/b", .status = 500});
       logs.Dead("x", "attempts_exhausted");
       logs.KeepWell(200, 3'000);
       logs.KeepWell(5'000, 10'000);
     },
     {{"dead", 1}}},
    {"DeadLetterByARuleIsNotFalse",
     [](Logs& logs) {
       logs.Acked("x");
       logs.Got("x", 10);
       logs.Dead("x", "expired");
       logs.KeepWell(200, 10'000);
     },
     {{"dead", 1}}},
    {"DeadLetterThatNobodyKnows",
     [](Logs& logs) { logs.Dead("nobody", "expired"); },
     {{"dead_unknown", 1}}},
    {"PendingEventIsNoLossAnywhere",
     [](Logs& logs) {
       logs.Acked("x");
       logs.Pending("x", "");
     },
     {{"pending", 2}}},
    {"PendingRetryIsNoLossAtItsEndpoint",
     [](Logs& logs) {
       logs.Acked("x");
       logs.Pending("x", "acme/b");
     },
     {{"pending", 1}, {"loss", 1}}},
    {"PendingThatNobodyKnows",
     [](Logs& logs) { logs.Pending("nobody", ""); },
     {{"pending_unknown", 1}}},
    {"CutMayLoseWhatCameShortlyBefore",
     [](Logs& logs) {
       logs.Acked("x", 1'000);
       logs.Fault(1'500, 2'000, /*may_lose_ms=*/1'000);
     },
     {{"lost_in_cut", 2}, {"lost_in_cut_oldest_ms", 499}}},
    {"CutMayNotLoseWhatCameLongBefore",
     [](Logs& logs) {
       logs.Acked("x", 400);
       logs.Fault(1'500, 2'000, /*may_lose_ms=*/1'000);
     },
     {{"loss", 2}}},
    {"CutMayNotLoseWhatCameAfterIt",
     [](Logs& logs) {
       logs.Acked("x", 2'100);
       logs.Fault(1'500, 2'000, /*may_lose_ms=*/1'000);
     },
     {{"loss", 2}}},
    {"FaultThatIsNoCutMayLoseNothing",
     [](Logs& logs) {
       logs.Acked("x", 1'499);
       logs.Fault(1'500, 2'000);
     },
     {{"loss", 2}}},

    // ---- Neither owed nor forbidden
    {"RefusedIsNotOwed", [](Logs& logs) { logs.Refused("x", 503); }, {{"refused", 1}}},
    {"RefusedBy5xxMayArrive",
     [](Logs& logs) {
       logs.Refused("x", 503);
       logs.Got("x", 10);
     },
     {{"refused", 1}, {"delivered_after_5xx", 1}}},
    {"UnansweredIsNotOwedAndMayArrive",
     [](Logs& logs) {
       logs.Send("x", 0);
       logs.Send("y", 0);
       logs.Refused("z", 0);
       logs.GotBoth("y", 10);
     },
     {{"indeterminate", 3}}},

    // ---- Invented or altered
    {"PhantomThatWasNeverSent", [](Logs& logs) { logs.Got("never", 10); }, {{"phantom", 1}}},
    {"PhantomThatWasForged",
     [](Logs& logs) {
       logs.Refused("x", 403);
       logs.Got("x", 10);
     },
     {{"refused", 1}, {"phantom", 1}}},
    {"PhantomThatIsNotOwedThere",
     [](Logs& logs) { logs.Got("1", 110, {.endpoint = "acme/starts"}); },
     {{"phantom", 1}}},
    {"CorruptBody",
     [](Logs& logs) {
       logs.Acked("x");
       logs.Got("x", 10);
       logs.Got("x", 10, {.endpoint = "acme/b", .body = "other"});
     },
     {{"corrupt", 1}}},
    {"CorruptSignature",
     [](Logs& logs) {
       logs.Acked("x");
       logs.Got("x", 10);
       logs.Got("x", 10, {.endpoint = "acme/b", .signature = "bad"});
     },
     {{"corrupt", 1}}},
    {"UnsignedWhereOthersAreSigned",
     [](Logs& logs) {
       logs.Acked("x");
       logs.Got("x", 10);
       logs.Got("x", 10, {.endpoint = "acme/b", .signature = "none"});
     },
     {{"corrupt", 1}}},
    {"ChangedWebhookId",
     [](Logs& logs) {
       logs.Acked("x");
       logs.Got("x", 10);
       logs.Got("x", 10, {.endpoint = "acme/b", .id = "another"});
     },
     {{"corrupt", 1}}},
    {"WebhookIdOfAnother",
     [](Logs& logs) {
       logs.Acked("x");
       logs.Got("x", 10, {.id = "id-1"});
       logs.Got("x", 10, {.endpoint = "acme/b", .id = "id-1"});
     },
     {{"corrupt", 2}}},

    // ---- Repeated
    {"DuplicateWithoutAFault",
     [](Logs& logs) { logs.Got("1", 200); },
     {{"duplicates", 1}, {"duplicates_without_fault", 1}}},
    {"DuplicateDuringAFault",
     [](Logs& logs) {
       logs.Fault(150, 40'000);
       logs.Got("1", 200);
     },
     {{"duplicates", 1}, {"duplicates_near_fault", 1}}},
    {"DuplicateSoonAfterAFault",
     [](Logs& logs) {
       logs.Fault(150, 160);
       logs.Got("1", 30'160);
     },
     {{"duplicates", 1}, {"duplicates_near_fault", 1}}},
    {"DuplicateLongAfterAFault",
     [](Logs& logs) {
       logs.Fault(150, 160);
       logs.Got("1", 30'161);
     },
     {{"duplicates", 1}, {"duplicates_without_fault", 1}}},
    {"DuplicateBeforeAFault",
     [](Logs& logs) {
       logs.Got("1", 200);
       logs.Fault(201, 300);
     },
     {{"duplicates", 1}, {"duplicates_without_fault", 1}}},
    {"DuplicateAfterAnAnswerThatCameTooLate",
     [](Logs& logs) { logs.Got("1", 6'200, {.attempt = 2}); },
     {{"duplicates", 1}, {"late_answers", 1}}},
    {"DuplicateAfterAnAnswerThatCameInTime",
     [](Logs& logs) { logs.Got("1", 4'200, {.attempt = 2}); },
     {{"duplicates", 1}, {"duplicates_without_fault", 1}}},
    {"SuccessAfterFailuresIsNoDuplicate",
     [](Logs& logs) {
       logs.Acked("x");
       logs.Got("x", 10, {.endpoint = "acme/b"});
       logs.Got("x", 10, {.status = 500});
       logs.Got("x", 1'010, {.attempt = 2});
     },
     {}},

    // ---- Too early, too late, overtaken
    {"EarlyRetry",
     [](Logs& logs) {
       logs.Acked("x");
       logs.Got("x", 10, {.endpoint = "acme/b"});
       logs.Got("x", 10, {.status = 500});
       logs.Got("x", 780, {.attempt = 2});
     },
     {{"early_retries", 1}}},
    {"LateRetry",
     [](Logs& logs) {
       logs.Acked("x");
       logs.Got("x", 10, {.endpoint = "acme/b"});
       logs.Got("x", 10, {.status = 500});
       logs.Got("x", 3'220, {.attempt = 2});
     },
     {{"late_retries", 1}}},
    {"LateRetryAfterAFault",
     [](Logs& logs) {
       logs.Acked("x");
       logs.Fault(20, 3'000);
       logs.Got("x", 10, {.endpoint = "acme/b"});
       logs.Got("x", 10, {.status = 500});
       logs.Got("x", 3'220, {.attempt = 2});
     },
     {{"late_retries", 1}, {"late_retries_near_fault", 1}}},
    {"RetryAfterSilenceIsNotJudged",
     [](Logs& logs) {
       logs.Acked("x");
       logs.Got("x", 10, {.endpoint = "acme/b"});
       logs.Got("x", 10, {.status = 0});
       logs.Got("x", 100, {.attempt = 2});
     },
     {}},
    {"Inversion",
     [](Logs& logs) {
       logs.Acked("x", 0, "ordered");
       logs.Acked("y", 10, "ordered");
       logs.GotBoth("y", 20);
       logs.GotBoth("x", 30);
     },
     {{"inversions", 2}}},
    {"OvertakingByAnotherStreamIsNoInversion",
     [](Logs& logs) {
       logs.Acked("x", 0, "ordered");
       logs.Acked("y", 10, "another");
       logs.GotBoth("y", 20);
       logs.GotBoth("x", 30);
     },
     {}},

    {"LinesThatAreCutOff",
     [](Logs& logs) {
       logs.sent += R"({"op":"send","seq":"x","sh)";
       logs.received += "\n";
       logs.faults += "{}\n";
     },
     {{"malformed_lines", 3}}},
};

INSTANTIATE_TEST_SUITE_P(Each, VerifyTest, testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.name); });

TEST_F(VerifyTest, LimitsOfDuplicatesAndOfWhatIsPendingFailIt) {
  logs_.Acked("x");
  logs_.Pending("x", "");
  logs_.Got("1", 200);
  EXPECT_EQ(Verify({"--max-duplicates", "1"}), kExitOk);
  EXPECT_EQ(Verify({"--max-duplicates", "0"}), kExitCheckFailed);
  EXPECT_EQ(Verify({"--max-duplicates-without-fault", "0"}), kExitCheckFailed);
  EXPECT_EQ(Verify({"--drained"}), kExitCheckFailed);
  logs_.Fault(150, 160);
  EXPECT_EQ(Verify({"--max-duplicates-without-fault", "0"}), kExitOk);
}

TEST_F(VerifyTest, AftermathOfAFaultIsAsLongAsItIsSaid) {
  logs_.Fault(150, 160);
  logs_.Got("1", 5'000);
  EXPECT_EQ(Verify({"--fault-window", "4s", "--json"}), kExitOk);
  EXPECT_EQ(Raw("duplicates_without_fault"), "1");
  EXPECT_EQ(Verify({"--fault-window", "5s", "--json"}), kExitOk);
  EXPECT_EQ(Raw("duplicates_without_fault"), "0");
}

TEST_F(VerifyTest, TableNamesWhatIsLostAndWhatIsPending) {
  logs_.Acked("x");
  logs_.Got("x", 10);
  logs_.Acked("y");
  logs_.Pending("y", "");
  EXPECT_EQ(Verify({}), kExitCheckFailed);
  EXPECT_THAT(out_, testing::HasSubstr("loss: x at acme/b"));
  EXPECT_THAT(out_, testing::HasSubstr("pending: y at acme/a"));
  EXPECT_THAT(out_, testing::ContainsRegex("loss +1"));
}

// 20 callbacks a second; Redis is away from 1 s to 3 s, and what was refused comes again at 3.2 s.
TEST_F(VerifyTest, OutageIsSeenInAvailabilityAndRecovery) {
  logs_ = {};
  logs_.Fault(1'000, 3'000);
  for (int64_t at_ms = 0; at_ms < 6'000; at_ms += 50) {
    const std::string seq = std::to_string(at_ms);
    const bool refused = at_ms >= 1'000 && at_ms < 3'200;
    logs_.Send(seq, at_ms, seq);
    logs_.Answer(seq, at_ms + 1, refused ? 503 : 200);
    if (refused) logs_.Acked(seq, 3'200 + at_ms / 50, seq);
    logs_.GotBoth(seq, (refused ? 3'200 + at_ms / 50 : at_ms) + 10);
  }
  EXPECT_EQ(Verify(), kExitOk) << out_;
  EXPECT_EQ(WrongsFound(), Found()) << out_;
  EXPECT_EQ(Raw("faults"), "1");
  EXPECT_EQ(Raw("availability"), "0.73170732");  // 120 of 164.
  // One offer from the first refusal at 1 s until its acknowledgement; 951 ms is before it.
  EXPECT_EQ(Raw("longest_gap_ms"), "2201");
  EXPECT_EQ(Raw("windows_without_2xx"), "22");
  EXPECT_EQ(Raw("first_2xx_after_fault_ms_max"), "201");
  EXPECT_EQ(Raw("first_delivery_after_fault_ms_max"), "210");
  EXPECT_EQ(Raw("recover_ms_max"), "200");
  EXPECT_EQ(Raw("faults_unrecovered"), "0");
}

}  // namespace
}  // namespace relay
