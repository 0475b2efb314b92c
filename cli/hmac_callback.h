#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "cli/callback_maker.h"
#include "relay/hmac.h"
#include "relay/hmac_settings.h"
#include "relay/status.h"
#include "relay/text_template.h"

namespace relay {

// Writes the headers that sign a body by HMAC as the table `hmac` of a source tells: what the
// broker's verifier reads.
class HmacHeaders {
 public:
  // InvalidArgument when the signed text cannot be read or leaves the body out.
  static Result<HmacHeaders> Create(HmacSettings settings, std::string_view key);

  // Appends "Name: value\r\n" for the signature and, where the scheme has one, the timestamp. Of
  // headers that are signed, `id` is the value; those are appended too, but for `type_header`,
  // whose value is `type` and which is the caller's to send.
  void Append(std::string_view body, int64_t now_s, std::string_view id,
              std::string_view type_header, std::string_view type, std::string& headers);

 private:
  HmacHeaders(HmacSettings settings, TextTemplate signed_text, std::string_view key);

  HmacSettings settings_;
  TextTemplate signed_text_;
  Hmac hmac_;
};

// How a simulated sender of the kind "hmac" signs, and where it names what a callback is.
struct HmacTraffic {
  SenderTraffic sender;
  HmacSettings scheme;      // What signs; the rest is not looked at.
  std::string type_header;  // That carries the type, e.g. "X-GitHub-Event"; empty for none.
  std::string id_header;    // That carries the id, e.g. "X-GitHub-Delivery"; empty for none.
};

// Callbacks of a sender that signs by an HMAC in a header: JSON with the members `id`, `type`,
// `created` and `data`. What is sent again is signed anew where the scheme has a timestamp.
class HmacCallbackMaker final : public CallbackMaker {
 public:
  // InvalidArgument as HmacHeaders says. Requires: at least one stream and type.
  static Result<std::unique_ptr<CallbackMaker>> Create(HmacTraffic traffic);

  void Make(int64_t number, CallbackKind kind, WallTime now, ProviderCallback* callback) override;
  void SignAgain(WallTime now, ProviderCallback* callback) override;
  // At once, then after 10 s and 60 s: three times with growing pauses, as Agora does. (GitHub does
  // not send again; Stripe does for days.)
  std::span<const Seconds> RetryPauses(const ProviderCallback& callback) const override;
  Seconds AnswerWithin() const override { return Seconds(10); }
  bool CanExpire() const override { return !traffic_.scheme.timestamp_header.empty(); }

 private:
  HmacCallbackMaker(HmacTraffic traffic, HmacHeaders genuine, HmacHeaders forged);
  std::string IdOf(const ProviderCallback& callback) const;

  const HmacTraffic traffic_;
  const std::string run_id_;
  HmacHeaders genuine_;
  HmacHeaders forged_;
};

}  // namespace relay
