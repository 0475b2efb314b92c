#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "relay/json_object.h"

namespace relay {

// The families of Tencent Cloud live events call the same things by different names, and write
// numbers now as numbers, now as strings. Here is which names mean what (cloud docs 267/38081 and
// the pages of the other families).

// The name of a type of event, e.g. "recording_file" for "100"; empty for one that is not known
// here, which is an event like any other.
std::string_view TencentTypeName(std::string_view type);

enum class TencentField {
  kDomain,   // Of the push.
  kAccount,  // The account's APPID.
  kStream,
  kStreamParam,  // The query of the push URL.
  kPath,         // Of the push, within its domain.
  kActivity,     // What the event is a part of: one push, one recording, one task.
};
// What the event says of it, numbers with the digits that they were written with; empty for
// nothing. The view lives until `buffer` is used again.
std::string_view TencentText(TencentField field, const JsonObject& event, std::string& buffer);

// When it happened, in ms since 1970; 0 when that is not told.
int64_t TencentEventTimeMs(const JsonObject& event, std::string& buffer);

}  // namespace relay
