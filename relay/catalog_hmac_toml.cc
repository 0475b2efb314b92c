#include "relay/catalog_hmac_toml.h"

#include "relay/catalog_rules.h"
#include "relay/catalog_words.h"
#include "relay/text_template.h"

namespace relay {
namespace {

using Kind = TextTemplate::Kind;

constexpr size_t kMarkBytesMax = 100;
constexpr size_t kTemplateBytesMax = 1024;

TextTemplate ReadTemplate(TomlTable& table, std::string_view key, std::string& text) {
  table.Read(key, text, kTemplateBytesMax);
  Result<TextTemplate> parsed = TextTemplate::Parse(text);
  if (parsed.ok()) return std::move(parsed).value();
  table.Complain(key, parsed.status().text());
  return {};
}

void ReadHeaderName(TomlTable& table, std::string_view key, std::string& name) {
  table.Read(key, name);
  if (table.has(key) && !IsHeaderName(name)) table.Complain(key, "no valid header name");
}

void ReadSignedText(TomlTable& table, HmacSettings& settings) {
  const TextTemplate signed_text = ReadTemplate(table, "signed", settings.signed_text);
  if (!signed_text.Uses(Kind::kBody)) {
    table.Complain("signed", "must hold {body}: what is not signed could be anything");
  }
  if (signed_text.Uses(Kind::kMember)) {
    table.Complain("signed", "{json:...} has no place here; {body} covers every member");
  }
  if (signed_text.Uses(Kind::kTimestamp) == settings.timestamp_header.empty()) {
    table.Complain("signed", "{timestamp} and the key timestamp_header go together");
  }
}

// Type, ordering key and dedupe key are short and do not change when a callback comes again.
void ReadFactText(TomlTable& table, std::string_view key, std::string& text) {
  const TextTemplate fact = ReadTemplate(table, key, text);
  if (fact.Uses(Kind::kBody) || fact.Uses(Kind::kTimestamp)) {
    table.Complain(key, "expected {header:Name} or {json:member}");
  }
}

}  // namespace

void ReadHmacSettings(TomlTable& table, HmacSettings& settings) {
  table.Require("header");
  ReadHeaderName(table, "header", settings.header);
  table.ReadWord("algorithm", WordsFor(settings.algorithm), settings.algorithm);
  table.ReadWord("encoding", WordsFor(settings.encoding), settings.encoding);
  table.Read("prefix", settings.prefix, kMarkBytesMax);
  table.Read("separator", settings.separator, kMarkBytesMax);
  ReadHeaderName(table, "timestamp_header", settings.timestamp_header);
  table.Read("timestamp_prefix", settings.timestamp_prefix, kMarkBytesMax);
  if (!settings.timestamp_prefix.empty() &&
      (settings.separator.empty() || settings.timestamp_header.empty())) {
    table.Complain("timestamp_prefix", "needs the keys separator and timestamp_header");
  }
  ReadSignedText(table, settings);
  ReadFactText(table, "type", settings.type);
  ReadFactText(table, "ordering", settings.ordering);
  ReadFactText(table, "dedupe", settings.dedupe);
  table.Read("answer_status", 200, 299, settings.answer_status);
  table.Read("answer_body", settings.answer_body, kTemplateBytesMax);
  table.RefuseUnknown();
}

}  // namespace relay
