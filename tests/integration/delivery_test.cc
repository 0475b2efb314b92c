#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>
#include <string>

#include "relay/exit_code.h"
#include "tests/integration/relay_system.h"

namespace relay {
namespace {

using ::testing::ContainsRegex;
using ::testing::HasSubstr;

constexpr char kSecretLine[] =
    "signing = { scheme = \"standard-webhooks\", secrets = "
    "[\"whsec_ZGVtby1jdXN0b21lci1hLXNlY3JldC0zMi1ieXRlcyE=\"] }";

TEST(DeliveryTest, AnEventReachesFiveEndpointsOnceEach) {
  RelaySystem relay("always");
  std::vector<EndpointSpec> endpoints;
  for (const std::string name : {"a", "b", "c", "d"}) {
    endpoints.push_back(
        {name,
         relay.StartSink(name, {"--secret", "whsec_ZGVtby1jdXN0b21lci1hLXNlY3JldC0zMi1ieXRlcyE="}),
         kSecretLine});
  }
  endpoints.push_back(
      {"e", relay.StartSink("e", {"--tencent-key", "customer-key"}),
       "format = \"tencent\"\nack = \"code0\"\nsigning = { scheme = \"tencent\", key = "
       "\"customer-key\", validity = \"10m\" }"});
  relay.Apply(endpoints);
  relay.StartBroker();
  relay.StartWorker();
  const Ran sent = relay.Simulate({"--count", "500", "--connections", "8"});
  EXPECT_EQ(sent.status, 0) << sent.output;
  EXPECT_TRUE(relay.WaitUntilDrained());
  for (const EndpointSpec& endpoint : endpoints) EXPECT_EQ(relay.Received(endpoint.id), 500);
  ExpectNothingLost(relay, {"--max-duplicates", "0"});
}

TEST(DeliveryTest, AFailedDeliveryIsRetriedUntilItSucceeds) {
  RelaySystem relay;
  relay.Apply({{"a", relay.StartSink("a", {"--fail-first", "2"}),
                "retry = { schedule = [\"100ms\", \"200ms\", \"300ms\"] }\n"
                "breaker = { failures = 0 }"}});
  relay.StartBroker();
  relay.StartWorker();
  EXPECT_EQ(relay.Simulate({"--count", "20"}).status, 0);
  EXPECT_TRUE(relay.WaitUntilDrained());
  EXPECT_EQ(relay.Received("a"), 60);  // Two refusals and a success for each.
  ExpectNothingLost(relay, {"--max-duplicates", "0"});
}

// The first value of a member in lines of JSON; empty when there is none.
std::string FirstOf(const std::string& lines, const std::string& name) {
  const std::string before = "\"" + name + "\":\"";
  const size_t begin = lines.find(before);
  if (begin == std::string::npos) return "";
  const size_t from = begin + before.size();
  return lines.substr(from, lines.find('"', from) - from);
}

TEST(DeliveryTest, WhatHappenedToAnEventCanBeSeenAttemptByAttempt) {
  RelaySystem relay;
  relay.Apply(
      {{"a", relay.StartSink("a", {"--fail-first", "1"}), "retry = { schedule = [\"100ms\"] }"}});
  relay.StartBroker();
  ChildProgram& worker = relay.StartWorker();
  EXPECT_EQ(relay.Simulate({"--count", "3"}).status, 0);
  EXPECT_TRUE(relay.WaitUntilDrained());
  // What a worker has gathered is written when it stops.
  worker.Signal(SIGTERM);
  EXPECT_EQ(worker.Wait(Seconds(30)), 0);

  const Ran listed = relay.Relayctl({"events", "list", "--tenant", "acme", "--failed", "--json"});
  EXPECT_EQ(std::count(listed.output.begin(), listed.output.end(), '\n'), 3) << listed.output;
  const std::string id = FirstOf(listed.output, "webhook_id");
  const Ran shown = relay.Relayctl({"events", "show", id});
  EXPECT_EQ(shown.status, 0) << shown.output;
  EXPECT_THAT(shown.output, HasSubstr("acme/a: delivered"));
  EXPECT_THAT(shown.output, ContainsRegex("attempt 1  [^ ]+  [a-z]+  status 5[0-9][0-9]  "));
  EXPECT_THAT(shown.output, ContainsRegex("next    20"));
  EXPECT_THAT(shown.output, ContainsRegex("attempt 2  [^ ]+  accepted  status 200  "));
  EXPECT_EQ(relay.Fsck().status, 0);
}

TEST(DeliveryTest, ADeliveryThatDiesIsKeptAndRedriven) {
  RelaySystem relay;
  const int port = relay.StartSink("a", {"--status", "500"});
  relay.Apply({{"a", port,
                "retry = { schedule = [\"50ms\"] }\n"
                "breaker = { failures = 0, share = 0 }"}});
  relay.StartBroker();
  relay.StartWorker();
  EXPECT_EQ(relay.Simulate({"--count", "30"}).status, 0);
  EXPECT_TRUE(relay.WaitUntilDrained());
  const Ran dead = relay.Relayctl({"dlq", "list", "--json"});
  EXPECT_EQ(std::count(dead.output.begin(), dead.output.end(), '\n'), 30) << dead.output;
  EXPECT_THAT(dead.output, HasSubstr("attempts_exhausted"));
  EXPECT_EQ(relay.Fsck().status, 0);

  relay.sink("a").Kill9();
  relay.StartSink("a", {}, port);
  const Ran redriven = relay.Relayctl({"dlq", "redrive", "--tenant", "acme"});
  EXPECT_EQ(redriven.status, 0) << redriven.output;
  EXPECT_TRUE(relay.WaitUntilDrained());
  EXPECT_EQ(relay.Relayctl({"dlq", "list", "--json"}).output, "");
  ExpectNothingLost(relay, {"--max-duplicates", "0"});
}

// However it is stopped, what it had put back is put back, and the rest follows when it goes on.
TEST(DeliveryTest, AStoppedRedriveGoesOnWhereItWas) {
  constexpr int kLetters = 60;
  for (const int signal : {SIGINT, SIGKILL}) {
    RelaySystem relay;
    const int port = relay.StartSink("a", {"--status", "500"});
    relay.Apply({{"a", port,
                  "retry = { schedule = [\"50ms\"] }\n"
                  "breaker = { failures = 0, share = 0 }"}});
    relay.StartBroker();
    relay.StartWorker();
    EXPECT_EQ(relay.Simulate({"--count", std::to_string(kLetters)}).status, 0);
    EXPECT_TRUE(relay.WaitUntilDrained());
    relay.sink("a").Kill9();
    relay.StartSink("a", {}, port);
    const int before = relay.Received("a");

    const auto redrive = relay.RelayctlBeside({"dlq", "redrive", "--rate", "10"});
    ASSERT_TRUE(WaitUntil(Seconds(20), [&] { return relay.Received("a") > before + 3; }));
    redrive->Signal(signal);
    EXPECT_EQ(redrive->Wait(Seconds(1)), signal == SIGINT ? kExitInterrupted : 128 + SIGKILL);
    EXPECT_THAT(redrive->Output(), HasSubstr("60 dead letters to put back"));
    const auto until = redrive->WaitForOutput("died until (\\S+)", Seconds(1));
    ASSERT_TRUE(until) << redrive->Output();
    EXPECT_TRUE(relay.WaitUntilDrained());
    EXPECT_LT(relay.Received("a"), before + kLetters);

    EXPECT_EQ(relay.Relayctl({"dlq", "redrive", "--until", *until}).status, 0);
    EXPECT_TRUE(relay.WaitUntilDrained());
    EXPECT_EQ(relay.Received("a"), before + kLetters);
    ExpectNothingLost(relay, {"--max-duplicates", "0"});
  }
}

// The provider repeats a callback until it reads a 200; its customers must see it once.
TEST(DeliveryTest, AProvidersRepeatIsAcknowledgedAndNotDeliveredAgain) {
  RelaySystem relay;
  relay.Apply({{"a", relay.StartSink("a"), ""}});
  relay.StartBroker();
  relay.StartWorker();
  const Ran sent = relay.Simulate({"--count", "400", "--duplicate", "0.5", "--connections", "4"});
  EXPECT_EQ(sent.status, 0) << sent.output;
  EXPECT_TRUE(relay.WaitUntilDrained());
  EXPECT_THAT(HttpGet(relay.worker_admin_port(), "/metrics"), HasSubstr("relay_repeats_total"));
  ExpectNothingLost(relay, {"--max-duplicates", "0"});
}

TEST(DeliveryTest, AnEndpointGetsOnlyWhatItsPatternMatches) {
  RelaySystem relay;
  relay.Apply({{"all", relay.StartSink("all"), ""},
               {"starts", relay.StartSink("starts"), "pattern = '{\"event_type\":[1]}'"},
               {"none", relay.StartSink("none"),
                "pattern = '{\"stream_id\":[{\"prefix\":\"no-such-\"}]}'"}});
  relay.StartBroker();
  relay.StartWorker();
  EXPECT_EQ(relay.Simulate({"--count", "200", "--types", "0,1"}).status, 0);
  EXPECT_TRUE(relay.WaitUntilDrained());
  EXPECT_EQ(relay.Received("all"), 200);
  EXPECT_GT(relay.Received("starts"), 0);
  EXPECT_LT(relay.Received("starts"), 200);
  EXPECT_EQ(relay.Received("none"), 0);
  ExpectNothingLost(relay, {"--max-duplicates", "0"});
}

TEST(DeliveryTest, TheCatalogMayChangeUnderLoad) {
  RelaySystem relay;
  const int a = relay.StartSink("a");
  relay.Apply({{"a", a, ""}});
  relay.StartBroker();
  relay.StartWorker();
  auto load = relay.SimulateBeside({"--count", "3000", "--rate", "1500"});
  ASSERT_TRUE(WaitUntil(Seconds(20), [&] { return relay.Received("a") > 300; }));
  const int b = relay.StartSink("b");
  relay.Apply({{"a", a, ""}, {"b", b, ""}});
  EXPECT_EQ(load->Wait(Seconds(60)).value_or(-1), 0) << load->Output();
  EXPECT_TRUE(relay.WaitUntilDrained());
  EXPECT_GT(relay.Received("b"), 0);
  // What `b` is owed begins with its first match, so the accountant is asked about `a` alone.
  relay.Apply({{"a", a, ""}});
  const Ran verified =
      relay.Relayctl({"verify", "--sent", relay.log_path("sent"), "--received", relay.log_path("a"),
                      "--expect", relay.folder() + "/catalog.toml", "--max-duplicates", "0"});
  EXPECT_EQ(verified.status, 0) << verified.output;
  EXPECT_EQ(relay.Fsck().status, 0);
}

TEST(DeliveryTest, APausedEndpointGetsItsEventsAfterItIsResumed) {
  RelaySystem relay;
  relay.Apply({{"a", relay.StartSink("a"), ""}, {"b", relay.StartSink("b"), ""}});
  relay.StartBroker();
  relay.StartWorker();
  EXPECT_EQ(relay.Relayctl({"endpoint", "pause", "acme/a"}).status, 0);
  ASSERT_TRUE(WaitUntil(Seconds(5), [&] {
    return relay.Relayctl({"endpoint", "list"}).output.find("paused") != std::string::npos;
  }));
  EXPECT_EQ(relay.Simulate({"--count", "100", "--rate", "200"}).status, 0);
  ASSERT_TRUE(WaitUntil(Seconds(20), [&] { return relay.Received("b") == 100; }));
  const int before = relay.Received("a");
  EXPECT_LT(before, 100);
  EXPECT_EQ(relay.Relayctl({"endpoint", "resume", "acme/a"}).status, 0);
  EXPECT_TRUE(relay.WaitUntilDrained());
  EXPECT_EQ(relay.Received("a"), 100);
  ExpectNothingLost(relay, {"--max-duplicates", "0"});
}

TEST(DeliveryTest, A410DisablesTheEndpointAndEnableBringsItBack) {
  RelaySystem relay;
  const int port = relay.StartSink("a", {"--status", "410"});
  relay.Apply({{"a", port, ""}});
  relay.StartBroker();
  relay.StartWorker();
  EXPECT_EQ(relay.Simulate({"--count", "1"}).status, 0);
  ASSERT_TRUE(WaitUntil(Seconds(20), [&] {
    return relay.Relayctl({"endpoint", "list"}).output.find("disabled") != std::string::npos;
  }));
  relay.sink("a").Kill9();
  relay.StartSink("a", {}, port);
  EXPECT_EQ(relay.Relayctl({"endpoint", "enable", "acme/a"}).status, 0);
  EXPECT_EQ(relay.Relayctl({"dlq", "redrive"}).status, 0);
  EXPECT_TRUE(relay.WaitUntilDrained());
  ExpectNothingLost(relay, {"--max-duplicates", "0"});
}

}  // namespace
}  // namespace relay
