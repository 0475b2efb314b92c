// What receivers are told of a push that reconnects, by the real programs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <string>

#include "tests/integration/relay_system.h"
#include "tests/support/run_until.h"
#include "tests/support/webhook_sink.h"

namespace relay {
namespace {

using ::testing::HasSubstr;

// The signature covers the key and the time alone.
std::string StopOf(const std::string& stream, const std::string& sequence) {
  std::string callback = SignedCallback(stream, sequence);
  const std::string start = "\"event_type\":1";
  return callback.replace(callback.find(start), start.size(), "\"event_type\":0");
}

// The value of relay-stream in the first request whose body has all of this.
std::string VerdictIn(const WebhookSink& sink, const std::string& type,
                      const std::string& sequence) {
  for (const std::string& request : sink.requests()) {
    if (request.find("\"event_type\":" + type) == std::string::npos) continue;
    if (request.find("\"" + sequence + "\"") == std::string::npos) continue;
    const std::string name = "relay-stream: ";
    const size_t at = request.find(name);
    if (at == std::string::npos) return "no header";
    return request.substr(at + name.size(), request.find('\r', at) - at - name.size());
  }
  return "";
}

// The worker that takes the partition over must know what the one before it has seen.
TEST(StreamTest, LateStopOfAnOldPushIsStaleUnderTheNextOwnerToo) {
  SystemLoop loop;
  WebhookSink sink(loop, [](WebhookSink::Connection& connection, const std::string&) {
    connection.Answer(200);
  });
  RelaySystem relay;
  relay.Apply({{"a", sink.port(), ""}});
  relay.StartBroker();
  ChildProgram& first = relay.StartWorker();
  const auto verdict = [&](const std::string& callback, const std::string& type,
                           const std::string& sequence) {
    EXPECT_THAT(SendRaw(relay.broker_port(), callback), HasSubstr("200"));
    RunUntil(loop, [&] { return !VerdictIn(sink, type, sequence).empty(); });
    return VerdictIn(sink, type, sequence);
  };
  EXPECT_EQ(verdict(SignedCallback("show", "100"), "1", "100"), "current");
  EXPECT_EQ(verdict(SignedCallback("show", "200"), "1", "200"), "current");
  first.Signal(SIGTERM);
  EXPECT_TRUE(RunUntil(loop, [&] { return !first.running(); }));
  relay.StartWorker();
  EXPECT_EQ(verdict(StopOf("show", "100"), "0", "100"), "stale");
  EXPECT_THAT(relay.Relayctl({"streams", "--json"}).output, HasSubstr(R"("sequence":"200")"));
  EXPECT_EQ(verdict(StopOf("show", "200"), "0", "200"), "current");
  EXPECT_THAT(relay.Relayctl({"streams"}).output, HasSubstr("no stream is live"));
  EXPECT_EQ(relay.Fsck().status, 0);
}

}  // namespace
}  // namespace relay
