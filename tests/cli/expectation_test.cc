#include "cli/expectation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/account.h"

namespace relay {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr char kCatalog[] = R"(
format = 1
[[source]]
id = "live"
path = "live"
provider = "tencent-live"
keys = ["k"]
route = { by = "push_domain" }
[[tenant]]
id = "acme"
routes = { push_domain = ["push-0.example"] }
[[tenant.endpoint]]
id = "all"
url = "http://127.0.0.1:9101/hook"
retry = { schedule = ["1s", "5s"], jitter = 0.2 }
[[tenant.endpoint]]
id = "starts"
url = "http://127.0.0.1:9102/hook"
state = "paused"
pattern = '{"event_type":[1],"stream_id":[{"prefix":"vip"}]}'
[[tenant.endpoint]]
id = "off"
url = "http://127.0.0.1:9103/hook"
state = "disabled"
[[tenant]]
id = "other"
routes = { push_domain = ["push-1.example"] }
[[tenant.endpoint]]
id = "recordings"
url = "http://127.0.0.1:9104/hook"
pattern = '{"$type":["100"]}'
)";

SentLine Sent(const std::string& type, const std::string& stream, const std::string& domain) {
  SentLine line;
  line.seq = "r.1";
  line.type = type;
  line.stream = stream;
  line.domain = domain;
  line.at_us = 1;
  return line;
}

Result<std::unique_ptr<Expectation>> FromText(const std::string& text,
                                              const std::string& source = "") {
  Result<Catalog> catalog = ParseCatalogToml(text, "catalog.toml");
  EXPECT_TRUE(catalog.ok()) << catalog.status().text();
  if (!catalog.ok()) return catalog.status();
  return Expectation::Create(std::move(*catalog), source);
}

class ExpectationTest : public testing::Test {
 protected:
  ExpectationTest() {
    auto made = FromText(kCatalog);
    EXPECT_TRUE(made.ok()) << made.status().text();
    if (made.ok()) expectation_ = std::move(*made);
  }
  std::unique_ptr<Expectation> expectation_;
};

TEST_F(ExpectationTest, EndpointsAreOwedWhatTheirPatternsMatch) {
  EXPECT_THAT(expectation_->EndpointsOwed(Sent("1", "vip7", "push-0.example")),
              ElementsAre("acme/all", "acme/starts"));
  EXPECT_THAT(expectation_->EndpointsOwed(Sent("0", "vip7", "push-0.example")),
              ElementsAre("acme/all"));
  EXPECT_THAT(expectation_->EndpointsOwed(Sent("1", "plain", "push-0.example")),
              ElementsAre("acme/all"));
}

TEST_F(ExpectationTest, ACallbackIsOwedToItsOwnTenantOnly) {
  EXPECT_THAT(expectation_->EndpointsOwed(Sent("100", "s", "push-1.example")),
              ElementsAre("other/recordings"));
  EXPECT_THAT(expectation_->EndpointsOwed(Sent("1", "s", "push-1.example")), IsEmpty());
  EXPECT_THAT(expectation_->EndpointsOwed(Sent("1", "s", "push-9.example")), IsEmpty());
}

// What one family calls stream_id is streamId in another.
TEST(ExpectationOfFamiliesTest, PatternsAreJudgedByTheMembersOfTheFamily) {
  const auto expectation = FromText(R"(
format = 1
[[source]]
id = "live"
path = "live"
provider = "tencent-live"
keys = ["k"]
route = { by = "appid" }
[[tenant]]
id = "acme"
routes = { appid = ["1250000000"] }
[[tenant.endpoint]]
id = "images"
url = "http://127.0.0.1:9101/hook"
pattern = '{"streamId":["s1"],"appname":["live"]}'
[[tenant.endpoint]]
id = "exceptions"
url = "http://127.0.0.1:9102/hook"
pattern = '{"stream_id":["s1"],"path":["live"]}'
)");
  ASSERT_TRUE(expectation.ok()) << expectation.status().text();
  SentLine sent = Sent("317", "s1", "push-0.example");
  EXPECT_THAT((*expectation)->EndpointsOwed(sent), IsEmpty());
  sent.appid = "1250000000";
  EXPECT_THAT((*expectation)->EndpointsOwed(sent), ElementsAre("acme/images"));
  sent.type = "321";
  EXPECT_THAT((*expectation)->EndpointsOwed(sent), ElementsAre("acme/exceptions"));
  sent.type = "1";
  EXPECT_THAT((*expectation)->EndpointsOwed(sent), IsEmpty());
}

TEST(ExpectationOfFamiliesTest, OtherKindsHaveMembersOfTheirOwn) {
  const auto expectation = FromText(R"(
format = 1
[[source]]
id = "volcengine"
path = "volcengine"
provider = "volcengine-live"
keys = ["k"]
route = { by = "push_domain" }
[[tenant]]
id = "acme"
routes = { push_domain = ["push-0.example"] }
[[tenant.endpoint]]
id = "starts"
url = "http://127.0.0.1:9101/hook"
pattern = '{"event_type":["push_start"]}'
[[tenant.endpoint]]
id = "ends"
url = "http://127.0.0.1:9102/hook"
pattern = '{"$type":["push_end"]}'
)");
  ASSERT_TRUE(expectation.ok()) << expectation.status().text();
  EXPECT_THAT((*expectation)->EndpointsOwed(Sent("push_start", "s", "push-0.example")),
              ElementsAre("acme/starts"));
  EXPECT_THAT((*expectation)->EndpointsOwed(Sent("push_end", "s", "push-0.example")),
              ElementsAre("acme/ends"));
}

TEST_F(ExpectationTest, DeliveryToAnotherTenantIsAPhantomAndTheOwnOneALoss) {
  Account account(expectation_.get());
  SentLine sent = Sent("1", "s", "push-0.example");
  account.Add(sent);
  sent.answer = true;
  sent.status = 200;
  account.Add(sent);
  ReceivedLine strayed;
  strayed.endpoint = "other/recordings";
  strayed.seq = sent.seq;
  strayed.status = 200;
  account.Add(strayed);
  const AccountResult result = account.Conclude();
  EXPECT_EQ(result.phantom, 1);
  EXPECT_EQ(result.loss, 1);
  EXPECT_EQ(result.obligations, 1);
  EXPECT_THAT(result.examples,
              testing::Contains(testing::HasSubstr("not owed there: r.1 at other/recordings")));
}

TEST_F(ExpectationTest, RetriesAreHeldAgainstTheSchedule) {
  Account account(expectation_.get());
  account.Add(Sent("1", "s", "push-0.example"));
  ReceivedLine line;
  line.endpoint = "acme/all";
  line.seq = "r.1";
  line.status = 500;
  const auto attempt = [&account, &line](int number, int64_t at_ms) {
    line.attempt = number;
    line.at_us = at_ms * 1000;
    account.Add(line);
  };
  attempt(1, 10'000);
  attempt(2, 10'500);  // 0.8 s is the earliest.
  attempt(3, 18'800);  // 5 s and its jitter and 2 s after the second would have been 18.5.
  attempt(1, 30'000);  // Redriven: a new beginning.
  attempt(2, 31'000);  // As planned.
  const AccountResult result = account.Conclude();
  EXPECT_EQ(result.early_retries, 1);
  EXPECT_EQ(result.late_retries, 1);
}

TEST(ExpectationOfTest, PatternOnWhatTheLogDoesNotTellIsRefused) {
  std::string text = kCatalog;
  const std::string pattern = R"({"$type":["100"]})";
  text.replace(text.find(pattern), pattern.size(), R"({"errcode":[0]})");
  const auto made = FromText(text);
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(made.status().text(), testing::HasSubstr("other/recordings"));
  EXPECT_THAT(made.status().text(), testing::HasSubstr("'errcode'"));
}

TEST(ExpectationOfTest, AlternativesOfAPatternAreLookedIntoToo) {
  std::string text = kCatalog;
  const std::string pattern = R"({"$type":["100"]})";
  text.replace(text.find(pattern), pattern.size(),
               R"({"$or":[{"event_type":[1]},{"errcode":[0]}]})");
  const auto made = FromText(text);
  ASSERT_FALSE(made.ok());
  EXPECT_THAT(made.status().text(), testing::HasSubstr("'errcode'"));
}

TEST(ExpectationOfTest, SourceMustBeNamedWhereThereAreSeveral) {
  const std::string text = std::string(kCatalog) + R"(
[[source]]
id = "second"
path = "second"
provider = "tencent-live"
keys = ["k"]
route = { tenant = "other" }
)";
  EXPECT_FALSE(FromText(text).ok());
  EXPECT_FALSE(FromText(text, "third").ok());
  auto second = FromText(text, "second");
  ASSERT_TRUE(second.ok());
  EXPECT_THAT((*second)->EndpointsOwed(Sent("100", "s", "push-0.example")),
              ElementsAre("other/recordings"));
}

}  // namespace
}  // namespace relay
