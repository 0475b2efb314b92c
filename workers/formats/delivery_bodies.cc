#include "workers/formats/delivery_bodies.h"

#include <utility>

#include "relay/check.h"
#include "workers/formats/cloudevents_format.h"
#include "workers/formats/redaction.h"

namespace relay {

void DeliveryBodies::Make(FormatInput input, FormattedBody& out) {
  const Endpoint& endpoint = input.endpoint;
  input.body = input.event.body;
  std::string redacted;
  if (RedactParameters(input.body, endpoint.redact, redacted)) input.body = redacted;
  if (endpoint.format == DeliveryFormat::kTencent) {
    SignForTencent(input, out);
  } else {
    input.object = object_.Parse(input.body).ok() ? &object_ : nullptr;
    facts_reader_.Read(input.provider(), input.event.type, input.object, facts_);
    input.facts = &facts_;
    if (endpoint.format == DeliveryFormat::kCloudEvents) {
      FormatCloudEvent(input, out);
    } else {
      RELAY_CHECK(endpoint.format == DeliveryFormat::kNormalized);
      normalized_.Format(input, out);
    }
  }
  if (out.is_own || redacted.empty()) return;
  out.own_body = std::move(redacted);
  out.is_own = true;
}

void DeliveryBodies::SignForTencent(const FormatInput& input, FormattedBody& out) {
  const Endpoint& endpoint = input.endpoint;
  const WallTime expires = input.now + endpoint.signing_validity;
  Result<std::string> body =
      tencent_.Sign(input.body, endpoint.signing_key, SecondsSinceEpoch(expires));
  // What is no JSON object has no place for a signature.
  if (!body.ok()) return;
  out.own_body = std::move(body).value();
  out.is_own = true;
}

}  // namespace relay
