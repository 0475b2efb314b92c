#include "cli/tencent_callback.h"

#include <gtest/gtest.h>

#include <set>

#include "cli/callback_reader.h"
#include "relay/json_object.h"
#include "relay/tencent_signature.h"

namespace relay {
namespace {

constexpr WallTime kNow(Seconds(1'700'000'000));

TencentTraffic Traffic() {
  TencentTraffic traffic;
  traffic.key = "demo-key";
  traffic.run = "r1";
  traffic.streams = 3;
  traffic.domains = 2;
  return traffic;
}

TencentCallback Made(const TencentTraffic& traffic, int64_t number,
                     CallbackKind kind = CallbackKind::kGenuine) {
  TencentCallback callback;
  TencentCallbackMaker(traffic).Make(number, kind, kNow, &callback);
  return callback;
}

std::string Member(const TencentCallback& callback, const char* key) {
  JsonObject object;
  const Status status = object.Parse(callback.body);
  EXPECT_TRUE(status.ok()) << status.text() << "\n" << callback.body;
  const JsonMember* member = object.Find(key);
  return member ? std::string(member->raw) : "absent";
}

bool Authentic(const TencentCallback& callback) {
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
    const TencentCallback callback = Made(traffic, 1 + turn * traffic.streams);
    EXPECT_EQ(callback.stream, "stream1");
    EXPECT_EQ(Member(callback, "stream_id"), "\"stream1\"");
    types.push_back(Member(callback, "event_type"));
    if (callback.type <= 1) sequences.insert(Member(callback, "sequence"));
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
      const TencentCallback callback = Made(traffic, n);
      std::string identity = std::to_string(callback.type);
      for (const char* key : {"stream_id", "sequence", "file_id", "pic_url"}) {
        identity += "|" + Member(callback, key);
      }
      EXPECT_TRUE(identities.insert(identity).second) << identity;
    }
  }
}

TEST(TencentCallbackTest, GenuineIsSignedForTenMinutes) {
  const TencentCallback callback = Made(Traffic(), 5);
  EXPECT_TRUE(Authentic(callback));
  EXPECT_EQ(Member(callback, "t"), "1700000600");
}

TEST(TencentCallbackTest, ForgedIsSignedWithAnotherKey) {
  EXPECT_FALSE(Authentic(Made(Traffic(), 5, CallbackKind::kForged)));
}

TEST(TencentCallbackTest, ExpiredIsAuthenticButLongOver) {
  const TencentCallback callback = Made(Traffic(), 5, CallbackKind::kExpired);
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
    const TencentCallback callback = Made(traffic, n);
    EXPECT_EQ(callback.body.size(), 2000u);
    EXPECT_EQ(reader.Read(callback.body).seq, "r1." + std::to_string(n));
    EXPECT_NE(callback.body.find("&tenant=acme"), std::string::npos);
  }
}

// The hash must match at the far end, where the relay may have signed anew for the customer.
TEST(CallbackReaderTest, HashLeavesSignatureAndExpiryOut) {
  TencentTraffic traffic = Traffic();
  const TencentCallback ours = Made(traffic, 7);
  traffic.key = "customer-key";
  const TencentCallback theirs = Made(traffic, 7);
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

}  // namespace
}  // namespace relay
