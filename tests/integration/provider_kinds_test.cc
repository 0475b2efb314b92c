#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "relay/provider_names.h"
#include "tests/integration/relay_system.h"

namespace relay {
namespace {

using ::testing::HasSubstr;

constexpr char kSecret[] = "whsec_b2xkLXNlY3JldC1vZi10aGlydHktdHdvLWJ5dGVzISE=";
constexpr char kSourceSecret[] = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

// A kind of provider: its source in the catalog, and how it is simulated.
struct Kind {
  std::string name;
  std::string key;
  std::string more;  // Further TOML lines of the source.
  std::vector<std::string> options;
};

std::vector<Kind> Kinds() {
  return {{"tencent-live",
           "live-key",
           "unsigned_types = [\"314\"]",
           {"--types", "1,200,100,314,315,317,321,329,330,332,338,341,343,344,347,348,349,0",
            "--streams", "3", "--unsigned-types", "314", "--reconnect", "0.3"}},
          {"tencent-trtc", "trtc-key", "", {"--types", "103,203,401,701,104", "--streams", "3"}},
          {"volcengine-live", "volc-key", "", {"--streams", "5"}},
          {"standard-webhooks", kSourceSecret, "", {}},
          {"hmac",
           "hmac-key",
           "[source.hmac]\nheader = \"X-Signature\"\nprefix = \"v1=\"\nseparator = \",\"\n"
           "timestamp_header = \"X-Signature\"\ntimestamp_prefix = \"t=\"\n"
           "signed = \"{timestamp}.{header:X-Id}.{body}\"\ntype = \"{header:X-Type}\"\n"
           "ordering = \"{header:X-Id}\"\ndedupe = \"{header:X-Id}\"",
           {"--header", "X-Signature", "--prefix", "v1=", "--separator", ",", "--timestamp-header",
            "X-Signature", "--timestamp-prefix", "t=", "--signed",
            "{timestamp}.{header:X-Id}.{body}", "--type-header", "X-Type", "--id-header", "X-Id"}}};
}

std::string CatalogOf(const std::vector<Kind>& kinds, int port) {
  std::string text = "format = 1\n";
  for (const Kind& kind : kinds) {
    text += "[[source]]\nid = \"" + kind.name + "\"\npath = \"" + kind.name + "\"\nprovider = \"" +
            kind.name + "\"\nkeys = [\"" + kind.key + "\"]\nroute = { tenant = \"acme\" }\n" +
            kind.more + "\n";
  }
  return text +
         "[[tenant]]\nid = \"acme\"\n[[tenant.endpoint]]\nid = \"all\"\n"
         "url = \"http://127.0.0.1:" +
         std::to_string(port) +
         "/hook\"\nsigning = { scheme = \"standard-webhooks\", secrets = [\"" + kSecret + "\"] }\n";
}

// What relayctl sends as a provider is what the broker takes for one, whichever kind it is, and
// every callback is accounted for at the customer's end.
TEST(ProviderKindsTest, CallbacksOfEveryKindArriveWholeAndForgeriesDoNot) {
  const std::vector<Kind> kinds = Kinds();
  ASSERT_EQ(kinds.size(), kProviderNames.size());
  RelaySystem relay;
  const int port = relay.StartSink("all", {"--secret", kSecret});
  std::ofstream(relay.folder() + "/catalog.toml") << CatalogOf(kinds, port);
  const Ran applied = relay.Relayctl({"apply", relay.folder() + "/catalog.toml"});
  ASSERT_EQ(applied.status, 0) << applied.output;
  relay.StartBroker();
  relay.StartWorker();

  for (const Kind& kind : kinds) {
    std::vector<std::string> arguments = {
        "simulate",
        kind.name,
        "--to",
        "http://127.0.0.1:" + std::to_string(relay.broker_port()) + "/in/" + kind.name,
        "--key",
        kind.key,
        "--log",
        relay.log_path("sent"),
        "--count",
        "120",
        "--duplicate",
        "0.1",
        "--reorder",
        "0.1",
        "--forge",
        "0.1",
        "--expired",
        "0.1"};
    arguments.insert(arguments.end(), kind.options.begin(), kind.options.end());
    const Ran sent = relay.Relayctl(arguments);
    EXPECT_EQ(sent.status, 0) << kind.name << "\n" << sent.output;
    EXPECT_THAT(sent.output, HasSubstr("refused 403")) << kind.name;
  }
  EXPECT_TRUE(relay.WaitUntilDrained());
  // All sources lead to the same endpoint, so that one of them stands for all.
  const Ran verified =
      relay.Verify({"--source", "tencent-live", "--max-duplicates", "0", "--drained"});
  EXPECT_EQ(verified.status, 0) << verified.output;
  EXPECT_GT(relay.Received("all"), 5 * 120 / 2);
}

}  // namespace
}  // namespace relay
