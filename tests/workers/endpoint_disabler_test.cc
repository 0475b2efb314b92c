// An endpoint is disabled, and its tenant's operator told.

#include "tests/workers/worker_fixture.h"

namespace relay {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

class EndpointDisablerTest : public WorkerTest {
 protected:
  // The notices that were stored, and, as "state", the changes of state, in their order.
  std::vector<std::string> Steps() const {
    std::vector<std::string> steps;
    for (const FakeRedisCall& call : redis_.calls()) {
      if (call.verb == "endpoint_state") steps.emplace_back("state");
      if (IsNotice(call)) steps.emplace_back("notice");
    }
    return steps;
  }
  std::vector<Event> Notices() const {
    std::vector<Event> notices;
    for (const FakeRedisCall& call : redis_.calls()) {
      if (!IsNotice(call)) continue;
      std::vector<RedisValue> fields;
      for (size_t i = call.args.size() - 6; i < call.args.size(); ++i) {
        fields.push_back(RedisValue::Text(call.args[i]));
      }
      Result<Event> event = DecodeEventFields(RedisValue::Array(std::move(fields)));
      EXPECT_TRUE(event.ok()) << event.status().text();
      if (event.ok()) notices.push_back(*std::move(event));
    }
    return notices;
  }
  void TellOperator(const std::string& id) { catalog_.tenants[0].operator_endpoint = id; }

 private:
  static bool IsNotice(const FakeRedisCall& call) {
    return call.verb == "XADD" && call.args[0] == PartitionKeys::For(0, 1).normal;
  }
};

TEST_F(EndpointDisablerTest, TheNoticeIsStoredBeforeTheStateIsSet) {
  AddEndpoint("a").url = "https://a.example/hook?token=hunter2";
  AddEndpoint("ops").pattern = R"({"event_type":[9]})";
  TellOperator("ops");
  StartWorker();
  Deliver({{1, EventNamed("e1")}});
  http_.Answer(0, 410);
  loop_.RunReady();
  EXPECT_THAT(Steps(), ElementsAre("notice", "state"));
  ASSERT_THAT(Notices(), SizeIs(1));
  const Event notice = Notices()[0];
  EXPECT_EQ(notice.source, "relay");
  EXPECT_EQ(notice.type, "endpoint.disabled");
  EXPECT_EQ(notice.tenant, "acme");
  EXPECT_EQ(notice.ordering_key, "a");
  EXPECT_EQ(notice.catalog_version, 1u);
  EXPECT_THAT(notice.id, SizeIs(32));
  EXPECT_THAT(notice.body, HasSubstr(R"("tenant":"acme","endpoint":"a",)"
                                     R"("url":"https://a.example/hook","reason":"answered 410")"));
  EXPECT_THAT(notice.body, HasSubstr(R"("enable":"relayctl endpoint enable acme/a")"));
  EXPECT_THAT(notice.body, Not(HasSubstr("hunter2")));
}

TEST_F(EndpointDisablerTest, ANoticeIsOwedToTheOperatorAloneWhateverItsPattern) {
  AddEndpoint("a");
  AddEndpoint("ops").pattern = R"({"event_type":[9]})";
  TellOperator("ops");
  StartWorker();
  const DisableCause cause{"answered 410", 0};
  Deliver({{1, DisabledNotice(catalog_.tenants[0], catalog_.tenants[0].endpoints[0], cause, 1,
                              loop_.clock().WallNow())}});
  ASSERT_THAT(http_.requests(), SizeIs(1));
  EXPECT_EQ(http_.requests()[0].url, "https://ops.example/");
}

TEST_F(EndpointDisablerTest, ANoticeIsOwedToNobodyOnceThereIsNoOperator) {
  AddEndpoint("a");
  StartWorker();
  Event notice = EventNamed("e1");
  notice.source = "relay";
  Deliver({{1, notice}});
  EXPECT_THAT(http_.requests(), IsEmpty());
  EXPECT_THAT(settled_, SizeIs(1));
}

TEST_F(EndpointDisablerTest, TheOperatorsOwnEndMakesNoNotice) {
  AddEndpoint("ops");
  TellOperator("ops");
  StartWorker();
  Deliver({{1, EventNamed("e1")}});
  http_.Answer(0, 410);
  loop_.RunReady();
  EXPECT_THAT(Steps(), ElementsAre("state"));
}

TEST_F(EndpointDisablerTest, WithoutANoticeNothingIsDisabled) {
  AddEndpoint("a");
  AddEndpoint("ops").pattern = R"({"event_type":[9]})";
  TellOperator("ops");
  StartWorker();
  redis_.On("XADD", RedisValue::Error("OOM command not allowed"));
  Deliver({{1, EventNamed("e1")}});
  http_.Answer(0, 410);
  loop_.RunReady();
  EXPECT_THAT(Steps(), ElementsAre("notice"));
  // There is room again; the next 410 does both, and in the same minute it is the same notice.
  redis_.On("XADD", RedisValue::Text("1-0"));
  Deliver({{2, EventNamed("e2")}});
  http_.Answer(1, 410);
  loop_.RunReady();
  EXPECT_THAT(Steps(), ElementsAre("notice", "notice", "state"));
  EXPECT_EQ(Notices()[0].id, Notices()[1].id);
}

TEST_F(EndpointDisablerTest, FailureForLongDisablesAndShorterFailureDoesNot) {
  AddEndpoint("a").disable_after = std::chrono::minutes(1);
  AddEndpoint("ops").pattern = R"({"event_type":[9]})";
  TellOperator("ops");
  StartWorker();
  loop_.Advance(Seconds(120));
  failing_since_ms_ = now_ms() - 30'000;
  Deliver({{1, EventNamed("e1")}});
  http_.Answer(0, 500);
  loop_.Advance(Seconds(2));
  EXPECT_THAT(Steps(), IsEmpty());
  failing_since_ms_ = now_ms() - 61'000;
  Deliver({{2, EventNamed("e2")}});
  http_.Answer(1, 500);
  loop_.Advance(Seconds(2));
  EXPECT_THAT(Steps(), ElementsAre("notice", "state"));
  ASSERT_THAT(Notices(), SizeIs(1));
  EXPECT_THAT(Notices()[0].body, HasSubstr(R"("reason":"nothing but failures for 1m")"));
}

TEST_F(EndpointDisablerTest, WhatIsNeverDisabledIsNot) {
  AddEndpoint("a").disable_after = Millis(0);
  StartWorker();
  failing_since_ms_ = 1;
  Deliver({{1, EventNamed("e1")}});
  http_.Answer(0, 500);
  loop_.Advance(Seconds(2));
  EXPECT_THAT(Steps(), IsEmpty());
}

TEST_F(EndpointDisablerTest, ManyFailuresAtOnceMakeOneNotice) {
  AddEndpoint("a");
  AddEndpoint("ops").pattern = R"({"event_type":[9]})";
  TellOperator("ops");
  StartWorker();
  Deliver({{1, EventNamed("e1")}, {2, EventNamed("e2")}});
  http_.Answer(0, 410);
  http_.Answer(1, 410);
  loop_.RunReady();
  loop_.Advance(CatalogStore::kPollInterval * 2);
  EXPECT_THAT(Steps(), ElementsAre("notice", "state"));
}

}  // namespace
}  // namespace relay
