#include "broker/providers/volcengine_live.h"

#include "broker/providers/callback_text.h"
#include "relay/event_facts.h"
#include "relay/json_text.h"

namespace relay {

Verdict VolcengineLive::Verify(const HttpRequest& request, const Source& source, WallTime now,
                               CallbackFacts& facts) {
  facts.Clear();
  if (!callback_.Parse(request.body).ok()) {
    return {Authenticity::kMalformed, "body is not a JSON object we take"};
  }
  const Verdict verdict = sign_.Judge(callback_, source, now);
  if (verdict.authenticity != Authenticity::kAuthentic || ReadFacts(facts)) return verdict;
  facts.Clear();
  return {Authenticity::kMalformed, "event_type is over 100 bytes or not printable"};
}

bool VolcengineLive::ReadFacts(CallbackFacts& facts) {
  const JsonObject& event = VolcengineEvent(callback_, data_);
  facts.type = TextOf(event, {"event_type"}, buffer_);
  if (!IsEventTypeName(facts.type)) return false;
  facts.route.push_domain = TextOf(event, {"domain", "vhost"}, buffer_);
  facts.route.stream_id = TextOf(event, {"stream"}, buffer_);
  facts.ordering_key = facts.route.stream_id;
  // What its numbers identify is not documented well enough to leave a byte out.
  WriteBodyKey(callback_, {"t", "sign"}, facts.dedupe_key);
  return true;
}

}  // namespace relay
