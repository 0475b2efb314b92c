#include "cli/receipt.h"

#include <charconv>
#include <utility>

#include "cli/line_log.h"

namespace relay {

int64_t NumberOr(std::string_view text, int64_t otherwise) {
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number : otherwise;
}

Result<std::unique_ptr<ReceiptReader>> ReceiptReader::Create(
    const std::vector<std::string>& secrets, std::vector<std::string> tencent_keys) {
  std::optional<WebhookSigner> signer;
  if (!secrets.empty()) {
    Result<WebhookSigner> made = WebhookSigner::Create(secrets);
    if (!made.ok()) return made.status();
    signer = std::move(*made);
  }
  return std::unique_ptr<ReceiptReader>(
      new ReceiptReader(std::move(signer), std::move(tencent_keys)));
}

ReceiptReader::ReceiptReader(std::optional<WebhookSigner> signer,
                             std::vector<std::string> tencent_keys)
    : signer_(std::move(signer)), tencent_keys_(std::move(tencent_keys)) {}

ReceiptReader::Signature ReceiptReader::Read(const HttpRequest& request, WallTime now) {
  reading_ = &reader_.Read(wrapped_.Open(request));
  signature_ = Verify(request, now);
  return signature_;
}

ReceiptReader::Signature ReceiptReader::Verify(const HttpRequest& request, WallTime now) {
  Signature verdict = Signature::kNone;
  if (signer_) {
    switch (signer_->Verify(request.Header("webhook-id"), request.Header("webhook-timestamp"),
                            request.Header("webhook-signature"), request.body, now)) {
      case WebhookVerdict::kAuthentic:
        verdict = Signature::kOk;
        break;
      case WebhookVerdict::kUnsigned:
        break;
      case WebhookVerdict::kForged:
      case WebhookVerdict::kExpired:
        return Signature::kBad;
    }
  }
  if (!tencent_keys_.empty() && !(reading_->t.empty() && reading_->sign.empty())) {
    const bool fresh = NumberOr(reading_->t, 0) >= SecondsSinceEpoch(now);
    const bool authentic = tencent_.Verify(tencent_keys_, reading_->t, reading_->sign);
    verdict = fresh && authentic ? Signature::kOk : Signature::kBad;
  }
  return verdict;
}

void ReceiptReader::AppendLine(const HttpRequest& request, int status, WallTime now,
                               std::string& lines) const {
  static constexpr const char* kNames[] = {"none", "ok", "bad"};
  std::string_view endpoint = request.Header("relay-endpoint");
  if (endpoint.empty()) endpoint = request.path;
  JsonLine(lines)
      .Text("webhook_id", request.Header("webhook-id"))
      .Text("endpoint", endpoint)
      .Number("attempt", NumberOr(request.Header("relay-attempt"), 0))
      .Text("seq", reading_->seq)
      .Text("sha256", reading_->sha256)
      .Text("signature", kNames[static_cast<int>(signature_)])
      .Number("status", status)
      .Number("at_us", MicrosSinceEpoch(now));
}

}  // namespace relay
