#include "broker/providers/callback_text.h"

#include <algorithm>
#include <cstdint>

namespace relay {
namespace {

constexpr size_t kTypeBytesMax = 100;

void SetDigest(Sha256& sha256, std::string& key) {
  const Sha256::Digest digest = sha256.Finish();
  key.assign(1, 'b');
  key.append(reinterpret_cast<const char*>(digest.data()), digest.size());
}

}  // namespace

bool IsEventTypeName(std::string_view text) {
  return text.size() <= kTypeBytesMax &&
         std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

SingleHeader FindSingleHeader(const HttpRequest& request, std::string_view name) {
  SingleHeader found;
  bool seen = false;
  for (const HttpHeader& header : request.headers) {
    if (!SameHeaderName(header.name, name)) continue;
    found.twice = seen;
    if (seen) break;
    seen = true;
    found.value = header.value;
  }
  return found;
}

void AppendWithLength(std::string_view text, std::string& key) {
  const auto size = static_cast<uint32_t>(text.size());
  const char head[4] = {static_cast<char>(size >> 24), static_cast<char>(size >> 16),
                        static_cast<char>(size >> 8), static_cast<char>(size)};
  key.append(head, sizeof(head)).append(text);
}

void WriteBodyKey(std::string_view body, std::string& key) {
  Sha256 sha256;
  sha256.Update(body);
  SetDigest(sha256, key);
}

void WriteBodyKey(const JsonObject& callback, std::initializer_list<std::string_view> names,
                  std::string& key) {
  Sha256 sha256;
  const std::string_view body = callback.bytes();
  size_t hashed = 0;
  for (const JsonMember& member : callback.members()) {
    if (std::find(names.begin(), names.end(), member.key) == names.end()) continue;
    const size_t begin = member.raw_key.data() - body.data();
    sha256.Update(body.substr(hashed, begin - hashed));
    hashed = member.raw.data() + member.raw.size() - body.data();
  }
  sha256.Update(body.substr(hashed));
  SetDigest(sha256, key);
}

}  // namespace relay
