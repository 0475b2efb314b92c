#include "relay/play_address.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace relay {
namespace {

using testing::HasSubstr;

constexpr char kCode[] = "8888_81265058829fd2e50c8ec2ac78d55127";
constexpr char kKey[] = "e12c46f2612d5106e2034781ab261ca3";

StreamPlace PlaceOf(StreamProtocol protocol) {
  StreamPlace place;
  place.bizid = "8888";
  place.protocol = protocol;
  return place;
}

std::string Address(const StreamPlace& place, std::string_view code = kCode,
                    std::string_view query = "") {
  const Result<std::string> address = StreamAddress(place, code, query);
  return address.ok() ? *address : "refused: " + address.status().text();
}

TEST(PlayAddressTest, AddressesAreThoseOfTheProvidersPages) {
  EXPECT_EQ(Address(PlaceOf(StreamProtocol::kRtmp)),
            "rtmp://8888.liveplay.myqcloud.com/live/8888_81265058829fd2e50c8ec2ac78d55127");
  EXPECT_EQ(Address(PlaceOf(StreamProtocol::kFlv)),
            "http://8888.liveplay.myqcloud.com/live/8888_81265058829fd2e50c8ec2ac78d55127.flv");
  EXPECT_EQ(Address(PlaceOf(StreamProtocol::kHls)),
            "http://8888.liveplay.myqcloud.com/live/8888_81265058829fd2e50c8ec2ac78d55127.m3u8");
  EXPECT_EQ(Address(PlaceOf(StreamProtocol::kPush), kCode, "txSecret=x&txTime=5C271099"),
            "rtmp://8888.livepush.myqcloud.com/live/8888_81265058829fd2e50c8ec2ac78d55127"
            "?txSecret=x&txTime=5C271099");
}

TEST(PlayAddressTest, OwnDomainTakesThePlaceOfTheProvidersHost) {
  StreamPlace place = PlaceOf(StreamProtocol::kHls);
  place.domain = "Play.Example";
  place.path = "show";
  place.https = true;
  EXPECT_EQ(Address(place, "s1"), "https://play.example/show/s1.m3u8");
  place.bizid.clear();
  EXPECT_EQ(Address(place, "s1"), "https://play.example/show/s1.m3u8");
}

TEST(PlayAddressTest, WhatCannotStandInAnAddressIsRefused) {
  StreamPlace place = PlaceOf(StreamProtocol::kFlv);
  for (const char* code : {"", "a/b", "a?b", "a#b", "a b", "a&b", "a%4", "a%zz", "流"}) {
    EXPECT_THAT(Address(place, code), HasSubstr("refused: the code")) << code;
  }
  EXPECT_EQ(Address(place, "a%E6%B5%81"), "http://8888.liveplay.myqcloud.com/live/a%E6%B5%81.flv");
  place.path = "a/b";
  EXPECT_THAT(Address(place), HasSubstr("refused: the path"));
  place.path = "live";
  for (const char* domain :
       {"a b", "play.example/x", "play.example:80", "user@play.example", "-x", "play.example?"}) {
    place.domain = domain;
    EXPECT_THAT(Address(place), HasSubstr("refused: the domain")) << domain;
  }
  place.domain.clear();
  for (const char* bizid : {"", "8888x", "-1", "8888.evil.example"}) {
    place.bizid = bizid;
    EXPECT_THAT(Address(place), HasSubstr("refused: the BIZID")) << bizid;
  }
  place = PlaceOf(StreamProtocol::kRtmp);
  place.https = true;
  EXPECT_THAT(Address(place), HasSubstr("refused: https"));
}

TEST(PlayAddressTest, SecretIsThatOfTheProvidersPages) {
  EXPECT_EQ(AntiLeechQuery(kKey, "test", "5C271099"),
            "txSecret=f85a2ab363fe4deaffef9754d79da6fe&txTime=5C271099");
}

TEST(PlayAddressTest, EverySpellingOfATimeHasItsOwnSecret) {
  const std::string upper = AntiLeechQuery(kKey, "test", "5C271099");
  const std::string lower = AntiLeechQuery(kKey, "test", "5c271099");
  const std::string decimal = AntiLeechQuery(kKey, "test", "1546064025");
  EXPECT_NE(upper.substr(0, 41), lower.substr(0, 41));
  EXPECT_NE(upper.substr(0, 41), decimal.substr(0, 41));
  EXPECT_EQ(TxTimeText(1546064025), "5C271099");
  EXPECT_EQ(TxTimeText(0x0000ABCD), "0000ABCD");
}

TEST(PlayAddressTest, TxTimeIsEightHexadecimalOrTenDecimalDigits) {
  // All digits, and hexadecimal: ten would be needed for a time of ours.
  EXPECT_TRUE(IsTxTime("60838000"));
  for (const char* text :
       {"", "12h", "5C27109", "5C2710990", "15460640ab", "0x5C2710", "5C27109g"}) {
    EXPECT_FALSE(IsTxTime(text)) << text;
  }
}

TEST(PlayAddressTest, AddressThatWasMadeIsRightInEveryProtocol) {
  const std::vector<std::string> keys = {"other", kKey};
  for (const StreamProtocol protocol :
       {StreamProtocol::kRtmp, StreamProtocol::kFlv, StreamProtocol::kHls, StreamProtocol::kPush}) {
    const std::string query = AntiLeechQuery(kKey, kCode, "5C271099");
    const std::string address = Address(PlaceOf(protocol), kCode, "bizid=8888&" + query);
    EXPECT_TRUE(CheckAntiLeech(keys, address).ok()) << address;
  }
  const std::string ends_like_a_suffix = Address(PlaceOf(StreamProtocol::kRtmp), "8888_a.flv",
                                                 AntiLeechQuery(kKey, "8888_a.flv", "5C271099"));
  EXPECT_TRUE(CheckAntiLeech(keys, ends_like_a_suffix).ok());
}

TEST(PlayAddressTest, AddressOfAnotherStreamKeyOrTimeIsWrong) {
  const std::vector<std::string> keys = {kKey};
  const std::string head = "http://8888.liveplay.myqcloud.com/live/";
  const std::string secret = "txSecret=f85a2ab363fe4deaffef9754d79da6fe";
  EXPECT_TRUE(CheckAntiLeech(keys, head + "test.flv?" + secret + "&txTime=5C271099").ok());
  EXPECT_FALSE(CheckAntiLeech(keys, head + "test2.flv?" + secret + "&txTime=5C271099").ok());
  EXPECT_FALSE(CheckAntiLeech(keys, head + "test.flv?" + secret + "&txTime=5c271099").ok());
  EXPECT_FALSE(CheckAntiLeech(std::vector<std::string>{"other"},
                              head + "test.flv?" + secret + "&txTime=5C271099")
                   .ok());
  EXPECT_THAT(CheckAntiLeech(keys, head + "test.flv?" + secret).text(), HasSubstr("no txTime"));
  EXPECT_THAT(CheckAntiLeech(keys, head + "test.flv?txTime=5C271099").text(),
              HasSubstr("no txSecret"));
  EXPECT_FALSE(CheckAntiLeech(keys, head + "test.flv").ok());
}

}  // namespace
}  // namespace relay
