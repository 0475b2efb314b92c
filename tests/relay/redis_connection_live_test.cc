// RedisConnection against a real redis-server: what only the server itself can confirm.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <optional>

#include "relay/redis_connection.h"
#include "tests/support/redis_process.h"
#include "tests/support/run_until.h"
#include "tests/support/scripted_redis.h"
#include "tests/support/sync_redis.h"

namespace relay {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

class LiveRedisTest : public ::testing::Test {
 protected:
  void Start(RedisProcess::Options options = {}) {
    process_.emplace(std::move(options));
    const Status started = process_->Start();
    ASSERT_TRUE(started.ok()) << started.ToString();
    options_.name = "test";
    options_.address = process_->address();
  }
  void Connect() {
    auto made = RedisConnection::Create(loop_, options_, random_, *log_, metrics_);
    ASSERT_TRUE(made.ok()) << made.status().ToString();
    redis_ = *std::move(made);
  }
  bool RunUntilUp() {
    return RunUntil(loop_, [this] { return redis_->up(); });
  }
  RedisClient::OnReply Keep() {
    return [this](Result<RedisValue> reply) { replies_.push_back(std::move(reply)); };
  }
  void Send(const RedisCommand& command) { redis_->Send(command, scope_, Keep()); }
  // The value of the reply to `command`, which must come.
  RedisValue Ask(const RedisCommand& command) {
    replies_.clear();
    Send(command);
    EXPECT_TRUE(RunUntilReplies(1));
    if (replies_.empty() || !replies_[0].ok()) return RedisValue::Error("no reply");
    return *replies_[0];
  }
  bool RunUntilReplies(size_t count) {
    return RunUntil(loop_, [this, count] { return replies_.size() >= count; });
  }

  SystemLoop loop_;
  Random random_{7};
  std::unique_ptr<Log> log_ = Log::Silent();
  Metrics metrics_;
  std::optional<RedisProcess> process_;
  RedisConnectionOptions options_;
  std::unique_ptr<RedisConnection> redis_;
  std::vector<Result<RedisValue>> replies_;
  CallScope scope_;
};

TEST_F(LiveRedisTest, AThousandCommandsOfOneTurnAreAnsweredInOrder) {
  Start();
  Connect();
  ASSERT_TRUE(RunUntilUp());
  for (int i = 0; i < 1000; ++i) Send(RedisCommand("INCR").Arg("n"));
  ASSERT_TRUE(RunUntilReplies(1000));
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(*replies_[i], RedisValue::Integer(i + 1));
}

TEST_F(LiveRedisTest, ItWaitsForAServerThatIsNotThereYet) {
  Start();
  process_->Stop();
  Connect();
  ASSERT_TRUE(RunUntil(loop_, [this] { return !redis_->last_error().empty(); }));
  EXPECT_FALSE(redis_->up());
  ASSERT_TRUE(process_->Start().ok());
  EXPECT_TRUE(RunUntilUp());
}

TEST_F(LiveRedisTest, AKilledServerComesBackUnderAnotherRunId) {
  Start();
  Connect();
  ASSERT_TRUE(RunUntilUp());
  const std::string before = redis_->run_id();
  EXPECT_THAT(before, SizeIs(40));
  process_->Kill9();
  ASSERT_TRUE(RunUntil(loop_, [this] { return !redis_->up(); }));
  ASSERT_TRUE(process_->Start().ok());
  ASSERT_TRUE(RunUntilUp());
  EXPECT_NE(redis_->run_id(), before);
}

TEST_F(LiveRedisTest, AFrozenServerCostsOneDeadlineAndIsFoundAgain) {
  Start();
  options_.command_deadline = Millis(100);
  Connect();
  ASSERT_TRUE(RunUntilUp());
  process_->Freeze();
  Send(RedisCommand("PING"));
  ASSERT_TRUE(RunUntilReplies(1));
  EXPECT_EQ(replies_[0].status().code(), StatusCode::kDeadlineExceeded);
  process_->Thaw();
  EXPECT_TRUE(RunUntilUp());
}

TEST_F(LiveRedisTest, ScriptsAreLoadedOnConnectAndAfterAFlush) {
  const RedisScript script = RedisScript::Make("echo", "return {KEYS[1], ARGV[1]}");
  const std::vector<std::string> keys = {"k"};
  const std::vector<std::string> args = {std::string("a\0b\r\n", 5)};
  const RedisValue expected = RedisValue::Array({RedisValue::Text("k"), RedisValue::Text(args[0])});
  Start();
  options_.scripts = {&script};
  Connect();
  ASSERT_TRUE(RunUntilUp());
  EXPECT_EQ(Ask(RedisCommand("SCRIPT").Arg("EXISTS").Arg(script.sha1)),
            RedisValue::Array({RedisValue::Integer(1)}));
  EXPECT_EQ(Ask(RedisCommand("SCRIPT").Arg("FLUSH")), RedisValue::StatusReply("OK"));
  replies_.clear();
  redis_->Eval(script, keys, args, scope_, Keep());
  ASSERT_TRUE(RunUntilReplies(1));
  EXPECT_EQ(*replies_[0], expected);
  EXPECT_EQ(Ask(RedisCommand("SCRIPT").Arg("EXISTS").Arg(script.sha1)),
            RedisValue::Array({RedisValue::Integer(1)}));
}

TEST_F(LiveRedisTest, ABlockingReadOutlivesTheCommandDeadlineAndEndsWithAnEntry) {
  Start();
  options_.command_deadline = Millis(100);
  Connect();
  ASSERT_TRUE(RunUntilUp());
  redis_->SendWithDeadline(
      RedisCommand("XREAD").Arg("BLOCK").Arg(10000).Arg("STREAMS").Arg("s").Arg("$"), Millis(20000),
      scope_, Keep());
  const MonoTime end = loop_.clock().Now() + Millis(300);
  RunUntil(loop_, [&] { return loop_.clock().Now() >= end; });
  EXPECT_TRUE(redis_->up());
  SyncRedis other(process_->socket_path());
  ASSERT_TRUE(other.Connect().ok());
  ASSERT_TRUE(other.Command(RedisCommand("XADD").Arg("s").Arg("*").Arg("f").Arg("v")).ok());
  ASSERT_TRUE(RunUntilReplies(1));
  ASSERT_TRUE(replies_[0].ok());
  EXPECT_THAT(DebugString(*replies_[0]), HasSubstr("[f, v]"));
}

TEST_F(LiveRedisTest, BigValuesComeBackByteForByte) {
  Start();
  Connect();
  ASSERT_TRUE(RunUntilUp());
  std::string big(5 * 1024 * 1024, '\0');
  for (char& byte : big) byte = static_cast<char>(random_.Next());
  EXPECT_EQ(Ask(RedisCommand("SET").Arg("big").Arg(big)), RedisValue::StatusReply("OK"));
  EXPECT_EQ(Ask(RedisCommand("GET").Arg("big")), RedisValue::Text(big));
}

TEST_F(LiveRedisTest, AWrongPasswordKeepsItDownAndTheRightOneBringsItUp) {
  Start({.lines = {"requirepass correct-horse"}});
  Connect();
  ASSERT_TRUE(RunUntil(loop_, [this] { return !redis_->last_error().empty(); }));
  EXPECT_THAT(redis_->last_error(), HasSubstr("NOAUTH"));
  options_.password = "wrong";
  Connect();
  ASSERT_TRUE(RunUntil(loop_, [this] { return !redis_->last_error().empty(); }));
  EXPECT_THAT(redis_->last_error(), HasSubstr("WRONGPASS"));
  EXPECT_FALSE(redis_->up());
  options_.username = "default";
  options_.password = "correct-horse";
  Connect();
  EXPECT_TRUE(RunUntilUp());
}

TEST_F(LiveRedisTest, ItsNameIsShownByTheServer) {
  Start();
  Connect();
  ASSERT_TRUE(RunUntilUp());
  EXPECT_THAT(Ask(RedisCommand("CLIENT").Arg("LIST")).text, HasSubstr("name=relay-test"));
}

// ---- TLS, with authorities made for the test

class LiveRedisTlsTest : public LiveRedisTest {
 protected:
  // Two authorities, and a server certificate of the first one for the name "redis.test".
  void StartWithTls() {
    Start();
    folder_ = process_->folder();
    process_->Stop();
    for (const char* authority : {"ca", "other-ca"}) {
      Openssl("req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" +
              std::string(authority) + " -keyout " + Path(authority, ".key") + " -out " +
              Path(authority, ".crt"));
    }
    Openssl("req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=redis.test" +
            (" -addext subjectAltName=DNS:redis.test -keyout " + Path("redis", ".key")) + " -out " +
            Path("redis", ".csr"));
    Openssl("x509 -req -days 2 -copy_extensions copy -CAcreateserial -in " + Path("redis", ".csr") +
            " -CA " + Path("ca", ".crt") + " -CAkey " + Path("ca", ".key") + " -out " +
            Path("redis", ".crt"));
    port_ = FreePort();
    RedisProcess::Options options;
    options.lines = {"tls-port " + std::to_string(port_), "tls-auth-clients no",
                     "tls-cert-file " + Path("redis", ".crt"),
                     "tls-key-file " + Path("redis", ".key"),
                     "tls-ca-cert-file " + Path("ca", ".crt")};
    server_.emplace(options);
    const Status started = server_->Start();
    ASSERT_TRUE(started.ok()) << started.ToString();
    options_.address.unix_path.clear();
    options_.address.host = "127.0.0.1";
    options_.address.port = port_;
    options_.tls_server_name = "redis.test";
    options_.tls_ca_file = Path("ca", ".crt");
  }
  std::string Path(const std::string& name, const std::string& ending) const {
    return folder_ + "/" + name + ending;
  }
  void Openssl(const std::string& args) {
    const std::string line = "openssl " + args + " >" + Path("openssl", ".log") + " 2>&1";
    ASSERT_EQ(std::system(line.c_str()), 0) << line;
  }
  // redis-server cannot listen on "any free port", so it gets one that was free a moment ago.
  int FreePort() {
    const ScriptedRedis probe(loop_, [](const auto&) { return ""; });
    return probe.address().port;
  }

  std::string folder_;
  int port_ = 0;
  std::optional<RedisProcess> server_;
};

TEST_F(LiveRedisTlsTest, AVerifiedServerIsTakenAndBigValuesPass) {
  StartWithTls();
  Connect();
  ASSERT_TRUE(RunUntilUp()) << redis_->last_error();
  const std::string big(2 * 1024 * 1024, 'x');
  EXPECT_EQ(Ask(RedisCommand("SET").Arg("big").Arg(big)), RedisValue::StatusReply("OK"));
  EXPECT_EQ(Ask(RedisCommand("GET").Arg("big")), RedisValue::Text(big));
}

TEST_F(LiveRedisTlsTest, AnotherAuthorityIsRefused) {
  StartWithTls();
  options_.tls_ca_file = Path("other-ca", ".crt");
  Connect();
  ASSERT_TRUE(RunUntil(loop_, [this] { return !redis_->last_error().empty(); }));
  EXPECT_FALSE(redis_->up());
  EXPECT_THAT(redis_->last_error(), HasSubstr("certificate verify failed"));
}

TEST_F(LiveRedisTlsTest, AnotherNameIsRefused) {
  StartWithTls();
  options_.tls_server_name = "other.test";
  Connect();
  ASSERT_TRUE(RunUntil(loop_, [this] { return !redis_->last_error().empty(); }));
  EXPECT_FALSE(redis_->up());
  EXPECT_THAT(redis_->last_error(), HasSubstr("certificate verify failed"));
}

}  // namespace
}  // namespace relay
