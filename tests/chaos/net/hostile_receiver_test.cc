#include "tests/chaos/net/hostile_receiver.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <regex>

#include "tests/cli/temporary_folder.h"
#include "tests/support/child_program.h"
#include "tests/support/raw_client.h"
#include "tests/support/run_until.h"
#include "workers/http_client.h"

namespace relay {
namespace {

using testing::HasSubstr;

constexpr char kSecret[] = "whsec_ZGVtby1jdXN0b21lci1hLXNlY3JldC0zMi1ieXRlcyE=";

class HostileReceiverTest : public testing::Test {
 protected:
  static HostileBehaviour Named(std::string_view path) {
    const std::vector<HostileBehaviour> all = HostileBehaviours();
    return *std::find_if(all.begin(), all.end(),
                         [path](const HostileBehaviour& one) { return one.path == path; });
  }
  // Whether an answer that begins like this comes.
  bool Answers(std::string_view path, const std::string& beginning) {
    RawClient client = RawClient::Connect(receiver_.port(Named(path)));
    client.Send("POST /" + std::string(path) +
                " HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n{}");
    return WaitUntil(Seconds(5), [&] {
      return receiver_.Requests(path) > 0 && client.Look().received().starts_with(beginning);
    });
  }
  std::string Log() const { return folder_.Content("received"); }

  TemporaryFolder folder_;
  HostileReceiver receiver_{folder_.File("received"), kSecret};
};

TEST_F(HostileReceiverTest, EachPathNamesOneBehaviourAndMayNameAnEndpoint) {
  std::map<std::string_view, int> paths;
  const std::regex id("[a-z0-9-]{1,40}");
  for (const HostileBehaviour& behaviour : HostileBehaviours()) {
    EXPECT_EQ(++paths[behaviour.path], 1) << behaviour.path;
    EXPECT_TRUE(std::regex_match(std::string(behaviour.path), id)) << behaviour.path;
  }
}

TEST_F(HostileReceiverTest, WhatWasAnsweredStandsInTheLog) {
  EXPECT_TRUE(Answers("two-answers", "HTTP/1.1 200"));
  EXPECT_THAT(Log(), HasSubstr("\"signature\":\"none\",\"status\":200"));
  EXPECT_TRUE(Answers("500", "HTTP/1.1 500"));
  EXPECT_THAT(Log(), HasSubstr("\"status\":500"));
}

// An endpoint that asks for {"code":0} did not get it: such a 200 is no promise.
TEST_F(HostileReceiverTest, WhatIsNoSuccessIsLoggedAsNone) {
  EXPECT_TRUE(Answers("other-code", "HTTP/1.1 200"));
  EXPECT_THAT(Log(), HasSubstr("\"status\":0"));
  EXPECT_THAT(Log(), testing::Not(HasSubstr("\"status\":200")));
}

// What the table says of each must be what the worker's own client gets from it.
TEST_F(HostileReceiverTest, EachBehavesAsTheTableSays) {
  static const std::map<std::string_view, HttpError> kErrors = {
      {"timed_out", HttpError::kTimedOut},
      {"unreachable", HttpError::kUnreachable},
      {"tls_failed", HttpError::kTlsFailed},
      {"too_large", HttpError::kTooLarge}};
  SystemLoop loop;
  CurlHttpClient client(loop, {});
  std::map<std::string_view, HttpReply> replies;
  std::vector<std::unique_ptr<HttpCall>> calls;
  for (const HostileBehaviour& behaviour : HostileBehaviours()) {
    HttpPost post;
    const std::string url = receiver_.scheme_host(behaviour) + ":" +
                            std::to_string(receiver_.port(behaviour)) + "/" +
                            std::string(behaviour.path);
    post.route = std::make_shared<const HttpRoute>(HttpRoute{*ParseUrl(url), ""});
    post.address = IpAddress::V4(0x7f000001);
    post.body = "{}";
    post.timeout = Millis(3000);
    calls.push_back(client.Post(
        std::move(post),
        [&replies, path = behaviour.path](HttpReply reply) { replies[path] = std::move(reply); }));
  }
  ASSERT_TRUE(RunUntil(loop, [&] { return replies.size() == calls.size(); }));
  for (const HostileBehaviour& behaviour : HostileBehaviours()) {
    const HttpReply& reply = replies[behaviour.path];
    if (behaviour.path == "flapping" && reply.status == 500) continue;
    EXPECT_EQ(reply.status, behaviour.status) << behaviour.path;
    if (behaviour.status != 0) continue;
    EXPECT_EQ(reply.error, kErrors.at(behaviour.last)) << behaviour.path;
  }
  EXPECT_EQ(receiver_.Requests(kRedirectTarget), 0);
}

}  // namespace
}  // namespace relay
