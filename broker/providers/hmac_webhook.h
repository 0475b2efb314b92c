#pragma once

#include <string>

#include "broker/providers/hmac_signature.h"
#include "broker/providers/provider.h"
#include "relay/json_object.h"
#include "relay/text_template.h"

namespace relay {

// Callbacks of any sender that signs by an HMAC in a header, as the source's table `hmac` tells.
//
// The dedupe key is what the settings name, or the SHA-256 of the body where they name nothing or
// what they name is not there. A dedupe key from a header is no more than the sender's word unless
// the signature covers that header.
class HmacWebhook final : public Provider {
 public:
  explicit HmacWebhook(const Source& source);

  Verdict Verify(const HttpRequest& request, const Source& source, WallTime now,
                 CallbackFacts& facts) override;
  Acknowledgement acknowledgement() const override {
    return {settings_.answer_status, settings_.answer_body};
  }

 private:
  bool ReadFacts(const HttpRequest& request, CallbackFacts& facts);
  // Fills in `text`; false when a part of it is not there.
  bool Fill(const TextTemplate& text, const HttpRequest& request, std::string& out);
  void WriteDedupeKey(const HttpRequest& request, std::string& key);
  std::string_view ValueOf(const TextTemplate::Piece& piece, const HttpRequest& request);

  const HmacSettings settings_;
  HmacSignature signature_;
  TextTemplate type_;
  TextTemplate ordering_;
  TextTemplate dedupe_;
  bool reads_members_ = false;
  JsonObject callback_;
  std::string buffer_;
};

}  // namespace relay
