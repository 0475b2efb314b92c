#include "relay/tencent_signature.h"

#include "relay/md5.h"

namespace relay {

std::string TencentSignature::Sign(std::string_view key, std::string_view t_digits) const {
  return Md5Hex({key, t_digits});
}

bool TencentSignature::Verify(std::span<const std::string> keys, std::string_view t_digits,
                              std::string_view sign) const {
  Md5Digest given;
  if (!ParseMd5Hex(sign, given)) return false;
  bool authentic = false;
  for (const std::string& key : keys) {
    authentic |= SameMd5(Md5({key, t_digits}), given);
  }
  return authentic;
}

std::string BlankSignature(const JsonObject& callback) {
  const std::string_view body = callback.bytes();
  std::string out;
  out.reserve(body.size());
  size_t copied = 0;
  for (const JsonMember& member : callback.members()) {
    if (member.key != "t" && member.key != "sign") continue;
    const size_t begin = member.raw.data() - body.data();
    out.append(body, copied, begin - copied).append(member.key == "t" ? "0" : "\"\"");
    copied = begin + member.raw.size();
  }
  return out.append(body, copied);
}

std::string BlankSignature(std::string_view body) {
  JsonObject callback;
  return callback.Parse(body).ok() ? BlankSignature(callback) : std::string(body);
}

}  // namespace relay
