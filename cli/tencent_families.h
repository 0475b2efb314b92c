#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace relay {

// What the families of Tencent Cloud live events look like: one shape for each number of
// event_type, with the members and JSON types of the provider's pages (docs 267/38081 and those of
// the other families; 1048/73133 for 329 and 330). Numbers that no page names get the members that
// most families share.

// Under which names a family says where an event belongs; empty where it does not say it.
struct TencentMembers {
  std::string_view domain;
  std::string_view path;
  std::string_view stream;
  std::string_view channel;
  bool stream_param = false;  // Whether the push URL's query comes back in it.
  bool appid = true;
};
TencentMembers MembersOf(int type);

// The account of all of them, a number in their member `appid`.
inline constexpr char kTencentAppId[] = "1250000000";

// The types that the provider documents, in ascending order.
std::span<const int> TencentTypes();

// Where a callback stands in the life of its account.
struct TencentPlace {
  int64_t number = 0;
  int64_t round = 0;      // Which push of its stream it belongs to.
  uint64_t sequence = 0;  // That push's: 19 digits.
  bool late = false;      // A stop that was noticed after the next start.
  std::string_view seq;
  std::string_view stream;
  std::string_view domain;
  int64_t event_time = 0;  // Seconds since 1970.
  int type = 0;
};

// Begins a body and leaves it inside a text, at its end: of stream_param, or else of another member
// that is free text in this family, or of a member "relay_seq" of our own where there is none. The
// returned text ends what was left open, all but the last brace, and stands for ever.
//
// Requires: no part of `at` needs an escape in JSON.
std::string_view AppendTencentFamily(const TencentPlace& at, std::string& body);

}  // namespace relay
