#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "relay/status.h"

namespace relay {

// Who stands behind a stream code. The code is a digest of room, user and kind of stream, so that
// nobody can read them off it; whoever made the code can register them (`relayctl streams
// register`), and they are told beside the code's events until the registration expires.
struct RegisteredRoom {
  static constexpr size_t kTextBytesMax = 256;

  std::string room;
  std::string user;
  std::string type;        // "main" or "aux".
  int64_t expires_ms = 0;  // By Redis's clock.

  bool operator==(const RegisteredRoom&) const = default;
};

// Registrations of one partition: its owner holds them in memory.
inline constexpr int kRoomsMax = 10'000;

// Registrations are a tenant's own: two tenants may have named the same code.
std::string RoomKey(std::string_view tenant, std::string_view code);

// A hash's value without the time of expiry, which the script that writes it puts in front.
// Requires: room and user of at most kTextBytesMax.
std::string EncodeRoom(const RegisteredRoom& room);
// Of the whole value. InvalidArgument for anything else.
Result<RegisteredRoom> DecodeRoom(std::string_view text);

}  // namespace relay
