#include "workers/formats/tencent_format.h"

#include <array>
#include <utility>

namespace relay {
namespace {

struct Replacement {
  size_t begin = 0;
  size_t end = 0;
  std::string text;
};

// The bytes to put where `member` has its value, or, when it is absent, before the closing brace.
Replacement Replace(std::string_view body, const JsonMember* member, size_t closing_brace,
                    std::string_view name, std::string value, bool& needs_comma) {
  if (member) {
    const size_t begin = size_t(member->raw.data() - body.data());
    return {begin, begin + member->raw.size(), std::move(value)};
  }
  std::string text = needs_comma ? "," : "";
  text.append("\"").append(name).append("\":").append(value);
  needs_comma = true;
  return {closing_brace, closing_brace, std::move(text)};
}

}  // namespace

Result<std::string> TencentFormat::Sign(std::string_view body, std::string_view key,
                                        int64_t expires_s) {
  if (Status status = object_.Parse(body); !status.ok()) return status;
  const JsonMember* t = object_.Find("t");
  const JsonMember* sign = object_.Find("sign");
  const std::string digits = std::to_string(expires_s);
  const bool t_is_text = t && t->kind == JsonKind::kString;

  // Behind the top-level object there is nothing but blanks.
  const size_t closing_brace = body.rfind('}');
  bool needs_comma = !object_.members().empty();
  std::array<Replacement, 2> edits = {
      Replace(body, t, closing_brace, "t", t_is_text ? "\"" + digits + "\"" : digits, needs_comma),
      Replace(body, sign, closing_brace, "sign", "\"" + signature_.Sign(key, digits) + "\"",
              needs_comma),
  };
  if (edits[1].begin < edits[0].begin) std::swap(edits[0], edits[1]);

  std::string signed_body;
  signed_body.reserve(body.size() + edits[0].text.size() + edits[1].text.size());
  size_t copied = 0;
  for (const Replacement& edit : edits) {
    signed_body.append(body.substr(copied, edit.begin - copied)).append(edit.text);
    copied = edit.end;
  }
  return signed_body.append(body.substr(copied));
}

}  // namespace relay
