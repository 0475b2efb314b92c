#include "cli/tencent_callback.h"

#include <gtest/gtest.h>

#include <set>

#include "cli/callback_reader.h"
#include "cli/tencent_families.h"
#include "relay/json_object.h"
#include "relay/tencent_signature.h"

namespace relay {
namespace {

constexpr WallTime kMadeAt(Seconds(1'700'000'000));

TencentTraffic Traffic() {
  TencentTraffic traffic;
  traffic.key = "demo-key";
  traffic.run = "r1";
  traffic.streams = 3;
  traffic.domains = 2;
  return traffic;
}

ProviderCallback Made(const TencentTraffic& traffic, int64_t number,
                      CallbackKind kind = CallbackKind::kGenuine) {
  ProviderCallback callback;
  TencentCallbackMaker(traffic).Make(number, kind, kMadeAt, &callback);
  return callback;
}

std::string Member(const ProviderCallback& callback, const char* key) {
  JsonObject object;
  const Status status = object.Parse(callback.body);
  EXPECT_TRUE(status.ok()) << status.text() << "\n" << callback.body;
  const JsonMember* member = object.Find(key);
  return member ? std::string(member->raw) : "absent";
}

bool Authentic(const ProviderCallback& callback) {
  CallbackReader reader;
  const CallbackReading& reading = reader.Read(callback.body);
  const std::vector<std::string> keys = {"demo-key"};
  return TencentSignature().Verify(keys, reading.t, reading.sign);
}

TEST(TencentCallbackTest, StreamGoesThroughItsTypesAndAPushKeepsItsSequence) {
  const TencentTraffic traffic = Traffic();
  std::vector<std::string> types;
  std::set<std::string> sequences;
  for (int64_t turn = 0; turn < 4; ++turn) {
    const ProviderCallback callback = Made(traffic, 1 + turn * traffic.streams);
    EXPECT_EQ(callback.stream, "stream1");
    EXPECT_EQ(Member(callback, "stream_id"), "\"stream1\"");
    types.push_back(Member(callback, "event_type"));
    if (callback.type == "0" || callback.type == "1")
      sequences.insert(Member(callback, "sequence"));
  }
  EXPECT_EQ(types, (std::vector<std::string>{"1", "200", "100", "0"}));
  EXPECT_EQ(sequences.size(), 1u);
  EXPECT_EQ(sequences.begin()->size(), 21u);  // 19 digits and the quotes.
}

// The receiver recognises a repeat by these members; two callbacks that share them would be one.
TEST(TencentCallbackTest, NoTwoCallbacksShareTheirIdentity) {
  std::set<std::string> identities;
  for (const char* run : {"r1", "r2"}) {
    TencentTraffic traffic = Traffic();
    traffic.run = run;
    for (int64_t n = 0; n < 120; ++n) {
      const ProviderCallback callback = Made(traffic, n);
      std::string identity = callback.type;
      for (const char* key : {"stream_id", "sequence", "file_id", "pic_url"}) {
        identity += "|" + Member(callback, key);
      }
      EXPECT_TRUE(identities.insert(identity).second) << identity;
    }
  }
}

TEST(TencentCallbackTest, GenuineIsSignedForTenMinutes) {
  const ProviderCallback callback = Made(Traffic(), 5);
  EXPECT_TRUE(Authentic(callback));
  EXPECT_EQ(Member(callback, "t"), "1700000600");
}

TEST(TencentCallbackTest, ForgedIsSignedWithAnotherKey) {
  EXPECT_FALSE(Authentic(Made(Traffic(), 5, CallbackKind::kForged)));
}

TEST(TencentCallbackTest, ExpiredIsAuthenticButLongOver) {
  const ProviderCallback callback = Made(Traffic(), 5, CallbackKind::kExpired);
  EXPECT_TRUE(Authentic(callback));
  EXPECT_EQ(Member(callback, "t"), "1699913600");
}

TEST(TencentCallbackTest, EveryTypeIsPaddedToTheBytesAskedForAndCarriesItsSeq) {
  TencentTraffic traffic = Traffic();
  traffic.types = {1, 0, 100, 200, 321};
  traffic.body_bytes = 2000;
  traffic.stream_param = "tenant=acme";
  CallbackReader reader;
  for (int64_t n = 0; n < 15; ++n) {
    const ProviderCallback callback = Made(traffic, n);
    EXPECT_EQ(callback.body.size(), 2000u);
    EXPECT_EQ(reader.Read(callback.body).seq, "r1." + std::to_string(n));
    EXPECT_NE(callback.body.find("&tenant=acme"), std::string::npos);
  }
}

// What the families have in common, whatever else they hold.
TEST(TencentCallbackTest, EveryDocumentedTypeSaysWhereItBelongs) {
  TencentTraffic traffic = Traffic();
  traffic.types.assign(TencentTypes().begin(), TencentTypes().end());
  ASSERT_EQ(traffic.types.size(), 18u);
  traffic.stream_param = "tenant=acme";
  std::set<std::string> bodies;
  CallbackReader reader;
  // Four rounds: some families have several shapes.
  for (int64_t n = 0; n < 4 * 18 * traffic.streams; ++n) {
    const ProviderCallback callback = Made(traffic, n);
    SCOPED_TRACE(callback.body);
    EXPECT_EQ(Member(callback, "event_type"), callback.type);
    EXPECT_TRUE(Authentic(callback));
    EXPECT_EQ(reader.Read(callback.body).seq, callback.seq);
    EXPECT_TRUE(bodies.insert(callback.body).second);
    const TencentMembers members = MembersOf(std::stoi(callback.type));
    const auto says = [&callback](std::string_view member, const std::string& value) {
      return member.empty() || Member(callback, std::string(member).c_str()) == '"' + value + '"';
    };
    EXPECT_TRUE(says(members.domain, callback.domain));
    EXPECT_TRUE(says(members.path, "live"));
    EXPECT_TRUE(says(members.stream, callback.stream));
    EXPECT_TRUE(says(members.channel, callback.stream));
    EXPECT_EQ(members.domain.empty(), callback.domain.empty());
    EXPECT_EQ(Member(callback, "appid"), callback.appid.empty() ? "absent" : callback.appid);
    EXPECT_EQ(members.stream_param, Member(callback, "stream_param") != "absent");
    EXPECT_EQ(callback.param, members.stream_param ? "tenant=acme" : "");
    EXPECT_EQ(callback.body.find("tenant=acme") != std::string::npos, members.stream_param);
  }
}

TEST(TencentCallbackTest, EveryDocumentedTypeIsPaddedToTheByte) {
  TencentTraffic traffic = Traffic();
  traffic.types.assign(TencentTypes().begin(), TencentTypes().end());
  traffic.body_bytes = 3000;
  for (int64_t n = 0; n < 18 * traffic.streams; ++n) {
    const ProviderCallback callback = Made(traffic, n);
    EXPECT_EQ(callback.body.size(), 3000u) << callback.type;
    Member(callback, "event_type");  // It is still JSON.
  }
}

TEST(TencentCallbackTest, GenuineCallbacksOfATypeMayComeUnsigned) {
  TencentTraffic traffic = Traffic();
  traffic.types = {314, 1};
  traffic.unsigned_types = {314};
  EXPECT_EQ(Member(Made(traffic, 0), "sign"), "absent");
  EXPECT_EQ(Member(Made(traffic, 0), "t"), "absent");
  EXPECT_TRUE(Authentic(Made(traffic, traffic.streams)));
  // A forgery without a signature would be none.
  EXPECT_NE(Member(Made(traffic, 0, CallbackKind::kForged), "sign"), "absent");
}

// What a receiver must not take for the end of the push that is going on.
TEST(TencentCallbackTest, ReconnectIsAStartBeforeTheStopOfThePushBefore) {
  TencentTraffic traffic = Traffic();
  traffic.types = {1, 0};
  traffic.streams = 1;
  traffic.reconnect = 1;
  std::string told;
  std::vector<std::string> sequences;
  for (int64_t n = 0; n < 5; ++n) {
    const ProviderCallback callback = Made(traffic, n);
    const std::string sequence = Member(callback, "sequence");
    if (callback.type == "1") sequences.push_back(sequence);
    size_t push = 0;
    while (push < sequences.size() && sequences[push] != sequence) ++push;
    told += callback.type + ":" + std::to_string(push) + " ";
  }
  EXPECT_EQ(told, "1:0 1:1 0:0 1:2 0:1 ");
}

TEST(TencentCallbackTest, ChanceOfAReconnectIsThatAskedFor) {
  TencentTraffic traffic = Traffic();
  traffic.streams = 100;
  traffic.reconnect = 0.25;
  int early = 0;
  std::multiset<std::string> starts;
  for (int64_t n = 0; n < 4 * 100 * 40; ++n) {
    const ProviderCallback callback = Made(traffic, n);
    // The stop stands at the fourth place of a stream's round.
    if (n / 100 % 4 == 3 && callback.type == "1") ++early;
    if (callback.type == "1") starts.insert(Member(callback, "sequence"));
  }
  EXPECT_NEAR(early, 1000, 150);
  for (const std::string& sequence : starts) EXPECT_EQ(starts.count(sequence), 1u);
}

TEST(TencentCallbackTest, ProviderSendsAgainAsItsPagesSay) {
  TencentTraffic traffic = Traffic();
  traffic.types = {1, 200, 338};
  TencentCallbackMaker maker(traffic);
  ProviderCallback callback;
  const auto pauses = [&](int64_t turn) {
    maker.Make(turn * traffic.streams, CallbackKind::kGenuine, kMadeAt, &callback);
    return maker.RetryPauses(callback);
  };
  EXPECT_EQ(pauses(0).size(), 12u);
  EXPECT_EQ(pauses(0)[11], Seconds(60));
  EXPECT_EQ(pauses(1).size(), 5u);
  EXPECT_EQ(pauses(1)[0], Seconds(120));
  EXPECT_EQ(pauses(2).size(), 2u);
}

// The hash must match at the far end, where the relay may have signed anew for the customer.
TEST(CallbackReaderTest, HashLeavesSignatureAndExpiryOut) {
  TencentTraffic traffic = Traffic();
  const ProviderCallback ours = Made(traffic, 7);
  traffic.key = "customer-key";
  const ProviderCallback theirs = Made(traffic, 7);
  ASSERT_NE(ours.body, theirs.body);
  CallbackReader reader;
  const std::string hash = reader.Read(ours.body).sha256;
  EXPECT_EQ(hash.size(), 64u);
  EXPECT_EQ(reader.Read(theirs.body).sha256, hash);
  EXPECT_NE(reader.Read(Made(traffic, 8).body).sha256, hash);
}

TEST(CallbackReaderTest, BodyThatIsNoJsonHasAHashOnly) {
  CallbackReader reader;
  const CallbackReading& reading = reader.Read("abc");
  EXPECT_EQ(reading.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(reading.seq, "");
  EXPECT_EQ(reading.sign, "");
}

TEST(CallbackReaderTest, SeqIsFoundWhereverItStandsInTheQuery) {
  EXPECT_EQ(SeqOf("relay_seq=a.1"), "a.1");
  EXPECT_EQ(SeqOf("x=1&relay_seq=a.1&y=2"), "a.1");
  EXPECT_EQ(SeqOf("my_relay_seq=a.1"), "");
  EXPECT_EQ(SeqOf(""), "");
}

TEST(CallbackReaderTest, SeqIsFoundHoweverDeepItStands) {
  CallbackReader reader;
  EXPECT_EQ(reader.Read(R"({"data":{"items":[{"note":"see relay_seq=r-1.7"}]}})").seq, "r-1.7");
  EXPECT_EQ(reader.Read(R"({"url":"rtmp://x/a?relay_seq=r.1&pad=xx"})").seq, "r.1");
  EXPECT_EQ(reader.Read(R"({"ext":"{\"url\":\"x?relay_seq=r.2\"}"})").seq, "r.2");
  EXPECT_EQ(reader.Read(R"({"a":"my_relay_seq=r.3","b":"relay_seq=r.4"})").seq, "r.4");
  EXPECT_EQ(reader.Read(R"({"stream_param":"txTime=1","b":"relay_seq=r.5"})").seq, "r.5");
  EXPECT_EQ(reader.Read(R"({"a":"relay_seq="})").seq, "");
  EXPECT_EQ(reader.Read(R"({"a":"relay_seq"})").seq, "");
}

}  // namespace
}  // namespace relay
