#include "cli/webhook_callback.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <array>
#include <iterator>
#include <utility>

#include "relay/check.h"
#include "relay/units.h"

namespace relay {
namespace {

constexpr std::array kWebhookRetries = {Seconds(5),    5 * kMinute,   30 * kMinute, 120 * kMinute,
                                        300 * kMinute, 600 * kMinute, 600 * kMinute};
// 32 bytes that nobody else signs with.
constexpr char kForgersSecret[] = "whsec_bm90LXRoZS1zZWNyZXQtb2YtdGhpcy1zZW5kZXIhISE=";

}  // namespace

Result<std::unique_ptr<CallbackMaker>> WebhookCallbackMaker::Create(SenderTraffic traffic) {
  RELAY_CHECK(traffic.streams > 0 && !traffic.types.empty());
  Result<WebhookSigner> genuine = WebhookSigner::Create({traffic.key});
  if (!genuine.ok()) return genuine.status();
  Result<WebhookSigner> forged = WebhookSigner::Create({kForgersSecret});
  RELAY_CHECK(forged.ok());
  return std::unique_ptr<CallbackMaker>(new WebhookCallbackMaker(
      std::move(traffic), std::move(genuine).value(), std::move(forged).value()));
}

WebhookCallbackMaker::WebhookCallbackMaker(SenderTraffic traffic, WebhookSigner genuine,
                                           WebhookSigner forged)
    : traffic_(std::move(traffic)),
      run_id_("msg_" + std::to_string(RunNumber(traffic_.run)) + "_"),
      genuine_(std::move(genuine)),
      forged_(std::move(forged)) {}

void WebhookCallbackMaker::Make(int64_t number, CallbackKind kind, WallTime now,
                                ProviderCallback* callback) {
  BeginCallback(traffic_, number, kind, callback);  // No stream: it is ordered by nothing.
  std::string& body = callback->body;
  fmt::format_to(std::back_inserter(body),
                 FMT_COMPILE(R"({{"type":"{}","timestamp":"{}","data":{{"stream":"{}stream{}",)"
                             R"("note":"relay_seq={})"),
                 callback->type, TimeText(MillisSinceEpoch(now)), traffic_.stream_prefix,
                 number % traffic_.streams, callback->seq);
  constexpr std::string_view kEnding = "\"}}";
  AppendPadding(traffic_.body_bytes, kEnding.size(), body);
  body += kEnding;
  SignAgain(now, callback);
}

void WebhookCallbackMaker::SignAgain(WallTime now, ProviderCallback* callback) {
  const std::string id = run_id_ + callback->seq.substr(callback->seq.rfind('.') + 1);
  const bool expired = callback->kind == CallbackKind::kExpired;
  const int64_t now_s = SecondsSinceEpoch(now) - (expired ? kExpiredSinceSeconds : 0);
  std::string& headers = callback->headers;
  headers = "webhook-id: " + id + "\r\nwebhook-timestamp: " + std::to_string(now_s) +
            "\r\nwebhook-signature: ";
  const bool forged = callback->kind == CallbackKind::kForged;
  (forged ? forged_ : genuine_).AppendSignature(id, now_s, callback->body, headers);
  headers += "\r\n";
}

std::span<const Seconds> WebhookCallbackMaker::RetryPauses(const ProviderCallback&) const {
  return kWebhookRetries;
}

}  // namespace relay
