#include "broker/providers/hmac_signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <array>
#include <charconv>
#include <cstdint>

#include "broker/providers/callback_text.h"
#include "relay/json_text.h"

namespace relay {
namespace {

// Base64 of the longest digest, and the NUL that OpenSSL writes after it.
constexpr size_t kTextBytesMax = 2 * Hmac::kDigestBytesMax + 1;
constexpr size_t kTimestampDigitsMax = 12;

// One item after another of a list; blanks around an item do not belong to it.
std::string_view TakeItem(std::string_view& list, std::string_view separator) {
  const size_t end = separator.empty() ? std::string_view::npos : list.find(separator);
  std::string_view item = list.substr(0, end);
  list.remove_prefix(end == std::string_view::npos ? list.size() : end + separator.size());
  while (item.starts_with(' ')) item.remove_prefix(1);
  while (item.ends_with(' ')) item.remove_suffix(1);
  return item;
}

std::string_view EncodeDigest(std::span<const uint8_t> digest, SignatureEncoding encoding,
                              std::array<char, kTextBytesMax>& text) {
  if (encoding == SignatureEncoding::kBase64) {
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), digest.data(),
                                     static_cast<int>(digest.size()));
    return {text.data(), static_cast<size_t>(size)};
  }
  constexpr char kDigits[] = "0123456789abcdef";
  char* to = text.data();
  for (const uint8_t byte : digest) {
    *to++ = kDigits[byte >> 4];
    *to++ = kDigits[byte & 15];
  }
  return {text.data(), 2 * digest.size()};
}

// Hexadecimal that was sent in capitals; other bytes stay what they are.
std::string_view LowerHex(std::string_view given, std::array<char, kTextBytesMax>& text) {
  for (size_t i = 0; i < given.size(); ++i) {
    text[i] = given[i] >= 'A' && given[i] <= 'F' ? static_cast<char>(given[i] | 0x20) : given[i];
  }
  return {text.data(), given.size()};
}

}  // namespace

// The views of one request that decide about it.
struct HmacSignature::Parts {
  std::array<std::string_view, kSignaturesMax> signatures;
  size_t signature_count = 0;
  bool too_many = false;
  std::string_view timestamp;
  std::array<std::string_view, TextTemplate::kPiecesMax> texts;  // By piece of the signed text.
};

HmacSignature::HmacSignature(const HmacSettings& settings, Millis tolerance,
                             std::span<const std::string> keys)
    : settings_(settings), tolerance_(tolerance) {
  Result<TextTemplate> parsed = TextTemplate::Parse(settings.signed_text);
  if (!parsed.ok() || !parsed->Uses(TextTemplate::Kind::kBody)) return;
  signed_text_ = std::move(parsed).value();
  hmacs_.reserve(keys.size());
  for (const std::string& key : keys) {
    if (!key.empty()) hmacs_.emplace_back(settings.algorithm, key);
  }
}

Verdict HmacSignature::Judge(const HttpRequest& request, WallTime now) {
  Parts parts;
  const Verdict found = FindParts(request, parts);
  if (found.authenticity != Authenticity::kAuthentic) return found;
  // Every key is tried, so that the time tells nothing about which one matched.
  bool authentic = false;
  for (Hmac& hmac : hmacs_) authentic |= Matches(hmac, parts);
  if (!authentic) {
    return {Authenticity::kForged, "the signature was made with none of the source's keys"};
  }
  if (settings_.timestamp_header.empty()) return {};
  int64_t seconds = 0;
  std::from_chars(parts.timestamp.data(), parts.timestamp.data() + parts.timestamp.size(), seconds);
  const WallTime sent = WallTime(Seconds(seconds));
  if (now > sent + tolerance_ || now < sent - tolerance_) {
    return {Authenticity::kExpired, "the timestamp is further from now than the tolerance"};
  }
  return {};
}

Verdict HmacSignature::FindParts(const HttpRequest& request, Parts& parts) const {
  const SingleHeader header = FindSingleHeader(request, settings_.header);
  if (header.twice) return {Authenticity::kMalformed, "the signature's header occurs twice"};
  if (header.value.empty()) return {Authenticity::kUnsigned, "no header with a signature"};
  FindSignatures(header.value, parts);
  if (parts.too_many) return {Authenticity::kMalformed, "over 16 signatures"};
  if (parts.signature_count == 0) {
    return {Authenticity::kUnsigned, "the header holds no signature of this scheme"};
  }
  if (!settings_.timestamp_header.empty()) {
    const Verdict verdict = FindTimestamp(request, parts);
    if (verdict.authenticity != Authenticity::kAuthentic) return verdict;
  }
  size_t i = 0;
  for (const TextTemplate::Piece& piece : signed_text_.pieces()) {
    std::string_view& text = parts.texts[i++];
    if (piece.kind == TextTemplate::Kind::kLiteral) text = piece.text;
    if (piece.kind == TextTemplate::Kind::kBody) text = request.body;
    if (piece.kind == TextTemplate::Kind::kTimestamp) text = parts.timestamp;
    if (piece.kind != TextTemplate::Kind::kHeader) continue;
    const SingleHeader named = FindSingleHeader(request, piece.text);
    if (named.twice) return {Authenticity::kMalformed, "a signed header occurs twice"};
    if (named.value.empty()) return {Authenticity::kUnsigned, "a signed header is missing"};
    text = named.value;
  }
  return {};
}

void HmacSignature::FindSignatures(std::string_view header, Parts& parts) const {
  while (!header.empty()) {
    std::string_view item = TakeItem(header, settings_.separator);
    if (item.empty() || !item.starts_with(settings_.prefix)) continue;
    item.remove_prefix(settings_.prefix.size());
    parts.too_many = parts.signature_count == kSignaturesMax;
    if (parts.too_many) return;
    parts.signatures[parts.signature_count++] = item;
  }
}

Verdict HmacSignature::FindTimestamp(const HttpRequest& request, Parts& parts) const {
  const SingleHeader header = FindSingleHeader(request, settings_.timestamp_header);
  if (header.twice) return {Authenticity::kMalformed, "the timestamp's header occurs twice"};
  std::string_view list = header.value;
  if (settings_.timestamp_prefix.empty()) {
    parts.timestamp = list;
    list = {};
  }
  while (!list.empty()) {
    std::string_view item = TakeItem(list, settings_.separator);
    if (!item.starts_with(settings_.timestamp_prefix)) continue;
    if (!parts.timestamp.empty()) return {Authenticity::kMalformed, "two timestamps"};
    item.remove_prefix(settings_.timestamp_prefix.size());
    parts.timestamp = item;
  }
  if (parts.timestamp.empty()) return {Authenticity::kUnsigned, "no timestamp"};
  if (!AllDigits(parts.timestamp) || parts.timestamp.size() > kTimestampDigitsMax) {
    return {Authenticity::kMalformed, "the timestamp is no whole number of seconds"};
  }
  return {};
}

bool HmacSignature::Matches(Hmac& hmac, const Parts& parts) const {
  for (size_t i = 0; i < signed_text_.pieces().size(); ++i) hmac.Update(parts.texts[i]);
  std::array<char, kTextBytesMax> wanted_text;
  const std::string_view wanted = EncodeDigest(hmac.Finish(), settings_.encoding, wanted_text);
  bool same = false;
  for (size_t i = 0; i < parts.signature_count; ++i) {
    std::string_view given = parts.signatures[i];
    if (given.size() != wanted.size()) continue;
    std::array<char, kTextBytesMax> given_text;
    if (settings_.encoding == SignatureEncoding::kHex) given = LowerHex(given, given_text);
    same |= CRYPTO_memcmp(given.data(), wanted.data(), wanted.size()) == 0;
  }
  return same;
}

}  // namespace relay
