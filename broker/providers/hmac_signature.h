#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/providers/provider.h"
#include "relay/hmac.h"
#include "relay/hmac_settings.h"
#include "relay/text_template.h"

namespace relay {

// Verifies requests that carry an HMAC in a header, as `settings` tell: one engine for every such
// scheme. Keyed states are made once, at construction.
//
// A signature is compared as text, in constant time and with every key, so that what merely decodes
// to the same bytes is refused; hexadecimal is taken in either case.
class HmacSignature {
 public:
  // More items in one header are no honest sender's; it bounds the work that a request can cause.
  static constexpr size_t kSignaturesMax = 16;

  // `keys` are the keys' bytes. Settings that the catalog would not take verify nothing.
  HmacSignature(const HmacSettings& settings, Millis tolerance, std::span<const std::string> keys);

  // A forged request is forged however old it is.
  Verdict Judge(const HttpRequest& request, WallTime now);

 private:
  struct Parts;

  Verdict FindParts(const HttpRequest& request, Parts& parts) const;
  void FindSignatures(std::string_view header, Parts& parts) const;
  Verdict FindTimestamp(const HttpRequest& request, Parts& parts) const;
  bool Matches(Hmac& hmac, const Parts& parts) const;

  const HmacSettings settings_;
  const Millis tolerance_;
  TextTemplate signed_text_;
  std::vector<Hmac> hmacs_;  // One for each key; none when the settings are wrong.
};

}  // namespace relay
