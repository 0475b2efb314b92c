#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/relay/http_server_fixture.h"

namespace relay {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

class HttpServerLimitsTest : public HttpServerFixture {
 protected:
  static constexpr Millis kRest{100};

  // What the loop takes of the processor in kRest in which nothing is to be done.
  Micros CpuOfRest() {
    const Micros before = Cpu();
    RunUntil(
        loop_, [] { return false; }, kRest);
    return Cpu() - before;
  }

 private:
  static Micros Cpu() {
    rusage used{};
    getrusage(RUSAGE_THREAD, &used);
    return Seconds(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
           Micros(used.ru_utime.tv_usec + used.ru_stime.tv_usec);
  }
};

// Takes every descriptor that the process may still open, under a limit low enough to reach.
class NoDescriptorsLeft {
 public:
  NoDescriptorsLeft() {
    getrlimit(RLIMIT_NOFILE, &before_);
    rlimit low = before_;
    low.rlim_cur = 256;
    setrlimit(RLIMIT_NOFILE, &low);
    for (int fd = open("/dev/null", O_RDONLY); fd >= 0; fd = dup(fd)) taken_.push_back(fd);
  }
  ~NoDescriptorsLeft() {
    for (int fd : taken_) close(fd);
    setrlimit(RLIMIT_NOFILE, &before_);
  }
  // So that a client can have its socket while the server cannot.
  void GiveBackOne() {
    close(taken_.back());
    taken_.pop_back();
  }

 private:
  rlimit before_{};
  std::vector<int> taken_;
};

TEST_F(HttpServerLimitsTest, ASlowHeadIsAnsweredAndCutOff) {
  Start({.head_deadline = Millis(50)});
  const std::string answer = SendAndReadToEnd("POST /in/demo HTTP/1.1\r\nHost: a\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(refusals_, ElementsAre("408 head_too_slow"));
}

// Each byte comes well inside any time between two reads; it is the rate that gives it away.
TEST_F(HttpServerLimitsTest, ABodyThatTricklesIsAnsweredAndCutOff) {
  for (std::string framing :
       {"Content-Length: 1000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n1000\r\n"}) {
    SCOPED_TRACE(framing);
    refusals_.clear();
    Start({.body_rate_min = 100'000, .body_grace = Millis(60)});
    RawClient client = NewClient();
    client.Send("POST / HTTP/1.1\r\nHost: a\r\n" + framing);
    ASSERT_TRUE(Until([&] {
      client.Send("0");
      return client.Look().closed();
    }));
    EXPECT_THAT(client.received(), StartsWith("HTTP/1.1 408 "));
    EXPECT_THAT(refusals_, ElementsAre("408 body_too_slow"));
  }
}

TEST_F(HttpServerLimitsTest, ABodyThatKeepsItsRateIsNotCutOff) {
  Start({.head_deadline = Millis(40), .body_rate_min = 1, .body_grace = Millis(40)});
  RawClient client = NewClient();
  client.Send("POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 200\r\n\r\n");
  int sent = 0;
  ASSERT_TRUE(Until([&] {
    if (sent < 200) sent += static_cast<int>(client.Send("x"));
    return client.Look().Count("200 OK") == 1 || client.closed();
  }));
  EXPECT_THAT(refusals_, IsEmpty());
}

TEST_F(HttpServerLimitsTest, ASilentConnectionIsClosedWithoutAWord) {
  Start({.idle = Millis(40)});
  EXPECT_EQ(SendAndReadToEnd(""), "");
  RawClient client = NewClient();
  client.Send(Get("/x"));
  ASSERT_TRUE(Until([&] { return client.Look().closed(); }));
  EXPECT_EQ(client.received(), AnswerTo("/x"));
  EXPECT_THAT(refusals_, IsEmpty());
}

TEST_F(HttpServerLimitsTest, AnAnswerThatTakesLongIsWaitedFor) {
  Start({.head_deadline = Millis(20), .idle = Millis(20)});
  hold_ = true;
  RawClient client = NewClient();
  client.Send(Get("/x"));
  ASSERT_TRUE(Until([&] { return held_.size() == 1; }));
  const MonoTime begin = loop_.clock().Now();
  Until([&] { return loop_.clock().Now() - begin > Millis(100); });
  ASSERT_TRUE(held_[0].open());
  AnswerWithPath(held_[0]);
  EXPECT_TRUE(UntilReceived(client, AnswerTo("/x")));
}

TEST_F(HttpServerLimitsTest, ConnectionsOverTheLimitAreTurnedAway) {
  Start({.connections_max = 2});
  RawClient first = NewClient();
  RawClient second = NewClient();
  ASSERT_TRUE(Until([&] { return server_->connections() == 2; }));
  EXPECT_THAT(SendAndReadToEnd(""), HasSubstr("{\"code\":503,\"error\":\"connections\"}"));
  first.Close();
  ASSERT_TRUE(Until([&] { return server_->connections() == 1; }));
  RawClient third = NewClient();
  third.Send(Get("/x"));
  EXPECT_TRUE(UntilReceived(third, AnswerTo("/x")));
}

TEST_F(HttpServerLimitsTest, ConnectionsOfOneAddressAreCounted) {
  Start({.per_ip_max = 1});
  RawClient first = NewClient();
  ASSERT_TRUE(Until([&] { return server_->connections() == 1; }));
  EXPECT_THAT(SendAndReadToEnd(""), HasSubstr("\"connections_of_address\""));
  first.Close();
  ASSERT_TRUE(Until([&] { return server_->connections() == 0; }));
  RawClient second = NewClient();
  second.Send(Get("/x"));
  EXPECT_TRUE(UntilReceived(second, AnswerTo("/x")));
}

TEST_F(HttpServerLimitsTest, BodiesThatAreStillComingAreBoundTogether) {
  Start({.receiving_bytes_max = 5000});
  const auto post = [](int length) {
    return "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(length) + "\r\n\r\n";
  };
  RawClient first = NewClient();
  first.Send(post(4000));
  Until([turns = 0]() mutable { return ++turns == 5; });
  EXPECT_THAT(SendAndReadToEnd(post(2000)), HasSubstr("\"receiving_too_much\""));
  first.Close();
  ASSERT_TRUE(Until([&] { return server_->connections() == 0; }));
  RawClient second = NewClient();
  second.Send(post(2000));
  Until([turns = 0]() mutable { return ++turns == 5; });
  second.Send(std::string(2000, 'x'));
  EXPECT_TRUE(UntilReceived(second, "200 OK"));
}

// Whoever sends requests and does not read the answers must not fill our memory with them.
TEST_F(HttpServerLimitsTest, AClientThatDoesNotReadIsNotReadFrom) {
  Start();
  RawClient client = NewClient();
  const std::string request = Get("/" + std::string(4000, 'x'));
  std::string wanted;
  size_t sent = 0;
  int stuck = 0;
  int requests_before = -1;
  ASSERT_TRUE(Until([&] {
    while (sent < request.size() * 20'000) {
      const size_t took = client.Send(std::string_view(request).substr(sent % request.size()));
      if (took == 0) break;
      sent += took;
    }
    stuck = requests_ == requests_before ? stuck + 1 : 0;
    requests_before = requests_;
    return stuck > 50;
  }));
  const int whole = static_cast<int>(sent / request.size());
  EXPECT_LT(requests_, whole);
  ASSERT_TRUE(Until([&] { return client.Look().Count("200 OK") >= whole; }));
  EXPECT_EQ(client.Count("200 OK"), whole);
  EXPECT_EQ(requests_, whole);
}

// What a full input can cost is the processor, because libevent says again and again that there is
// something to read.
TEST_F(HttpServerLimitsTest, ALargeBodyWhoseAnswerIsAwaitedCostsNothing) {
  hold_ = true;
  Start();
  RawClient client = NewClient();
  const std::string body(100'000, 'x');
  client.Send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n" + body);
  ASSERT_TRUE(Until([&] { return !held_.empty(); }));
  EXPECT_LT(CpuOfRest(), kRest / 2);
  AnswerWithPath(held_[0]);
  EXPECT_TRUE(UntilReceived(client, "200 OK"));
  client.Send(Get("/next"));
  EXPECT_TRUE(Until([&] { return held_.size() == 2; }));
}

TEST_F(HttpServerLimitsTest, PipelinedRequestsThatWaitCostNothing) {
  hold_ = true;
  Start();
  RawClient client = NewClient();
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += Get("/" + std::string(100, 'x'));
  client.Send(requests);
  ASSERT_TRUE(Until([&] { return !held_.empty(); }));
  EXPECT_LT(CpuOfRest(), kRest / 2);
  hold_ = false;
  AnswerWithPath(held_[0]);
  EXPECT_TRUE(Until([&] { return client.Look().Count("200 OK") == 1000; }));
}

TEST_F(HttpServerLimitsTest, ARefusedClientIsNotWaitedForLong) {
  Start({.idle = Millis(200)});
  RawClient client = NewClient();
  client.Send("nonsense\r\n");
  ASSERT_TRUE(UntilReceived(client, "400 Bad Request"));
  EXPECT_TRUE(Until([&] { return server_->connections() == 0; }));
}

// The wait for the client's goodbye begins when the answer is out, not when it is given.
TEST_F(HttpServerLimitsTest, ALargeLastAnswerMayTakeItsTime) {
  Start({.idle = Seconds(4)});
  hold_ = true;
  RawClient client = NewClient();
  client.Send(Get("/"));
  ASSERT_TRUE(Until([&] { return held_.size() == 1; }));
  const std::string body(16 * 1024 * 1024, 'x');
  held_[0].Answer({.body = body, .close = true});
  const MonoTime begin = loop_.clock().Now();
  Until([&] { return loop_.clock().Now() - begin > Millis(2200); });
  ASSERT_TRUE(Until([&] { return client.Look().closed(); }));
  EXPECT_FALSE(client.reset());
  EXPECT_GT(client.received().size(), body.size());
}

// Accepting fails, the listener stays readable: this is where an event loop begins to spin.
TEST_F(HttpServerLimitsTest, WithoutDescriptorsOneIsShedAndTheListenerRests) {
  Start();
  {
    NoDescriptorsLeft none;
    none.GiveBackOne();
    RawClient first = NewClient();
    none.GiveBackOne();
    RawClient second = NewClient();
    ASSERT_TRUE(Until([&] { return first.Look().closed(); }));
    EXPECT_THAT(refusals_, ElementsAre("503 descriptors"));
    EXPECT_FALSE(second.Look().closed());
    // After its rest the listener sheds the next one.
    ASSERT_TRUE(Until([&] { return second.Look().closed(); }));
  }
  RawClient third = NewClient();
  third.Send(Get("/x"));
  EXPECT_TRUE(UntilReceived(third, AnswerTo("/x")));
}

}  // namespace
}  // namespace relay
