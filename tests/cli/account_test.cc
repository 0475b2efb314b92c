#include "cli/account.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "relay/sha256.h"
#include "tests/cli/temporary_folder.h"

namespace relay {
namespace {

constexpr int64_t kSecond = 1'000'000;

// Logs of a run with planted faults; the account must find each and nothing else.
class AccountTest : public testing::Test {
 protected:
  void Send(const std::string& seq, int64_t at_us = kSecond, const std::string& stream = "s") {
    SentLine line;
    line.seq = seq;
    line.sha256 = Sha256Hex(seq);
    line.type = "1";
    line.stream = stream;
    line.at_us = at_us;
    account_.Add(line);
  }
  void Answer(const std::string& seq, int status, int64_t at_us = kSecond + 1000) {
    SentLine line;
    line.answer = true;
    line.seq = seq;
    line.status = status;
    line.at_us = at_us;
    account_.Add(line);
  }
  void SendAcked(const std::string& seq) {
    Send(seq);
    Answer(seq, 200);
  }
  static ReceivedLine Arrival(const std::string& seq, const std::string& endpoint) {
    ReceivedLine line;
    line.webhook_id = "id-of-" + seq;
    line.endpoint = endpoint;
    line.seq = seq;
    line.sha256 = Sha256Hex(seq);
    line.signature = "ok";
    line.attempt = 1;
    line.status = 200;
    line.at_us = kSecond + 5000;
    return line;
  }
  void Receive(const std::string& seq, const std::string& endpoint = "t/a", int status = 200) {
    ReceivedLine line = Arrival(seq, endpoint);
    line.status = status;
    account_.Add(line);
  }

  Account account_{nullptr};
};

TEST_F(AccountTest, WhatArrivedEverywhereIsClean) {
  for (const char* seq : {"r.1", "r.2", "r.3"}) {
    SendAcked(seq);
  }
  for (const char* seq : {"r.1", "r.2", "r.3"}) {
    Receive(seq, "t/a");
    Receive(seq, "t/b");
  }
  const AccountResult result = account_.Conclude();
  EXPECT_TRUE(result.clean());
  EXPECT_EQ(result.callbacks, 3);
  EXPECT_EQ(result.acked, 3);
  EXPECT_EQ(result.endpoints, 2);
  EXPECT_EQ(result.obligations, 6);
  EXPECT_EQ(result.delivered, 6);
  EXPECT_EQ(result.duplicates, 0);
  EXPECT_THAT(result.examples, testing::IsEmpty());
}

TEST_F(AccountTest, AcknowledgedAndNotDeliveredIsALossAndIsNamed) {
  SendAcked("r.1");
  SendAcked("r.2");
  Receive("r.1", "t/a");
  Receive("r.1", "t/b");
  Receive("r.2", "t/a");
  const AccountResult result = account_.Conclude();
  EXPECT_EQ(result.loss, 1);
  EXPECT_FALSE(result.clean());
  EXPECT_THAT(result.examples, testing::ElementsAre("loss: r.2 at t/b"));
}

TEST_F(AccountTest, DeliveryThatTheEndpointRefusedIsNotDelivered) {
  SendAcked("r.1");
  Receive("r.1", "t/a", 500);
  EXPECT_EQ(account_.Conclude().loss, 1);
}

TEST_F(AccountTest, DeadLetterIsNoLoss) {
  SendAcked("r.1");
  SendAcked("r.2");
  Receive("r.1", "t/a");
  Receive("r.2", "t/a");
  account_.Add(DeadLine{{"id-of-r.1", "t/b", ""}, ""});
  account_.Add(DeadLine{{"whatever", "t/b", "r.2"}, ""});
  account_.Add(DeadLine{{"never-seen", "t/b", ""}, ""});
  const AccountResult result = account_.Conclude();
  EXPECT_EQ(result.loss, 0);
  EXPECT_EQ(result.dead, 2);
  EXPECT_EQ(result.dead_unknown, 1);
}

TEST_F(AccountTest, NeitherIndeterminateNorRefusedIsOwed) {
  SendAcked("r.0");
  Receive("r.0");
  Send("r.1");
  Answer("r.1", 0);
  Send("r.2");
  Answer("r.2", 403);
  Send("r.3");  // The log ends before its answer.
  const AccountResult result = account_.Conclude();
  EXPECT_TRUE(result.clean());
  EXPECT_EQ(result.indeterminate, 2);
  EXPECT_EQ(result.refused, 1);
  EXPECT_EQ(result.obligations, 1);
}

TEST_F(AccountTest, IndeterminateMayArrive) {
  Send("r.1");
  Answer("r.1", 0);
  Send("r.2");
  Receive("r.1");
  Receive("r.2");
  EXPECT_TRUE(account_.Conclude().clean());
}

TEST_F(AccountTest, RepeatOfTheProviderIsOneObligation) {
  SendAcked("r.1");
  SendAcked("r.1");
  Send("r.2");
  Answer("r.2", 0);
  SendAcked("r.2");
  Receive("r.1");
  Receive("r.2");
  const AccountResult result = account_.Conclude();
  EXPECT_TRUE(result.clean());
  EXPECT_EQ(result.acked, 2);
  EXPECT_EQ(result.obligations, 2);
  EXPECT_EQ(result.duplicates, 0);
}

TEST_F(AccountTest, WhatWasNeverSentIsAPhantom) {
  SendAcked("r.1");
  Receive("r.1");
  Receive("other.1");
  Receive("");
  const AccountResult result = account_.Conclude();
  EXPECT_EQ(result.phantom, 2);
  EXPECT_FALSE(result.clean());
}

TEST_F(AccountTest, ForbiddenCallbackThatArrivesIsAPhantom) {
  Send("r.1");
  Answer("r.1", 403);
  Receive("r.1");
  EXPECT_EQ(account_.Conclude().phantom, 1);
}

// A store whose answer came too late was answered 503 and happened all the same.
TEST_F(AccountTest, CallbackAnswered503MayArrive) {
  Send("r.1");
  Answer("r.1", 503);
  Receive("r.1");
  const AccountResult result = account_.Conclude();
  EXPECT_TRUE(result.clean());
  EXPECT_EQ(result.delivered_after_5xx, 1);
}

TEST_F(AccountTest, AlteredBodyBadSignatureAndChangedIdAreCorrupt) {
  for (const char* seq : {"r.1", "r.2", "r.3"}) {
    SendAcked(seq);
    Receive(seq);
  }
  ReceivedLine altered = Arrival("r.1", "t/b");
  altered.sha256 = Sha256Hex("something else");
  account_.Add(altered);
  ReceivedLine forged = Arrival("r.2", "t/b");
  forged.signature = "bad";
  account_.Add(forged);
  ReceivedLine renamed = Arrival("r.3", "t/b");
  renamed.webhook_id = "another";
  account_.Add(renamed);
  const AccountResult result = account_.Conclude();
  EXPECT_EQ(result.corrupt, 3);
  EXPECT_THAT(result.examples,
              testing::ElementsAre("altered body: r.1 at t/b", "bad signature: r.2 at t/b",
                                   "changed webhook id: r.3 at t/b"));
}

TEST_F(AccountTest, DuplicatesAreSplitByWhetherAFaultIsNear) {
  account_.Add(FaultLine{100 * kSecond, 100 * kSecond, "kill", "worker-1", 0});
  SendAcked("r.1");
  // The first is the delivery; then before the fault, soon after it, and long after it.
  for (const int64_t at_us : {98 * kSecond, 99 * kSecond, 130 * kSecond, 131 * kSecond}) {
    ReceivedLine line = Arrival("r.1", "t/a");
    line.at_us = at_us;
    account_.Add(line);
  }
  const AccountResult result = account_.Conclude();
  EXPECT_EQ(result.duplicates, 3);
  EXPECT_EQ(result.duplicates_near_fault, 1);
  EXPECT_TRUE(result.clean());
}

TEST_F(AccountTest, OvertakingWithinAStreamIsAnInversion) {
  Send("r.1", kSecond, "s1");
  Send("r.2", kSecond, "s1");
  Send("r.3", kSecond, "s2");
  Receive("r.2");
  Receive("r.3");
  Receive("r.1");
  EXPECT_EQ(account_.Conclude().inversions, 1);
}

TEST_F(AccountTest, LatencyCountsFromTheFirstRequestAndFromItsAcknowledgement) {
  Send("r.1", kSecond);
  Answer("r.1", 200, kSecond + 1000);
  Receive("r.1");
  const AccountResult result = account_.Conclude();
  EXPECT_EQ(result.sent_to_receipt.max(), Micros(5000));
  EXPECT_EQ(result.acked_to_receipt.max(), Micros(4000));
}

TEST(AccountLinesTest, LinesOfTheToolsAreRead) {
  AccountLineParser parser;
  SentLine sent;
  ASSERT_TRUE(parser
                  .Parse(R"({"op":"send","seq":"r.1","sha256":"ab","at_us":5,"type":"100",)"
                         R"("stream":"s","domain":"d","param":"tenant=acme"})",
                         &sent)
                  .ok());
  EXPECT_FALSE(sent.answer);
  EXPECT_EQ(sent.param, "tenant=acme");
  ASSERT_TRUE(
      parser.Parse(R"({"op":"answer","seq":"r.1","status":503,"latency_us":9})", &sent).ok());
  EXPECT_TRUE(sent.answer);
  EXPECT_EQ(sent.status, 503);
  EXPECT_EQ(sent.param, "");

  DeadLine dead;
  ASSERT_TRUE(parser
                  .Parse(R"({"event_id":"e1","tenant":"acme","endpoint":"a",)"
                         R"("body":"{\"stream_param\":\"relay_seq=r.9\"}"})",
                         &dead)
                  .ok());
  EXPECT_EQ(dead.endpoint, "acme/a");
  EXPECT_EQ(dead.webhook_id, "e1");
  EXPECT_EQ(dead.seq, "r.9");
}

TEST(AccountLinesTest, ALineThatIsCutOffIsNotTaken) {
  AccountLineParser parser;
  SentLine sent;
  ReceivedLine received;
  DeadLine dead;
  FaultLine fault;
  EXPECT_FALSE(parser.Parse(R"({"op":"send","seq":"r.1","sha)", &sent).ok());
  EXPECT_FALSE(parser.Parse(R"({"op":"send"})", &sent).ok());
  EXPECT_FALSE(parser.Parse(R"({"op":"else","seq":"r.1"})", &sent).ok());
  EXPECT_FALSE(parser.Parse(R"({"seq":"r.1"})", &received).ok());
  EXPECT_FALSE(parser.Parse(R"({"endpoint":"t/a"})", &dead).ok());
  EXPECT_FALSE(parser.Parse(R"({"kind":"kill"})", &fault).ok());
}

TEST(AccountLinesTest, EveryLineOfALongFileIsSeenWhole) {
  TemporaryFolder folder;
  {
    std::ofstream file(folder.File("log"));
    for (int n = 0; n < 300'000; ++n) file << "line " << n << '\n';
    file << "cut off";
  }
  int64_t lines = 0;
  int64_t wrong = 0;
  std::string last;
  ASSERT_TRUE(ForEachLine(folder.File("log"), [&](std::string_view line) {
                if (lines < 300'000 && line != "line " + std::to_string(lines)) ++wrong;
                ++lines;
                last = line;
              }).ok());
  EXPECT_EQ(lines, 300'001);
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(last, "cut off");
  EXPECT_EQ(ForEachLine(folder.File("none"), [](std::string_view) {}).code(),
            StatusCode::kNotFound);
}

}  // namespace
}  // namespace relay
