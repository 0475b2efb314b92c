#include "workers/address_guard.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

namespace relay {
namespace {

// What IANA's special-purpose registry and the rules of the guard leave public, as ranges: written
// from the first and last addresses of the gaps, not from the blocks that the guard denies.
struct Range {
  const char* first;
  const char* last;
};
constexpr Range kPublicV4[] = {
    {"1.0.0.0", "9.255.255.255"},         {"11.0.0.0", "100.63.255.255"},
    {"100.128.0.0", "126.255.255.255"},   {"128.0.0.0", "168.63.129.15"},
    {"168.63.129.17", "169.253.255.255"}, {"169.255.0.0", "172.15.255.255"},
    {"172.32.0.0", "191.255.255.255"},    {"192.0.1.0", "192.0.1.255"},
    {"192.0.3.0", "192.31.195.255"},      {"192.31.197.0", "192.52.192.255"},
    {"192.52.194.0", "192.88.98.255"},    {"192.88.100.0", "192.167.255.255"},
    {"192.169.0.0", "192.175.47.255"},    {"192.175.49.0", "198.17.255.255"},
    {"198.20.0.0", "198.51.99.255"},      {"198.51.101.0", "203.0.112.255"},
    {"203.0.114.0", "223.255.255.255"},
};

uint32_t Value(const char* text) {
  return IpAddress::Parse(text)->v4_value();
}

bool Allowed(const AddressGuard& guard, const char* text) {
  return guard.Allows(*IpAddress::Parse(text));
}

AddressGuard Guard(Settings::Guard terms = {}, std::vector<IpAddress> own = {}) {
  return std::move(AddressGuard::Create(terms, std::move(own))).value();
}

// A stride through all addresses; that the edges of every /24 are met as well steps over no
// boundary between blocks, but for those of single addresses, which stand among the ranges' edges
// below.
constexpr uint64_t kStride = 101;

TEST(AddressGuardTest, JudgesIpv4AddressesAllOverAsTheRangesSay) {
  std::vector<std::pair<uint64_t, uint64_t>> ranges;
  for (const Range& range : kPublicV4) ranges.emplace_back(Value(range.first), Value(range.last));
  uint64_t wrong = 0;
  size_t next = 0;  // Index of the first range that does not end before the address.
  const auto judge = [&](uint64_t address) {
    while (next < ranges.size() && ranges[next].second < address) ++next;
    const bool expected = next < ranges.size() && ranges[next].first <= address;
    wrong += IsPublicAddress(IpAddress::V4(uint32_t(address))) != expected;
  };
  for (uint64_t address = 0; address < 1ull << 32; address += kStride) judge(address);
  next = 0;
  for (uint64_t block = 0; block < 1ull << 24; ++block) {
    judge(block << 8);
    judge(block << 8 | 255);
  }
  EXPECT_EQ(wrong, 0u);
}

TEST(AddressGuardTest, JudgesTheEdgesOfEachRange) {
  for (const Range& range : kPublicV4) {
    EXPECT_TRUE(IsPublicAddress(*IpAddress::Parse(range.first))) << range.first;
    EXPECT_TRUE(IsPublicAddress(*IpAddress::Parse(range.last))) << range.last;
    EXPECT_FALSE(IsPublicAddress(IpAddress::V4(Value(range.first) - 1))) << range.first;
    EXPECT_FALSE(IsPublicAddress(IpAddress::V4(Value(range.last) + 1))) << range.last;
  }
}

TEST(AddressGuardTest, DeniesMetadataServicesWhereverTheyLive) {
  for (const char* text : {"169.254.169.254", "168.63.129.16", "100.100.100.200", "fd00:ec2::254",
                           "fd20:ce::254", "192.0.0.192"}) {
    EXPECT_FALSE(IsPublicAddress(*IpAddress::Parse(text))) << text;
  }
}

TEST(AddressGuardTest, AllowsOnlyPlainGlobalUnicastIpv6) {
  for (const char* text :
       {"2606:4700:4700::1111", "2001:4860:4860::8888", "2001:200::1", "2001:db7:ffff::1",
        "2001:db9::1", "2003::1", "2620:4f:7fff::1", "2620:4f:8001::1", "3fff:1000::1",
        "3ffe:ffff::1", "2a00:1450::1", "2400:cb00::1"}) {
    EXPECT_TRUE(IsPublicAddress(*IpAddress::Parse(text))) << text;
  }
  for (const char* text : {"::",
                           "::1",
                           "::ffff:8.8.8.8",
                           "::ffff:127.0.0.1",
                           "::8.8.8.8",
                           "::ffff:0:8.8.8.8",
                           "64:ff9b::8.8.8.8",
                           "64:ff9b::7f00:1",
                           "64:ff9b:1::1",
                           "100::1",
                           "100:0:0:1::1",
                           "1fff:ffff::1",
                           "2001::1",
                           "2001:0:4136:e378:8000:63bf:3fff:fdd2",
                           "2001:2::1",
                           "2001:10::1",
                           "2001:20::1",
                           "2001:1ff:ffff::1",
                           "2001:db8::1",
                           "2001:db8:ffff::1",
                           "2002:7f00:1::",
                           "2002:808:808::1",
                           "2620:4f:8000::1",
                           "3fff::1",
                           "3fff:fff::1",
                           "4000::1",
                           "5f00::1",
                           "fc00::1",
                           "fd12:3456::1",
                           "fe80::1",
                           "fec0::1",
                           "ff02::1"}) {
    EXPECT_FALSE(IsPublicAddress(*IpAddress::Parse(text))) << text;
  }
}

TEST(AddressGuardTest, OpensWhatTheOperatorNames) {
  Settings::Guard terms;
  EXPECT_FALSE(Allowed(Guard(terms), "127.0.0.1"));
  terms.allow_private = {"127.0.0.0/8", "::1/128"};
  const AddressGuard guard = Guard(terms);
  EXPECT_TRUE(Allowed(guard, "127.0.0.1"));
  EXPECT_TRUE(Allowed(guard, "::1"));
  EXPECT_FALSE(Allowed(guard, "10.0.0.1"));
  EXPECT_FALSE(Allowed(guard, "::ffff:127.0.0.1"));
  terms.allow_private = {"localhost"};
  EXPECT_FALSE(AddressGuard::Create(terms, {}).ok());
}

// A delivery that comes back to this host would reach what listens here for others, or the broker.
TEST(AddressGuardTest, DeniesItsOwnPublicAddressesUnlessOpened) {
  const IpAddress own = *IpAddress::Parse("93.184.216.34");
  EXPECT_FALSE(Guard({}, {own}).Allows(own));
  EXPECT_TRUE(Allowed(Guard({}, {own}), "93.184.216.35"));
  Settings::Guard terms;
  terms.allow_private = {"93.184.216.34/32"};
  EXPECT_TRUE(Guard(terms, {own}).Allows(own));
}

TEST(AddressGuardTest, KnowsTheLoopbackAddressAsItsOwn) {
  bool found = false;
  for (const IpAddress& address : OwnAddresses()) found |= address.ToString() == "127.0.0.1";
  EXPECT_TRUE(found);
}

TEST(AddressGuardTest, RefusesPortsAndSchemesOutsideItsLists) {
  Settings::Guard terms;
  terms.ports = {80, 443};
  EXPECT_EQ(Guard(terms).WhyUrlIsRefused(*ParseUrl("http://a.example/")), "");
  EXPECT_NE(Guard(terms).WhyUrlIsRefused(*ParseUrl("http://a.example:6379/")), "");
  terms.ports = {};
  EXPECT_EQ(Guard(terms).WhyUrlIsRefused(*ParseUrl("http://a.example:6379/")), "");
  terms.https_only = true;
  EXPECT_NE(Guard(terms).WhyUrlIsRefused(*ParseUrl("http://a.example/")), "");
  EXPECT_EQ(Guard(terms).WhyUrlIsRefused(*ParseUrl("https://a.example/")), "");
}

}  // namespace
}  // namespace relay
