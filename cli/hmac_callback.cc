#include "cli/hmac_callback.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <array>
#include <iterator>
#include <span>
#include <utility>

#include "relay/base64.h"
#include "relay/check.h"
#include "relay/sha256.h"

namespace relay {
namespace {

constexpr std::array kHmacRetries = {Seconds(0), Seconds(10), Seconds(60)};

std::string Encode(std::span<const uint8_t> digest, SignatureEncoding encoding) {
  if (encoding == SignatureEncoding::kHex) return HexText(digest.data(), digest.size());
  std::string text;
  AppendBase64({reinterpret_cast<const char*>(digest.data()), digest.size()}, text);
  return text;
}

void AppendHeader(std::string_view name, std::string_view value, std::string& headers) {
  headers.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

Result<HmacHeaders> HmacHeaders::Create(HmacSettings settings, std::string_view key) {
  Result<TextTemplate> text = TextTemplate::Parse(settings.signed_text);
  if (!text.ok()) return text.status();
  if (!text->Uses(TextTemplate::Kind::kBody)) {
    return Status::InvalidArgument("the signed text must hold {body}");
  }
  if (text->Uses(TextTemplate::Kind::kMember)) {
    return Status::InvalidArgument("{json:...} has no place in the signed text");
  }
  if (text->Uses(TextTemplate::Kind::kTimestamp) && settings.timestamp_header.empty()) {
    return Status::InvalidArgument("{timestamp} needs a header that it stands in");
  }
  return HmacHeaders(std::move(settings), std::move(*text), key);
}

HmacHeaders::HmacHeaders(HmacSettings settings, TextTemplate signed_text, std::string_view key)
    : settings_(std::move(settings)),
      signed_text_(std::move(signed_text)),
      hmac_(settings_.algorithm, key) {}

void HmacHeaders::Append(std::string_view body, int64_t now_s, std::string_view id,
                         std::string_view type_header, std::string_view type,
                         std::string& headers) {
  const std::string timestamp = std::to_string(now_s);
  for (const TextTemplate::Piece& piece : signed_text_.pieces()) {
    switch (piece.kind) {
      case TextTemplate::Kind::kLiteral:
        hmac_.Update(piece.text);
        break;
      case TextTemplate::Kind::kBody:
        hmac_.Update(body);
        break;
      case TextTemplate::Kind::kTimestamp:
        hmac_.Update(timestamp);
        break;
      case TextTemplate::Kind::kHeader:
        hmac_.Update(piece.text == type_header ? type : id);
        if (piece.text != type_header) AppendHeader(piece.text, id, headers);
        break;
      case TextTemplate::Kind::kMember:
        RELAY_CHECK(false);  // Create() takes none.
    }
  }
  const std::string signature = settings_.prefix + Encode(hmac_.Finish(), settings_.encoding);
  if (settings_.timestamp_header.empty()) return AppendHeader(settings_.header, signature, headers);
  const std::string stamp = settings_.timestamp_prefix + timestamp;
  if (settings_.timestamp_header == settings_.header) {
    return AppendHeader(settings_.header, stamp + settings_.separator + signature, headers);
  }
  AppendHeader(settings_.timestamp_header, stamp, headers);
  AppendHeader(settings_.header, signature, headers);
}

Result<std::unique_ptr<CallbackMaker>> HmacCallbackMaker::Create(HmacTraffic traffic) {
  RELAY_CHECK(traffic.sender.streams > 0 && !traffic.sender.types.empty());
  Result<HmacHeaders> genuine = HmacHeaders::Create(traffic.scheme, traffic.sender.key);
  if (!genuine.ok()) return genuine.status();
  Result<HmacHeaders> forged = HmacHeaders::Create(traffic.scheme, traffic.sender.key + "-not");
  RELAY_CHECK(forged.ok());
  return std::unique_ptr<CallbackMaker>(new HmacCallbackMaker(
      std::move(traffic), std::move(genuine).value(), std::move(forged).value()));
}

HmacCallbackMaker::HmacCallbackMaker(HmacTraffic traffic, HmacHeaders genuine, HmacHeaders forged)
    : traffic_(std::move(traffic)),
      run_id_("evt_" + std::to_string(RunNumber(traffic_.sender.run)) + "_"),
      genuine_(std::move(genuine)),
      forged_(std::move(forged)) {}

std::string HmacCallbackMaker::IdOf(const ProviderCallback& callback) const {
  return run_id_ + callback.seq.substr(callback.seq.rfind('.') + 1);
}

void HmacCallbackMaker::Make(int64_t number, CallbackKind kind, WallTime now,
                             ProviderCallback* callback) {
  RELAY_CHECK(kind != CallbackKind::kExpired || CanExpire());
  const SenderTraffic& sender = traffic_.sender;
  BeginCallback(sender, number, kind, callback);
  callback->stream = sender.stream_prefix + "stream" + std::to_string(number % sender.streams);
  std::string& body = callback->body;
  fmt::format_to(std::back_inserter(body),
                 FMT_COMPILE(R"({{"id":"{}","type":"{}","created":{},"data":{{"stream":"{}",)"
                             R"("note":"relay_seq={})"),
                 IdOf(*callback), callback->type, SecondsSinceEpoch(now), callback->stream,
                 callback->seq);
  constexpr std::string_view kEnding = "\"}}";
  AppendPadding(sender.body_bytes, kEnding.size(), body);
  body += kEnding;
  SignAgain(now, callback);
}

void HmacCallbackMaker::SignAgain(WallTime now, ProviderCallback* callback) {
  callback->headers.clear();
  const std::string id = IdOf(*callback);
  if (!traffic_.type_header.empty()) {
    AppendHeader(traffic_.type_header, callback->type, callback->headers);
  }
  const bool expired = callback->kind == CallbackKind::kExpired;
  HmacHeaders& headers = callback->kind == CallbackKind::kForged ? forged_ : genuine_;
  headers.Append(callback->body, SecondsSinceEpoch(now) - (expired ? kExpiredSinceSeconds : 0), id,
                 traffic_.type_header, callback->type, callback->headers);
  // A header that is signed has been written there.
  if (!traffic_.id_header.empty() &&
      callback->headers.find(traffic_.id_header + ": ") == std::string::npos) {
    AppendHeader(traffic_.id_header, id, callback->headers);
  }
}

std::span<const Seconds> HmacCallbackMaker::RetryPauses(const ProviderCallback&) const {
  return kHmacRetries;
}

}  // namespace relay
