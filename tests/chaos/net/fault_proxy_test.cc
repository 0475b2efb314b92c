#include "tests/chaos/net/fault_proxy.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/child_program.h"
#include "tests/support/raw_client.h"

namespace relay {
namespace {

using ::testing::Contains;
using ::testing::Key;
using ::testing::StartsWith;

using Way = FaultProxy::Way;

constexpr Millis kPatience{10000};
// Long enough for bytes that can come to have come, short enough to be waited for in vain.
constexpr Millis kMoment{150};

// What the proxy connects to: takes its connections one by one.
class Upstream {
 public:
  // With an empty path on loopback, else a unix socket.
  explicit Upstream(const std::string& path = "") {
    address_.unix_path = path;
    if (path.empty()) address_.host = "127.0.0.1";
    sockaddr_storage at{};
    const socklen_t size = address_.ToSockaddr(&at);
    listener_ = socket(at.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(bind(listener_, reinterpret_cast<sockaddr*>(&at), size), 0);
    EXPECT_EQ(listen(listener_, 16), 0);
    if (path.empty()) address_.port = PortOf();
  }
  ~Upstream() { close(listener_); }

  const SocketAddress& address() const { return address_; }
  RawClient Accept() { return RawClient::Over(accept(listener_, nullptr, nullptr)); }

 private:
  int PortOf() const {
    sockaddr_in at{};
    socklen_t size = sizeof(at);
    getsockname(listener_, reinterpret_cast<sockaddr*>(&at), &size);
    return ntohs(at.sin_port);
  }

  SocketAddress address_;
  int listener_;
};

bool Comes(RawClient& client, const std::string& text) {
  return WaitUntil(kPatience, [&] { return client.Look().received() == text; });
}

bool NothingComes(RawClient& client) {
  const std::string before = client.Look().received();
  return !WaitUntil(kMoment, [&] { return client.Look().received() != before || client.closed(); });
}

bool IsReset(RawClient& client) {
  return WaitUntil(kPatience, [&] { return client.Look().closed(); }) && client.reset();
}

class FaultProxyTest : public ::testing::Test {
 protected:
  void Start(bool redis = false) {
    auto started = FaultProxy::Start({.upstream = upstream_.address(), .redis = redis});
    ASSERT_TRUE(started.ok()) << started.status().text();
    proxy_ = *std::move(started);
  }
  RawClient Connect() { return RawClient::Connect(proxy_->port()); }

  Upstream upstream_;
  std::unique_ptr<FaultProxy> proxy_;
};

TEST_F(FaultProxyTest, WhatIsSentArrivesBothWaysAndSoDoesTheEnd) {
  Start();
  RawClient client = Connect();
  RawClient server = upstream_.Accept();
  client.Send("question");
  EXPECT_TRUE(Comes(server, "question"));
  client.EndSending();
  EXPECT_TRUE(WaitUntil(kPatience, [&] { return server.Look().closed(); }));
  EXPECT_FALSE(server.reset());
  server.Send("answer");
  EXPECT_TRUE(Comes(client, "answer"));
  server.Close();
  EXPECT_TRUE(WaitUntil(kPatience, [&] { return client.Look().closed(); }));
  EXPECT_FALSE(client.reset());
  EXPECT_TRUE(WaitUntil(kPatience, [&] { return proxy_->counts().open == 0; }));
}

TEST_F(FaultProxyTest, MuchIsCarriedWhole) {
  Start();
  RawClient client = Connect();
  RawClient server = upstream_.Accept();
  std::string all(5'000'000, '\0');
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<char>(i % 251);
  size_t sent = 0;
  EXPECT_TRUE(WaitUntil(Seconds(30), [&] {
    sent += client.Send(std::string_view(all).substr(sent));
    return server.Look().received().size() == all.size();
  }));
  EXPECT_EQ(server.received(), all);
}

TEST_F(FaultProxyTest, HeldBytesComeWhenItIsHealedAndTheConnectionStands) {
  Start();
  RawClient client = Connect();
  RawClient server = upstream_.Accept();
  proxy_->Hold();
  client.Send("question");
  server.Send("answer");
  EXPECT_TRUE(NothingComes(server));
  EXPECT_TRUE(NothingComes(client));
  proxy_->Heal();
  EXPECT_TRUE(Comes(server, "question"));
  EXPECT_TRUE(Comes(client, "answer"));
}

TEST_F(FaultProxyTest, OneWayIsHeldAndTheOtherGoesOn) {
  Start();
  RawClient client = Connect();
  RawClient server = upstream_.Accept();
  proxy_->Set(Way::kDown, {.held = true});
  client.Send("question");
  EXPECT_TRUE(Comes(server, "question"));
  server.Send("answer");
  EXPECT_TRUE(NothingComes(client));
  proxy_->Heal();
  EXPECT_TRUE(Comes(client, "answer"));
}

TEST_F(FaultProxyTest, ABlackHoleKeepsTheEndToo) {
  Start();
  for (const bool reset : {false, true}) {
    RawClient client = Connect();
    RawClient server = upstream_.Accept();
    proxy_->Hold();
    reset ? client.Abort() : client.Close();
    EXPECT_TRUE(NothingComes(server));
    proxy_->Heal();
    EXPECT_TRUE(WaitUntil(kPatience, [&] { return server.Look().closed(); }));
    EXPECT_EQ(server.reset(), reset);
  }
}

TEST_F(FaultProxyTest, DelayedBytesComeLateAndInTheirOrder) {
  Start();
  RawClient client = Connect();
  RawClient server = upstream_.Accept();
  const SystemClock clock;
  proxy_->Set(Way::kUp, {.delay = Millis(200), .jitter = Millis(50)});
  const MonoTime begin = clock.Now();
  std::string all;
  for (char letter = 'a'; letter <= 'z'; ++letter) {
    client.Send(std::string(1, letter));
    all += letter;
    WaitUntil(Millis(2), [] { return false; });  // So that each letter is read by itself.
  }
  EXPECT_TRUE(Comes(server, all));
  EXPECT_GE(clock.Now() - begin, Millis(200));
  server.Send("not delayed");
  EXPECT_TRUE(Comes(client, "not delayed"));
}

TEST_F(FaultProxyTest, BytesDripAsSlowlyAsTheyAreTold) {
  Start();
  RawClient client = Connect();
  RawClient server = upstream_.Accept();
  const SystemClock clock;
  proxy_->Set(Way::kDown, {.bytes_per_second = 2000});
  const MonoTime begin = clock.Now();
  server.Send(std::string(1000, 'x'));
  EXPECT_TRUE(Comes(client, std::string(1000, 'x')));
  EXPECT_GE(clock.Now() - begin, Millis(400));
}

TEST_F(FaultProxyTest, NewConnectionsAreResetAndOldOnesLive) {
  Start();
  RawClient old = Connect();
  RawClient server = upstream_.Accept();
  old.Send("before");
  ASSERT_TRUE(Comes(server, "before"));
  proxy_->Refuse();
  RawClient client = Connect();
  EXPECT_TRUE(IsReset(client));
  EXPECT_EQ(proxy_->counts().refused, 1);
  server.Send("still there");
  EXPECT_TRUE(Comes(old, "still there"));
  proxy_->Heal();
  RawClient again = Connect();
  RawClient its_server = upstream_.Accept();
  again.Send("hello");
  EXPECT_TRUE(Comes(its_server, "hello"));
}

TEST_F(FaultProxyTest, ACutResetsBothSides) {
  Start();
  RawClient client = Connect();
  RawClient server = upstream_.Accept();
  proxy_->CutAll();
  EXPECT_TRUE(IsReset(client));
  EXPECT_TRUE(IsReset(server));
  EXPECT_EQ(proxy_->counts().cut, 1);
}

TEST_F(FaultProxyTest, ACutComesInTheMiddleOfWhatIsSent) {
  Start();
  for (int i = 0; i < 10; ++i) {
    RawClient client = Connect();
    RawClient server = upstream_.Accept();
    proxy_->CutWithin(Way::kDown, 100);
    server.Send(std::string(200, 'x'));
    EXPECT_TRUE(IsReset(client));
    EXPECT_TRUE(IsReset(server));
    EXPECT_GE(client.received().size(), 1u);
    EXPECT_LE(client.received().size(), 100u);
  }
}

TEST_F(FaultProxyTest, TheUpstreamMayMove) {
  Start();
  RawClient first = Connect();
  RawClient server = upstream_.Accept();
  Upstream other;
  proxy_->SetUpstream(other.address());
  RawClient second = Connect();
  RawClient other_server = other.Accept();
  first.Send("old");
  second.Send("new");
  EXPECT_TRUE(Comes(server, "old"));
  EXPECT_TRUE(Comes(other_server, "new"));
}

TEST_F(FaultProxyTest, TheUpstreamMayBeAUnixSocketOrAway) {
  Start();
  const std::string path = ::testing::TempDir() + "/upstream-" + std::to_string(getpid());
  {
    Upstream at_path(path);
    proxy_->SetUpstream(at_path.address());
    RawClient client = Connect();
    RawClient server = at_path.Accept();
    client.Send("question");
    EXPECT_TRUE(Comes(server, "question"));
  }
  RawClient client = Connect();
  EXPECT_TRUE(IsReset(client));
  unlink(path.c_str());
}

const std::string kPing = "*1\r\n$4\r\nPING\r\n";

TEST_F(FaultProxyTest, CommandsAndRepliesPassWhole) {
  Start(/*redis=*/true);
  RawClient client = Connect();
  RawClient server = upstream_.Accept();
  client.Send("*1\r\n$4\r\nPI");
  EXPECT_TRUE(NothingComes(server));
  client.Send("NG\r\n" + kPing);
  EXPECT_TRUE(Comes(server, kPing + kPing));
  server.Send("+fi");
  EXPECT_TRUE(NothingComes(client));
  server.Send("ne\r\n:1\r\n");
  EXPECT_TRUE(Comes(client, "+fine\r\n:1\r\n"));
}

TEST_F(FaultProxyTest, ARefusedCommandDoesNotArriveAndIsAnsweredInItsTurn) {
  Start(/*redis=*/true);
  RawClient client = Connect();
  RawClient server = upstream_.Accept();
  client.Send(kPing);
  ASSERT_TRUE(Comes(server, kPing));
  proxy_->Garble(1);
  client.Send(kPing);
  EXPECT_TRUE(NothingComes(server));
  EXPECT_EQ(client.Look().received(), "");
  proxy_->Heal();
  server.Send("+fine\r\n");
  EXPECT_TRUE(WaitUntil(kPatience, [&] { return client.Look().Count("\r\n") == 2; }));
  EXPECT_THAT(client.received(), StartsWith("+fine\r\n-"));
  EXPECT_EQ(proxy_->counts().garbled["refused"], 1);
}

// What was done to a reply, "" when nothing was.
std::string NewIn(const std::map<std::string, int64_t>& before,
                  const std::map<std::string, int64_t>& after) {
  for (const auto& [name, count] : after) {
    const auto had = before.find(name);
    if (had == before.end() || had->second < count) return name;
  }
  return "";
}

TEST_F(FaultProxyTest, RepliesAreGarbledInEveryWay) {
  Start(/*redis=*/true);
  for (int i = 0; i < 200; ++i) {
    const auto before = proxy_->counts().garbled;
    RawClient client = Connect();
    RawClient server = upstream_.Accept();
    proxy_->Heal();
    client.Send(kPing);
    ASSERT_TRUE(Comes(server, kPing));
    proxy_->Garble(1);
    server.Send("+fine\r\n");
    std::string kind;
    ASSERT_TRUE(WaitUntil(kPatience, [&] {
      kind = NewIn(before, proxy_->counts().garbled);
      return !kind.empty();
    }));
    if (kind == "delay") {
      EXPECT_TRUE(NothingComes(client));
    } else if (kind == "cut" || kind == "swallow") {
      EXPECT_TRUE(WaitUntil(kPatience, [&] { return client.Look().closed(); }));
      EXPECT_EQ(client.reset(), kind == "cut");
    } else {
      EXPECT_TRUE(WaitUntil(kPatience, [&] { return !client.Look().received().empty(); }));
    }
    EXPECT_NE(client.received(), "+fine\r\n") << kind;
  }
  for (const char* name : {"err", "loading", "busy", "readonly", "oom", "misconf", "wrong_type",
                           "cut", "noise", "delay", "swallow"}) {
    EXPECT_THAT(proxy_->counts().garbled, Contains(Key(name)));
  }
}

}  // namespace
}  // namespace relay
