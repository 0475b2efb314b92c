#include "cli/callback_reader.h"

#include "relay/tenant_router.h"
#include "relay/tencent_signature.h"

namespace relay {

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

}  // namespace relay
