#include "broker/providers/standard_webhooks.h"

#include <utility>
#include <vector>

#include "broker/providers/callback_text.h"
#include "relay/json_text.h"
#include "relay/webhook_signature.h"

namespace relay {
namespace {

HmacSettings StandardWebhooksScheme() {
  HmacSettings out;
  out.header = "webhook-signature";
  out.encoding = SignatureEncoding::kBase64;
  out.signed_text = "{header:webhook-id}.{timestamp}.{body}";
  out.prefix = "v1,";
  out.separator = " ";
  out.timestamp_header = "webhook-timestamp";
  return out;
}

// A secret that does not decode matches nothing.
std::vector<std::string> KeysOf(const Source& source) {
  std::vector<std::string> keys;
  for (const std::string& secret : source.keys) {
    Result<std::string> key = DecodeWebhookSecret(secret);
    if (key.ok()) keys.push_back(std::move(key).value());
  }
  return keys;
}

}  // namespace

StandardWebhooks::StandardWebhooks(const Source& source)
    : signature_(StandardWebhooksScheme(), source.tolerance, KeysOf(source)) {}

Verdict StandardWebhooks::Verify(const HttpRequest& request, const Source&, WallTime now,
                                 CallbackFacts& facts) {
  facts.Clear();
  const Verdict verdict = signature_.Judge(request, now);
  if (verdict.authenticity != Authenticity::kAuthentic) return verdict;
  // The specification asks for no JSON. A body that is none has no type.
  if (callback_.Parse(request.body).ok()) facts.type = TextOf(callback_, {"type"}, buffer_);
  if (!IsEventTypeName(facts.type)) {
    facts.Clear();
    return {Authenticity::kMalformed, "the type is over 100 bytes or not printable"};
  }
  facts.dedupe_key.assign(1, 'f');
  AppendWithLength(request.Header("webhook-id"), facts.dedupe_key);
  return verdict;
}

}  // namespace relay
