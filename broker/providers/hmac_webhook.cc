#include "broker/providers/hmac_webhook.h"

#include <utility>

#include "broker/providers/callback_text.h"
#include "relay/json_text.h"

namespace relay {
namespace {

// A setting that the catalog would not take counts as none.
TextTemplate TemplateOf(std::string_view text) {
  Result<TextTemplate> parsed = TextTemplate::Parse(text);
  return parsed.ok() ? std::move(parsed).value() : TextTemplate();
}

}  // namespace

HmacWebhook::HmacWebhook(const Source& source)
    : settings_(source.hmac),
      signature_(source.hmac, source.tolerance, source.keys),
      type_(TemplateOf(source.hmac.type)),
      ordering_(TemplateOf(source.hmac.ordering)),
      dedupe_(TemplateOf(source.hmac.dedupe)) {
  for (const TextTemplate* text : {&type_, &ordering_, &dedupe_}) {
    reads_members_ |= text->Uses(TextTemplate::Kind::kMember);
  }
}

Verdict HmacWebhook::Verify(const HttpRequest& request, const Source&, WallTime now,
                            CallbackFacts& facts) {
  facts.Clear();
  const Verdict verdict = signature_.Judge(request, now);
  if (verdict.authenticity != Authenticity::kAuthentic) return verdict;
  if (reads_members_ && !callback_.Parse(request.body).ok()) {
    return {Authenticity::kMalformed, "body is not a JSON object we take"};
  }
  if (ReadFacts(request, facts)) return verdict;
  facts.Clear();
  return {Authenticity::kMalformed, "the type is over 100 bytes or not printable"};
}

bool HmacWebhook::ReadFacts(const HttpRequest& request, CallbackFacts& facts) {
  if (!Fill(type_, request, facts.type)) facts.type.clear();
  if (!IsEventTypeName(facts.type)) return false;
  if (!Fill(ordering_, request, facts.ordering_key)) facts.ordering_key.clear();
  facts.route.stream_id = facts.ordering_key;
  WriteDedupeKey(request, facts.dedupe_key);
  return true;
}

bool HmacWebhook::Fill(const TextTemplate& text, const HttpRequest& request, std::string& out) {
  for (const TextTemplate::Piece& piece : text.pieces()) {
    const std::string_view value = ValueOf(piece, request);
    if (value.empty()) return false;
    out.append(value);
  }
  return true;
}

void HmacWebhook::WriteDedupeKey(const HttpRequest& request, std::string& key) {
  key.assign(1, 'f');
  for (const TextTemplate::Piece& piece : dedupe_.pieces()) {
    const std::string_view value = ValueOf(piece, request);
    if (value.empty()) return WriteBodyKey(request.body, key);
    AppendWithLength(value, key);
  }
  if (dedupe_.pieces().empty()) WriteBodyKey(request.body, key);
}

std::string_view HmacWebhook::ValueOf(const TextTemplate::Piece& piece,
                                      const HttpRequest& request) {
  using Kind = TextTemplate::Kind;
  switch (piece.kind) {
    case Kind::kLiteral:
      return piece.text;
    case Kind::kHeader:
      return request.Header(piece.text);
    case Kind::kMember:
      return TextOf(callback_, {piece.text}, buffer_);
    case Kind::kBody:
    case Kind::kTimestamp:
      break;  // They stand in the signed text alone.
  }
  return {};
}

}  // namespace relay
