#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "relay/status.h"

namespace relay {

// Stream codes: the names under which Tencent's real-time rooms push their users' streams to live
// streaming, and so the `stream_id` of their callbacks. There are two forms:
//
//   hashed  BIZID_MD5(room_user_type), of applications made before 2020-01-09
//   plain   urlencode(sdkappid_room_user_type), of those made since (provider docs: TRTC, "relay to
//           CDN"); a room may name its stream itself instead, within kCustomStreamIdBytesMax bytes
//
// A hashed code tells nobody its room and user: that takes a list of the codes that were made.
// All of this is pure and says no with a Status, whose text names what differs.

// What a user shows in a room. Screens shared from a browser are kMain too.
enum class RoomStreamType {
  kMain,  // The camera.
  kAux,   // The screen.
};
// "main", "aux".
std::string_view RoomStreamTypeName(RoomStreamType type);
std::optional<RoomStreamType> ParseRoomStreamType(std::string_view name);

// One user's stream in a room. Room and user are UTF-8, as the application gave them.
struct RoomStream {
  std::string room;
  std::string user;
  RoomStreamType type = RoomStreamType::kMain;

  bool operator==(const RoomStream&) const = default;
};
// InvalidArgument when room or user is empty or not UTF-8.
Status CheckRoomStream(const RoomStream& stream);

// A BIZID or an sdkappid: 1 to 20 decimal digits.
bool IsAccountNumber(std::string_view text);

// The digest in lower case. Requires: IsAccountNumber(bizid), CheckRoomStream(stream).
std::string HashedStreamCode(std::string_view bizid, const RoomStream& stream);

// A hashed code taken apart; views of it.
struct HashedCode {
  std::string_view bizid;
  std::string_view digest;  // 32 hexadecimal digits, in either case.
};
// Nothing for what has not the shape of one.
std::optional<HashedCode> ParseHashedStreamCode(std::string_view code);

// The BIZID that `code` begins with, hashed or not ("8888_show"); InvalidArgument, which names the
// other one, when it is not `bizid`.
Status CheckBizid(std::string_view code, std::string_view bizid);
// Whether `code` is a hashed code of `bizid`, whoever's, its digits in either case.
Status CheckHashedStreamCode(std::string_view code, std::string_view bizid);
// Whether it is that of `stream` besides.
Status CheckHashedStreamCode(std::string_view code, std::string_view bizid,
                             const RoomStream& stream);

// Letters, digits, '-', '_' and '.' stay; every other byte becomes '%' and two upper-case digits (a
// blank "%20"). The provider's pages do not say more of the encoding.
// Requires: IsAccountNumber(sdkappid), CheckRoomStream(stream).
std::string PlainStreamCode(std::string_view sdkappid, const RoomStream& stream);

// A plain code taken apart and decoded.
struct PlainCode {
  std::string sdkappid;
  RoomStream stream;
  // Room or user has a '_', which separates them too, and the code does not tell which: what stands
  // in `stream` is the reading with the shortest room.
  bool ambiguous = false;
};
// The sdkappid is what stands before the first '_', the type what stands behind the last one, and
// the room what stands before the second. '+' means itself. InvalidArgument for what is no such
// code.
Result<PlainCode> ParsePlainStreamCode(std::string_view code);

// Whether `code` is a plain code of `sdkappid`, whoever's.
Status CheckPlainStreamCode(std::string_view code, std::string_view sdkappid);
// Whether it is that of `stream`, encoded by whatever rule: the decoded bytes are compared, so that
// a '_' in room or user does no harm.
Status CheckPlainStreamCode(std::string_view code, std::string_view sdkappid,
                            const RoomStream& stream);

// What a room may name its stream by itself, instead of a plain code.
inline constexpr size_t kCustomStreamIdBytesMax = 64;
// InvalidArgument when `id` is empty, too long or not UTF-8.
Status CheckCustomStreamId(std::string_view id);

}  // namespace relay
