#include "relay/text_template.h"

#include <algorithm>
#include <optional>

#include "relay/catalog_rules.h"

namespace relay {
namespace {

constexpr std::string_view kHeaderPrefix = "header:";
constexpr std::string_view kMemberPrefix = "json:";

std::optional<TextTemplate::Piece> ParseVariable(std::string_view name) {
  using Kind = TextTemplate::Kind;
  if (name == "body") return TextTemplate::Piece{Kind::kBody, ""};
  if (name == "timestamp") return TextTemplate::Piece{Kind::kTimestamp, ""};
  if (name.starts_with(kHeaderPrefix)) {
    name.remove_prefix(kHeaderPrefix.size());
    if (IsHeaderName(name)) return TextTemplate::Piece{Kind::kHeader, std::string(name)};
  } else if (name.starts_with(kMemberPrefix) && name.size() > kMemberPrefix.size()) {
    name.remove_prefix(kMemberPrefix.size());
    return TextTemplate::Piece{Kind::kMember, std::string(name)};
  }
  return std::nullopt;
}

}  // namespace

Result<TextTemplate> TextTemplate::Parse(std::string_view text) {
  TextTemplate out;
  std::string literal;
  const auto end_literal = [&] {
    if (!literal.empty()) out.pieces_.push_back({Kind::kLiteral, literal});
    literal.clear();
  };
  while (!text.empty()) {
    const char c = text.front();
    const bool brace = c == '{' || c == '}';
    if (!brace || (text.size() > 1 && text[1] == c)) {
      literal += c;
      text.remove_prefix(brace ? 2 : 1);
      continue;
    }
    const size_t close = text.find('}');
    if (c == '}' || close == std::string_view::npos) {
      return Status::InvalidArgument("a lone brace; write \"{{\" or \"}}\" for one");
    }
    const std::string_view name = text.substr(1, close - 1);
    std::optional<Piece> variable = ParseVariable(name);
    if (!variable) {
      return Status::InvalidArgument(
          "unknown variable {" + std::string(name.substr(0, 40)) +
          "}; expected {body}, {timestamp}, {header:Name} or {json:member}");
    }
    end_literal();
    out.pieces_.push_back(*std::move(variable));
    text.remove_prefix(close + 1);
  }
  end_literal();
  if (out.pieces_.size() > kPiecesMax) return Status::InvalidArgument("more than 20 parts");
  return out;
}

bool TextTemplate::Uses(Kind kind) const {
  return std::any_of(pieces_.begin(), pieces_.end(),
                     [kind](const Piece& piece) { return piece.kind == kind; });
}

}  // namespace relay
