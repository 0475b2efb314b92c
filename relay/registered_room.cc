#include "relay/registered_room.h"

#include "relay/counted_text.h"

namespace relay {

// A tenant's id has no '/'.
std::string RoomKey(std::string_view tenant, std::string_view code) {
  std::string key;
  key.reserve(tenant.size() + 1 + code.size());
  return key.append(tenant).append("/").append(code);
}

std::string EncodeRoom(const RegisteredRoom& room) {
  std::string text = room.type + " ";
  AppendCounted(room.room, text);
  AppendCounted(room.user, text);
  return text;
}

Result<RegisteredRoom> DecodeRoom(std::string_view text) {
  CountedReader reader(text);
  RegisteredRoom room;
  room.expires_ms = reader.Number();
  reader.Expect(" ");
  room.type = reader.Word();
  reader.Expect(" ");
  room.room = reader.Counted(RegisteredRoom::kTextBytesMax);
  room.user = reader.Counted(RegisteredRoom::kTextBytesMax);
  if (!reader.done()) return Status::InvalidArgument("not a registered room");
  return room;
}

}  // namespace relay
