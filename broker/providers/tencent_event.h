#pragma once

#include <string>
#include <string_view>

#include "broker/providers/provider.h"
#include "relay/json_object.h"

namespace relay {

// The families of Tencent Cloud live events call the same things by different names, and write
// numbers now as numbers, now as strings. Here is which names mean what (cloud docs 267/38081 and
// the pages of the other families).

// The name of a type of event, e.g. "recording_file" for "100"; empty for one that is not known
// here, which is an event like any other.
std::string_view TencentTypeName(std::string_view type);

// Reads what the event says of itself, all but its type and its dedupe key, into `facts`. Numbers
// keep the digits that they were written with. `buffer` is for text that was written with escapes.
void ReadTencentEvent(const JsonObject& event, std::string& buffer, CallbackFacts& facts);

}  // namespace relay
