#include "cli/callback_reader.h"

#include "relay/ascii.h"
#include "relay/tenant_router.h"
#include "relay/tencent_signature.h"

namespace relay {

namespace {

bool IsNameCharacter(char c) {
  return IsLetterOrDigit(c) || c == '_' || c == '-';
}

}  // namespace

const CallbackReading& CallbackReader::Read(std::string_view body) {
  reading_.seq.clear();
  reading_.t.clear();
  reading_.sign.clear();
  if (!object_.Parse(body).ok()) {
    SetHash(body);
    return reading_;
  }
  const JsonMember* param = object_.Find("stream_param");
  if (param && param->kind == JsonKind::kString) {
    reading_.seq = SeqOf(param->StringValue(buffer_));
  }
  if (reading_.seq.empty()) reading_.seq = SeqWithin(body);
  SetText("t", &reading_.t);
  SetText("sign", &reading_.sign);
  SetHash(BlankSignature(object_));
  return reading_;
}

void CallbackReader::SetText(const char* key, std::string* out) {
  const JsonMember* member = object_.Find(key);
  if (!member) return;
  if (member->kind == JsonKind::kString) *out = member->StringValue(buffer_);
  if (member->kind == JsonKind::kNumber) *out = member->raw;
}

void CallbackReader::SetHash(std::string_view bytes) {
  sha256_.Update(bytes);
  const Sha256::Digest digest = sha256_.Finish();
  reading_.sha256 = HexText(digest.data(), digest.size());
}

std::string_view SeqOf(std::string_view stream_param) {
  return QueryValue(stream_param, "relay_seq");
}

std::string_view SeqWithin(std::string_view body) {
  constexpr std::string_view kName = "relay_seq=";
  for (size_t at = body.find(kName); at != std::string_view::npos;
       at = body.find(kName, at + kName.size())) {
    if (at > 0 && IsNameCharacter(body[at - 1])) continue;  // Another name's end.
    const std::string_view rest = body.substr(at + kName.size());
    size_t end = 0;
    while (end < rest.size() && static_cast<unsigned char>(rest[end]) > ' ' && rest[end] != '&' &&
           rest[end] != '"' && rest[end] != '\\') {
      ++end;
    }
    if (end > 0) return rest.substr(0, end);
  }
  return {};
}

}  // namespace relay
