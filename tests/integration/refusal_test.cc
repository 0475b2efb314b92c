#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "relay/tencent_signature.h"
#include "tests/integration/relay_system.h"
#include "tests/support/sync_redis.h"

namespace relay {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string Request(const std::string& head, const std::string& body) {
  return "POST /in/demo HTTP/1.1\r\nHost: test\r\n" + head + "\r\n" + body;
}

std::string WithLength(const std::string& body) {
  return Request("Connection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n",
                 body);
}

std::string Signed(int64_t expires_in_s, const std::string& members) {
  const std::string t = std::to_string(SecondsSinceEpoch(SystemClock().WallNow()) + expires_in_s);
  return "{" + members + ",\"t\":" + t + ",\"sign\":\"" + TencentSignature().Sign("demo-key", t) +
         "\"}";
}

struct Refusal {
  std::string name;
  std::string request;
  int status;
};

// Every bad input gets a clear answer, and a good callback right after it is taken.
TEST(RefusalTest, EveryBadCallbackIsAnsweredAndNothingElseIsDisturbed) {
  RelaySystem relay;
  relay.Apply({{"a", relay.StartSink("a"), ""}});
  relay.StartBroker();
  std::string many_headers;
  for (int i = 0; i < 10'000; ++i) many_headers += "x-" + std::to_string(i) + ": y\r\n";
  const std::string good = Signed(600, "\"event_type\":1");
  const std::vector<Refusal> refusals = {
      {"bad JSON", WithLength("{\"t\":1"), 400},
      {"duplicate keys", WithLength(R"({"t":1,"t":2,"sign":"00"})"), 400},
      {"no sign", WithLength(R"({"event_type":1,"t":1999999999})"), 403},
      {"wrong sign",
       WithLength(R"({"event_type":1,"t":1999999999,"sign":"00000000000000000000000000000000"})"),
       403},
      {"expired", WithLength(Signed(-3600, "\"event_type\":1")), 403},
      {"t as float", WithLength(R"({"event_type":1,"t":1.5,"sign":"00"})"), 400},
      {"t huge", WithLength(R"({"event_type":1,"t":99999999999999999999999999999,"sign":"00"})"),
       400},
      {"unknown source",
       "POST /in/nobody HTTP/1.1\r\nHost: t\r\nConnection: close\r\nContent-Length: 2\r\n\r\n{}",
       404},
      {"wrong method", "GET /in/demo HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n", 405},
      {"body over the limit", Request("Content-Length: 99999999\r\n", ""), 413},
      {"two lengths", Request("Content-Length: 2\r\nContent-Length: 3\r\n", "{}"), 400},
      {"bare LF", "POST /in/demo HTTP/1.1\nHost: t\nContent-Length: 2\n\n{}", 400},
      {"NUL in a header", Request(std::string("X-A: a\0b\r\nContent-Length: 2\r\n", 29), "{}"),
       400},
      {"10,000 headers", Request(many_headers + "Content-Length: 2\r\n", "{}"), 431},
      {"chunk size without end", Request("Transfer-Encoding: chunked\r\n", std::string(5000, '1')),
       400},
      {"unknown version", "POST /in/demo HTTP/3.7\r\nHost: t\r\n\r\n", 505},
  };
  for (const Refusal& refusal : refusals) {
    const std::string answer = SendRaw(relay.broker_port(), refusal.request);
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + std::to_string(refusal.status) + " "))
        << refusal.name;
    EXPECT_THAT(answer, HasSubstr("{\"code\":" + std::to_string(refusal.status) + ",\"error\":\""))
        << refusal.name;
    EXPECT_THAT(SendRaw(relay.broker_port(), WithLength(good)), HasSubstr("{\"code\":0}"))
        << "after " << refusal.name;
  }
  const std::string metrics = HttpGet(relay.broker_admin_port(), "/metrics");
  EXPECT_THAT(metrics, HasSubstr("relay_refused_total{reason="));
  const Ran refused = relay.Relayctl({"refused"});
  EXPECT_EQ(refused.status, 0);
  EXPECT_THAT(refused.output, HasSubstr("forged"));
}

TEST(RefusalTest, ABrokerWhosePortIsTakenSaysSoAndEndsWith6) {
  RelaySystem relay;
  const int port = relay.StartSink("other");
  std::ofstream(relay.folder() + "/taken.toml")
      << "[redis]\nnodes = [\"unix://" << relay.redis().socket_path()
      << "\"]\n[broker]\nlisten = [\"127.0.0.1:" << port << "\"]\nadmin_listen = \"127.0.0.1:0\"\n"
      << "[secrets]\nkey_file = \"" << relay.folder() << "/secrets.key\"\n";
  ChildProgram broker({RELAY_BIN_DIR "/relay-broker", "--config", relay.folder() + "/taken.toml"},
                      relay.folder() + "/taken.out");
  EXPECT_EQ(broker.Wait(Seconds(10)).value_or(-1), 6) << broker.Output();
  EXPECT_THAT(broker.Output(), HasSubstr(std::to_string(port)));
}

TEST(RefusalTest, AnUnknownConfKeyIsNamedWithFileAndLine) {
  RelaySystem relay;
  std::ofstream(relay.folder() + "/bad.toml") << "[redis]\npartitions = 16\n[broker]\nlisen = []\n";
  for (const std::string program : {"/relay-broker", "/relay-worker"}) {
    ChildProgram run({RELAY_BIN_DIR + program, "--config", relay.folder() + "/bad.toml"},
                     relay.folder() + program + "-bad.out");
    EXPECT_EQ(run.Wait(Seconds(10)).value_or(-1), 3);
    EXPECT_THAT(run.Output(), HasSubstr("bad.toml:4"));
    EXPECT_THAT(run.Output(), HasSubstr("lisen"));
  }
}

TEST(RefusalTest, AWrongCatalogIsRefusedWithFileAndLineAndTheOldOneStays) {
  RelaySystem relay;
  relay.Apply({{"a", relay.StartSink("a"), ""}});
  std::ofstream(relay.folder() + "/bad-catalog.toml")
      << relay.Catalog({{"a", 9101, "ordering = \"key\""}, {"b", 9102, "timeot = \"1s\""}});
  const Ran applied = relay.Relayctl({"apply", relay.folder() + "/bad-catalog.toml"});
  EXPECT_EQ(applied.status, 3) << applied.output;
  EXPECT_THAT(applied.output, HasSubstr("ordering"));
  EXPECT_THAT(applied.output, HasSubstr("timeot"));
  EXPECT_THAT(applied.output, HasSubstr("bad-catalog.toml:"));
  EXPECT_THAT(relay.Relayctl({"endpoint", "list"}).output, HasSubstr("acme/a"));
}

TEST(RefusalTest, AnUnsafeRedisMakesTheBrokerUnreadyWithTheCommandThatMendsIt) {
  RelaySystem relay("always");
  relay.Apply({{"a", relay.StartSink("a"), ""}});
  relay.StartBroker();
  SyncRedis redis(relay.redis().socket_path());
  ASSERT_TRUE(redis.Connect().ok());
  const auto set_policy = [&redis](std::string_view policy) {
    return redis.Command(RedisCommand("CONFIG").Arg("SET").Arg("maxmemory-policy").Arg(policy))
        .ok();
  };
  ASSERT_TRUE(set_policy("allkeys-lru"));
  EXPECT_TRUE(WaitUntil(Seconds(15), [&] {
    const std::string answer = HttpGet(relay.broker_admin_port(), "/readyz");
    return answer.find(" 503 ") != std::string::npos &&
           answer.find("CONFIG SET maxmemory-policy noeviction") != std::string::npos;
  })) << HttpGet(relay.broker_admin_port(), "/readyz");
  EXPECT_THAT(SendRaw(relay.broker_port(), SignedCallback("s", "1")), HasSubstr(" 503 "));
  const Ran check = relay.Relayctl({"check"});
  EXPECT_EQ(check.status, 5) << check.output;
  ASSERT_TRUE(set_policy("noeviction"));
  EXPECT_TRUE(WaitUntil(Seconds(15), [&] {
    return HttpGet(relay.broker_admin_port(), "/readyz").find(" 200 ") != std::string::npos;
  }));
  EXPECT_EQ(relay.Relayctl({"check"}).status, 0);
}

TEST(RefusalTest, ABrokerThatStartsOnAFullRedisTakesNothing) {
  RelaySystem relay;
  relay.Apply({{"a", relay.StartSink("a"), ""}});
  relay.StartBroker();  // The installation is there before its Redis is full.
  SyncRedis redis(relay.redis().socket_path());
  ASSERT_TRUE(redis.Connect().ok());
  // So much that what connections and scripts take for a moment does not matter.
  ASSERT_TRUE(redis.Command(RedisCommand("SETRANGE").Arg("ballast").Arg(16'000'000).Arg("x")).ok());
  const Result<RedisValue> stats = redis.Command(RedisCommand("INFO").Arg("memory"));
  const std::string mark = "used_memory:";
  ASSERT_TRUE(stats.ok());
  const int64_t used = std::stoll(stats->text.substr(stats->text.find(mark) + mark.size()));
  const std::string maxmemory = std::to_string(used * 100 / 93);  // Above the line.
  ASSERT_TRUE(
      redis.Command(RedisCommand("CONFIG").Arg("SET").Arg("maxmemory").Arg(maxmemory)).ok());
  for (int i = 0; i < 3; ++i) {
    const ChildProgram& broker = relay.StartBroker();
    const std::string answer = SendRaw(relay.broker_port(), SignedCallback("s", "1"));
    EXPECT_THAT(answer, HasSubstr("\"error\":\"memory_full\"")) << broker.Output();
    EXPECT_THAT(answer, HasSubstr("Retry-After: 5\r\n"));
  }
}

// A customer may write any URL; the platform's own network stays out of reach.
TEST(RefusalTest, AnEndpointOnAPrivateAddressIsNeverConnectedTo) {
  RelaySystem relay("everysec", /*allow_loopback=*/false);
  const int port = relay.StartSink("a");
  relay.Apply({{"a", port, "retry = { schedule = [\"50ms\"] }"}});
  relay.StartBroker();
  relay.StartWorker();
  EXPECT_EQ(relay.Simulate({"--count", "5"}).status, 0);
  EXPECT_TRUE(relay.WaitUntilDrained());
  EXPECT_EQ(relay.Received("a"), 0);
  EXPECT_THAT(relay.Relayctl({"dlq", "list", "--json"}).output,
              HasSubstr("\"reason\":\"blocked\""));
  EXPECT_EQ(relay.Fsck().status, 0);
}

}  // namespace
}  // namespace relay
