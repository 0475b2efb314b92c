#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "relay/http_request.h"
#include "relay/json_object.h"
#include "relay/sha256.h"

namespace relay {

// What the verifiers read and write alike.

// What an event's type may be where it is no number: at most 100 bytes of printable ASCII, or none.
bool IsEventTypeName(std::string_view text);

// The header called `name`, if it is there once. Twice is as good as forged: the sender signed one
// of them, and nobody knows which.
struct SingleHeader {
  std::string_view value;  // Empty when it is not there.
  bool twice = false;
};
SingleHeader FindSingleHeader(const HttpRequest& request, std::string_view name);

// Adds the length of `text` before it, so that no two lists of texts run together to one key.
void AppendWithLength(std::string_view text, std::string& key);
// Makes `key` the SHA-256 of the body, or of the body without the members called `names`, which
// change with every sending.
void WriteBodyKey(std::string_view body, std::string& key);
void WriteBodyKey(const JsonObject& callback, std::initializer_list<std::string_view> names,
                  std::string& key);

}  // namespace relay
