#include "cli/wrapped_callback.h"

#include "relay/base64.h"

namespace relay {
namespace {

// `body` begins with `head`, the id as JSON text, and nothing of it is left out between them.
bool BeginsWith(std::string_view body, std::string_view head, std::string_view id) {
  return body.starts_with(head) && body.substr(head.size()).starts_with(id) &&
         body.substr(head.size() + id.size()).starts_with('"');
}

}  // namespace

std::string_view WrappedCallback::Open(const HttpRequest& request) {
  const std::string_view body = request.body;
  const std::string_view id = request.Header("webhook-id");
  if (id.empty()) return body;
  if (!BeginsWith(body, R"({"id":")", id) &&
      !BeginsWith(body, R"({"specversion":"1.0","id":")", id)) {
    return body;
  }
  if (!object_.Parse(body).ok()) return body;
  if (const JsonMember* data = object_.Find("data")) return data->raw;
  const JsonMember* text = object_.Find("data_text");
  if (text && text->kind == JsonKind::kString) return text->StringValue(buffer_);
  const JsonMember* coded = object_.Find("data_base64");
  if (coded && coded->kind == JsonKind::kString) {
    const std::string_view digits = coded->raw.substr(1, coded->raw.size() - 2);
    if (digits.empty()) return digits;
    if (DecodeBase64(digits, buffer_)) return buffer_;
  }
  return body;
}

}  // namespace relay
