#include "relay/stream_code.h"

#include <algorithm>

#include "relay/ascii.h"
#include "relay/check.h"
#include "relay/md5.h"
#include "relay/utf8.h"

namespace relay {
namespace {

constexpr size_t kAccountDigitsMax = 20;

bool IsUnreserved(char c) {
  return IsLetterOrDigit(c) || c == '-' || c == '_' || c == '.';
}

std::string PercentEncode(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (IsUnreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
  }
  return out;
}

Result<std::string> PercentDecode(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? HexDigit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? HexDigit(text[i + 2]) : -1;
    if (high < 0 || low < 0) {
      return Status::InvalidArgument("a '%' is not followed by two hexadecimal digits");
    }
    out += static_cast<char>(high << 4 | low);
    i += 2;
  }
  return out;
}

// What is hashed, and what follows the sdkappid.
std::string NameOf(const RoomStream& stream) {
  return stream.room + "_" + stream.user + "_" + std::string(RoomStreamTypeName(stream.type));
}

std::string Described(const RoomStream& stream) {
  return "room " + stream.room + ", user " + stream.user + ", type " +
         std::string(RoomStreamTypeName(stream.type));
}

RoomStream WithOtherType(RoomStream stream) {
  stream.type = stream.type == RoomStreamType::kMain ? RoomStreamType::kAux : RoomStreamType::kMain;
  return stream;
}

// `code` is not that of `stream`, which would be `expected`. A camera taken for a screen is the
// commonest slip, and the one that can be told.
Status Differs(const RoomStream& stream, bool of_other_type, const std::string& expected) {
  std::string text = "the code is not that of " + Described(stream);
  if (of_other_type) {
    text += ", but of type " + std::string(RoomStreamTypeName(WithOtherType(stream).type));
  }
  return Status::InvalidArgument(text + ": expected " + expected);
}

}  // namespace

std::string_view RoomStreamTypeName(RoomStreamType type) {
  return type == RoomStreamType::kMain ? "main" : "aux";
}

std::optional<RoomStreamType> ParseRoomStreamType(std::string_view name) {
  if (name == "main") return RoomStreamType::kMain;
  if (name == "aux") return RoomStreamType::kAux;
  return std::nullopt;
}

Status CheckRoomStream(const RoomStream& stream) {
  if (stream.room.empty()) return Status::InvalidArgument("the room is empty");
  if (stream.user.empty()) return Status::InvalidArgument("the user is empty");
  if (!IsUtf8(stream.room)) return Status::InvalidArgument("the room is not UTF-8");
  if (!IsUtf8(stream.user)) return Status::InvalidArgument("the user is not UTF-8");
  return Status::Ok();
}

bool IsAccountNumber(std::string_view text) {
  return !text.empty() && text.size() <= kAccountDigitsMax &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string HashedStreamCode(std::string_view bizid, const RoomStream& stream) {
  RELAY_CHECK(IsAccountNumber(bizid) && CheckRoomStream(stream).ok());
  return std::string(bizid) + "_" + Md5Hex({NameOf(stream)});
}

std::optional<HashedCode> ParseHashedStreamCode(std::string_view code) {
  const size_t end = code.find('_');
  if (end == std::string_view::npos) return std::nullopt;
  const HashedCode parts{code.substr(0, end), code.substr(end + 1)};
  Md5Digest digest;
  if (!IsAccountNumber(parts.bizid) || !ParseMd5Hex(parts.digest, digest)) return std::nullopt;
  return parts;
}

Status CheckBizid(std::string_view code, std::string_view bizid) {
  const size_t end = code.find('_');
  const std::string_view own = code.substr(0, end);
  if (end == std::string_view::npos || !IsAccountNumber(own)) {
    return Status::InvalidArgument("the code does not begin with a BIZID and '_': expected " +
                                   std::string(bizid) + "_...");
  }
  if (own == bizid) return Status::Ok();
  return Status::InvalidArgument("the code's BIZID is " + std::string(own) + ", not " +
                                 std::string(bizid));
}

Status CheckHashedStreamCode(std::string_view code, std::string_view bizid) {
  if (Status status = CheckBizid(code, bizid); !status.ok()) return status;
  if (ParseHashedStreamCode(code)) return Status::Ok();
  return Status::InvalidArgument("after the BIZID and '_' come 32 hexadecimal digits");
}

Status CheckHashedStreamCode(std::string_view code, std::string_view bizid,
                             const RoomStream& stream) {
  if (Status status = CheckHashedStreamCode(code, bizid); !status.ok()) return status;
  Md5Digest digest;
  RELAY_CHECK(ParseMd5Hex(ParseHashedStreamCode(code)->digest, digest));
  if (SameMd5(digest, Md5({NameOf(stream)}))) return Status::Ok();
  return Differs(stream, SameMd5(digest, Md5({NameOf(WithOtherType(stream))})),
                 HashedStreamCode(bizid, stream));
}

std::string PlainStreamCode(std::string_view sdkappid, const RoomStream& stream) {
  RELAY_CHECK(IsAccountNumber(sdkappid) && CheckRoomStream(stream).ok());
  return std::string(sdkappid) + "_" + PercentEncode(NameOf(stream));
}

Result<PlainCode> ParsePlainStreamCode(std::string_view code) {
  const Result<std::string> decoded = PercentDecode(code);
  if (!decoded.ok()) return decoded.status();
  const std::string& text = *decoded;
  const size_t first = text.find('_');
  const size_t last = text.rfind('_');
  // Behind a room of one byte at least.
  const size_t second = first == std::string::npos ? first : text.find('_', first + 2);
  if (second == std::string::npos || second == last) {
    return Status::InvalidArgument("expected sdkappid_room_user_type");
  }
  PlainCode parts;
  parts.sdkappid = text.substr(0, first);
  if (!IsAccountNumber(parts.sdkappid)) {
    return Status::InvalidArgument("does not begin with an sdkappid, a number");
  }
  const std::optional<RoomStreamType> type = ParseRoomStreamType(text.substr(last + 1));
  if (!type) return Status::InvalidArgument("does not end with _main or _aux");
  parts.stream = {text.substr(first + 1, second - first - 1),
                  text.substr(second + 1, last - second - 1), *type};
  if (Status status = CheckRoomStream(parts.stream); !status.ok()) return status;
  // Another '_' separates as well, unless it would leave the user empty.
  parts.ambiguous = parts.stream.user.find('_') < parts.stream.user.size() - 1;
  return parts;
}

Status CheckPlainStreamCode(std::string_view code, std::string_view sdkappid) {
  const Result<PlainCode> parts = ParsePlainStreamCode(code);
  if (!parts.ok()) return Status::InvalidArgument("the code: " + parts.status().text());
  if (parts->sdkappid == sdkappid) return Status::Ok();
  return Status::InvalidArgument("the code's sdkappid is " + parts->sdkappid + ", not " +
                                 std::string(sdkappid));
}

Status CheckPlainStreamCode(std::string_view code, std::string_view sdkappid,
                            const RoomStream& stream) {
  const std::string account = std::string(sdkappid) + "_";
  const Result<std::string> text = PercentDecode(code);
  if (text.ok() && *text == account + NameOf(stream)) return Status::Ok();
  if (Status status = CheckPlainStreamCode(code, sdkappid); !status.ok()) return status;
  return Differs(stream, *text == account + NameOf(WithOtherType(stream)),
                 PlainStreamCode(sdkappid, stream));
}

Status CheckCustomStreamId(std::string_view id) {
  if (id.empty()) return Status::InvalidArgument("the stream id is empty");
  if (id.size() > kCustomStreamIdBytesMax) {
    return Status::InvalidArgument("the stream id has " + std::to_string(id.size()) +
                                   " bytes; the provider takes 64 at most");
  }
  if (!IsUtf8(id)) return Status::InvalidArgument("the stream id is not UTF-8");
  return Status::Ok();
}

}  // namespace relay
