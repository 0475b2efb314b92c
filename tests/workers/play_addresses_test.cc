#include "workers/formats/play_addresses.h"

#include <gtest/gtest.h>

#include "relay/play_address.h"

namespace relay {
namespace {

const WallTime kNow = WallTime(Seconds(0x5c271099 - 12 * 3600));

PlaySettings SettingsOf(const std::string& key) {
  PlaySettings settings;
  settings.domain = "play.example.com";
  settings.key = key;
  return settings;
}

EventFacts FactsOf(const std::string& stream, const std::string& path = "live") {
  EventFacts facts;
  facts.stream = stream;
  facts.path = path;
  return facts;
}

// The signature is the one that the provider's documents print for this key, stream and time.
TEST(PlayAddressesTest, AddressesAreSignedForAsLongAsTheyAreGood) {
  const std::string query = "?txSecret=f85a2ab363fe4deaffef9754d79da6fe&txTime=5C271099";
  EXPECT_EQ(PlayAddresses(SettingsOf("e12c46f2612d5106e2034781ab261ca3"), FactsOf("test"), kNow),
            R"({"rtmp":"rtmp://play.example.com/live/test)" + query +
                R"(","flv":"http://play.example.com/live/test.flv)" + query +
                R"(","hls":"http://play.example.com/live/test.m3u8)" + query + "\"}");
}

TEST(PlayAddressesTest, WithoutAKeyTheyAreNotSigned) {
  PlaySettings settings = SettingsOf("");
  settings.https = true;
  EXPECT_EQ(PlayAddresses(settings, FactsOf("test", "show"), kNow),
            R"({"rtmp":"rtmp://play.example.com/show/test",)"
            R"("flv":"https://play.example.com/show/test.flv",)"
            R"("hls":"https://play.example.com/show/test.m3u8"})");
  settings.path = "other";
  EXPECT_NE(PlayAddresses(settings, FactsOf("test", "show"), kNow).find("/other/test.flv"),
            std::string::npos);
}

TEST(PlayAddressesTest, WhatHasNoAddressHasNone) {
  EXPECT_EQ(PlayAddresses(PlaySettings(), FactsOf("test"), kNow), "");
  EXPECT_EQ(PlayAddresses(SettingsOf("k"), FactsOf(""), kNow), "");
  EXPECT_EQ(PlayAddresses(SettingsOf("k"), FactsOf("a b?c"), kNow), "");
  EXPECT_EQ(PlayAddresses(SettingsOf("k"), FactsOf("a\"#"), kNow), "");
}

// A clock that is far off must not stop the worker.
TEST(PlayAddressesTest, TimesBeyondATxTimeAreTheLastOne) {
  EXPECT_NE(PlayAddresses(SettingsOf("k"), FactsOf("s"), WallTime(Seconds(0xffffffff)))
                .find("txTime=FFFFFFFF"),
            std::string::npos);
}

}  // namespace
}  // namespace relay
