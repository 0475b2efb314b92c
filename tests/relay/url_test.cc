#include "relay/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace relay {
namespace {

using ::testing::HasSubstr;

std::string Canonical(std::string_view text) {
  const Result<Url> url = ParseUrl(text);
  return url.ok() ? url->ToString() : "refused: " + url.status().text();
}

TEST(UrlTest, TakesApartWhatAnEndpointNeeds) {
  const Result<Url> url = ParseUrl("https://Hooks.Example.com:8443/in?a=1&b=%20");
  ASSERT_TRUE(url.ok());
  EXPECT_TRUE(url->https);
  EXPECT_EQ(url->host, "hooks.example.com");
  EXPECT_FALSE(url->address);
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->target, "/in?a=1&b=%20");
}

TEST(UrlTest, FillsInWhatTheSchemeImplies) {
  EXPECT_EQ(Canonical("http://a.example"), "http://a.example/");
  EXPECT_EQ(Canonical("HTTPS://a.example:443/x"), "https://a.example/x");
  EXPECT_EQ(Canonical("http://a.example:443/x"), "http://a.example:443/x");
  EXPECT_EQ(Canonical("http://a.example?q"), "http://a.example/?q");
  EXPECT_EQ(ParseUrl("http://a.example")->port, 80);
  EXPECT_EQ(ParseUrl("https://a.example")->port, 443);
}

TEST(UrlTest, TakesAddressesInTheirPlainSpellingOnly) {
  EXPECT_EQ(Canonical("http://127.0.0.1:9101/hook"), "http://127.0.0.1:9101/hook");
  EXPECT_EQ(Canonical("http://[::1]:9101/"), "http://[::1]:9101/");
  EXPECT_EQ(Canonical("http://[2001:DB8:0:0::1]"), "http://[2001:db8::1]/");
  EXPECT_EQ(ParseUrl("http://127.0.0.1/")->address, IpAddress::V4(0x7f000001));
}

// Each of these is read as some address or other host by at least one widely used parser.
TEST(UrlTest, RefusesTheSpellingsThatFiltersAreTrickedWith) {
  for (const char* text : {
           "http://0x7f.1/",
           "http://127.1/",
           "http://2130706433/",
           "http://0x7f000001/",
           "http://0177.0.0.1/",
           "http://127.0.0.01/",
           "http://127.0.0.1./",
           "http://127.0.0.256/",
           "http://1.2.3.4.5/",
           "http://a.example.0x/",
           "http://a.example./",
           "http://a..example/",
           "http://.example/",
           "http://-a.example/",
           "http://a-.example/",
           "http://a_b.example/",
           "http://user@a.example/",
           "http://user:secret@a.example/",
           "http://@a.example/",
           "http://a.example\\@b.example/",
           "http://a.example\\/",
           "http://a.example%00/",
           "http://a%2eexample/",
           "http://a.example#@b.example/",
           "http://a.example/#fragment",
           "http://a.ex\tample/",
           "http://a.example /",
           " http://a.example/",
           "http://a.example/ ",
           "http://a.example/a b",
           "http://a.example/\r\nX: y",
           "http://a.example/\\",
           "http://a.example/%zz",
           "http://a.example/%2",
           "http://b\xc3\xbc"
           "cher.example/",
           "http://a.example/\xc3\xbc",
           "http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/",
           "http://[::1%25eth0]/",
           "http://[fe80::1%eth0]/",
           "http://[::1/",
           "http://::1/",
           "http://[127.0.0.1]/",
           "http://[]/",
           "http://[::1]x/",
           "http:///path",
           "http://",
           "http://:80/",
           "http://a.example:/",
           "http://a.example:0/",
           "http://a.example:65536/",
           "http://a.example:+80/",
           "http://a.example:8 0/",
           "http://a.example:80:80/",
           "http:/a.example/",
           "http:a.example/",
           "//a.example/",
           "a.example",
           "ftp://a.example/",
           "file:///etc/passwd",
           "gopher://a.example/",
           "",
       }) {
    EXPECT_THAT(Canonical(text), HasSubstr("refused: ")) << text;
  }
  EXPECT_FALSE(ParseUrl(std::string_view("http://a\0.example/", 18)).ok());
  EXPECT_FALSE(ParseUrl("http://" + std::string(64, 'a') + ".example/").ok());
  EXPECT_FALSE(ParseUrl("http://a.example/" + std::string(kUrlBytesMax, 'a')).ok());
}

TEST(UrlTest, ARefusalNeverRepeatsTheUrl) {
  const Result<Url> url = ParseUrl("http://a.example/hook?token=hunter2 ");
  ASSERT_FALSE(url.ok());
  EXPECT_EQ(url.status().text().find("hunter2"), std::string::npos);
}

TEST(IpBlockTest, ContainsWhatItsPrefixSays) {
  const IpBlock loopback = *IpBlock::Parse("127.0.0.0/8");
  EXPECT_TRUE(loopback.Contains(*IpAddress::Parse("127.255.0.1")));
  EXPECT_FALSE(loopback.Contains(*IpAddress::Parse("128.0.0.1")));
  EXPECT_FALSE(loopback.Contains(*IpAddress::Parse("::1")));
  const IpBlock odd = *IpBlock::Parse("172.16.0.0/12");
  EXPECT_TRUE(odd.Contains(*IpAddress::Parse("172.31.255.255")));
  EXPECT_FALSE(odd.Contains(*IpAddress::Parse("172.32.0.0")));
  EXPECT_TRUE(IpBlock::Parse("0.0.0.0/0")->Contains(*IpAddress::Parse("9.9.9.9")));
  EXPECT_TRUE(IpBlock::Parse("::1/128")->Contains(*IpAddress::Parse("::1")));
}

TEST(IpBlockTest, RefusesWhatIsNotABlock) {
  for (const char* text : {"", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/8x",
                           "10.0.0.1/8", "10.0.0/8", "fd00::1/8", "::/129", "x/8"}) {
    EXPECT_FALSE(IpBlock::Parse(text).ok()) << text;
  }
}

}  // namespace
}  // namespace relay
