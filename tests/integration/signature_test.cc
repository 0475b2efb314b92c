#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tests/integration/relay_system.h"

namespace relay {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// whsec_ and 32 bytes in base64: the old and the new secret of a rotation.
constexpr char kOldSecret[] = "whsec_b2xkLXNlY3JldC1vZi10aGlydHktdHdvLWJ5dGVzISE=";
constexpr char kNewSecret[] = "whsec_bmV3LXNlY3JldC1vZi10aGlydHktdHdvLWJ5dGVzISE=";

std::string Program(const std::string& name) {
  for (const char* folder : {"/usr/bin/", "/usr/local/bin/"}) {
    if (std::filesystem::exists(folder + name)) return folder + name;
  }
  return name;
}

// What customers do: read with the libraries that the standards' authors publish. During a rotation
// both the customer that knows the new secret and the one that still has the old succeed.
TEST(SignatureTest, TheReferenceLibrariesReadADeliveredRequest) {
  RelaySystem relay;
  const std::string folder = relay.folder() + "/npm";
  std::filesystem::copy(RELAY_SOURCE_DIR "/tests/integration/receivers", folder);
  ChildProgram install({"/bin/sh", "-c",
                        "cd " + folder + " && " + Program("npm") +
                            " install --no-audit --no-fund --no-package-lock"},
                       relay.folder() + "/npm.out");
  ASSERT_EQ(install.Wait(Seconds(100)).value_or(-1), 0) << install.Output();

  const std::string signing =
      std::string("signing = { scheme = \"standard-webhooks\", secrets = [\"") + kNewSecret +
      "\", \"" + kOldSecret + "\"] }";
  struct Receiver {
    const char* name;
    const char* program;
    std::string argument;
    std::string endpoint;
    const char* line;  // What it prints of a callback.
  };
  const Receiver kReceivers[] = {
      {"old", "standard_webhooks", kOldSecret, signing, "verified"},
      {"new", "standard_webhooks", kNewSecret, signing, "verified"},
      {"binary", "cloudevents", "", "format = \"cloudevents\"\n" + signing,
       "event com.tencent.live.stream.started of /relay/demo on "},
      {"structured", "cloudevents", "",
       "format = \"cloudevents\"\ncontent_mode = \"structured\"\n" + signing,
       "event com.tencent.live.stream.started of /relay/demo on "},
      {"normalized", "normalized", RELAY_SOURCE_DIR "/docs/normalized.schema.json",
       "format = \"normalized\"\n" + signing, "event push_started on "},
  };
  std::vector<std::unique_ptr<ChildProgram>> running;
  std::vector<EndpointSpec> endpoints;
  for (const Receiver& receiver : kReceivers) {
    running.push_back(std::make_unique<ChildProgram>(
        std::vector<std::string>{Program("node"), folder + "/" + receiver.program + ".mjs",
                                 receiver.argument},
        relay.folder() + "/" + receiver.name + ".out"));
  }
  for (size_t i = 0; i < running.size(); ++i) {
    const auto port = running[i]->WaitForOutput(R"re(port (\d+))re", Seconds(20));
    ASSERT_TRUE(port) << running[i]->Output();
    endpoints.push_back({kReceivers[i].name, std::stoi(*port), kReceivers[i].endpoint});
  }
  relay.Apply(endpoints);
  relay.StartBroker();
  relay.StartWorker();
  EXPECT_EQ(relay.Simulate({"--count", "4"}).status, 0);
  EXPECT_TRUE(relay.WaitUntilDrained());
  for (size_t i = 0; i < running.size(); ++i) {
    EXPECT_THAT(running[i]->Output(), HasSubstr(kReceivers[i].line));
    EXPECT_THAT(running[i]->Output(), Not(HasSubstr("refused")));
  }
}

std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

// Secrets stand in the catalog file alone. What we write about ourselves, and what lies in Redis,
// holds none of them in the clear; bodies are in Redis and nowhere else.
TEST(SignatureTest, NoSecretIsLoggedShownOrStoredInTheClear) {
  RelaySystem relay("always");
  const std::string secret = kOldSecret;
  relay.Apply({{"a", relay.StartSink("a", {"--secret", secret}),
                "signing = { scheme = \"standard-webhooks\", secrets = [\"" + secret + "\"] }"},
               {"b", relay.StartSink("b", {"--tencent-key", "canary-tencent-key"}),
                "format = \"tencent\"\nsigning = { scheme = \"tencent\", key = "
                "\"canary-tencent-key\" }"}});
  ChildProgram& broker = relay.StartBroker();
  ChildProgram& worker = relay.StartWorker();
  EXPECT_EQ(relay.Simulate({"--count", "20", "--forge", "0.2"}).status, 0);
  EXPECT_TRUE(relay.WaitUntilDrained());
  const std::string metrics = HttpGet(relay.broker_admin_port(), "/metrics") +
                              HttpGet(relay.worker_admin_port(), "/metrics");
  const std::string shown = relay.Relayctl({"endpoint", "list"}).output +
                            relay.Relayctl({"status"}).output + relay.Relayctl({"refused"}).output;
  const std::string logs = broker.Output() + worker.Output();
  for (const std::string& canary :
       {secret.substr(6), std::string("canary-tencent-key"), std::string("demo-key")}) {
    EXPECT_THAT(logs, Not(HasSubstr(canary)));
    EXPECT_THAT(metrics, Not(HasSubstr(canary)));
    EXPECT_THAT(shown, Not(HasSubstr(canary)));
    EXPECT_THAT(ReadAll(relay.redis().aof_path()), Not(HasSubstr(canary)));
  }
  EXPECT_THAT(logs, Not(HasSubstr("relay_seq")));
  EXPECT_THAT(metrics, Not(HasSubstr("relay_seq")));
}

}  // namespace
}  // namespace relay
