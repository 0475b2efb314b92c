#include "relay/value_filter.h"

#include <algorithm>

#include "relay/ascii.h"

namespace relay {
namespace {

// Requires: `lower` is in lower case.
bool EqualsIgnoringCase(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() &&
         std::equal(text.begin(), text.end(), lower.begin(),
                    [](char c, char wanted) { return LowerCase(c) == wanted; });
}

// The first piece stands at the beginning and the last one at the end. Each piece in between is
// taken where it first occurs: that leaves the most for those that follow, so no second try is
// needed and the time is bounded by the product of both lengths.
bool FitsWildcard(std::string_view text, const std::vector<std::string>& pieces) {
  const std::string& first = pieces.front();
  if (pieces.size() == 1) return text == first;
  const std::string& last = pieces.back();
  if (text.size() < first.size() + last.size()) return false;
  if (!text.starts_with(first) || !text.ends_with(last)) return false;
  text = text.substr(first.size(), text.size() - first.size() - last.size());
  for (size_t i = 1; i + 1 < pieces.size(); ++i) {
    const size_t found = text.find(pieces[i]);
    if (found == std::string_view::npos) return false;
    text.remove_prefix(found + pieces[i].size());
  }
  return true;
}

bool IsInBlock(std::string_view text, const IpBlock& block) {
  const std::optional<IpAddress> address = IpAddress::Parse(text);
  return address && block.Contains(*address);
}

}  // namespace

NumberBound NumberBound::Read(Relation relation, std::string_view literal) {
  const Decimal number = Decimal::Read(literal);
  NumberBound out{relation, number.negative, number.point, std::string(number.digits)};
  std::erase(out.digits, '.');
  return out;
}

bool NumberBound::Holds(const Decimal& number) const {
  const int order = Compare(number, value());
  switch (relation) {
    case Relation::kEqual:
      return order == 0;
    case Relation::kLess:
      return order < 0;
    case Relation::kLessOrEqual:
      return order <= 0;
    case Relation::kGreater:
      return order > 0;
    case Relation::kGreaterOrEqual:
      return order >= 0;
  }
  return false;
}

bool ValueFilter::Takes(const EventValues::Value& value) const {
  const bool is_text = value.kind == JsonKind::kString;
  switch (kind) {
    case Kind::kText:
      return is_text && value.text == text;
    case Kind::kPrefix:
      return is_text && value.text.starts_with(text);
    case Kind::kSuffix:
      return is_text && value.text.ends_with(text);
    case Kind::kTextIgnoringCase:
      return is_text && EqualsIgnoringCase(value.text, text);
    case Kind::kPrefixIgnoringCase:
      return is_text && EqualsIgnoringCase(value.text.substr(0, text.size()), text);
    case Kind::kSuffixIgnoringCase:
      return is_text && value.text.size() >= text.size() &&
             EqualsIgnoringCase(value.text.substr(value.text.size() - text.size()), text);
    case Kind::kWildcard:
      return is_text && FitsWildcard(value.text, pieces);
    case Kind::kNumber:
      return value.kind == JsonKind::kNumber &&
             std::all_of(bounds.begin(), bounds.end(),
                         [&value](const NumberBound& bound) { return bound.Holds(value.number); });
    case Kind::kTrue:
      return value.kind == JsonKind::kTrue;
    case Kind::kFalse:
      return value.kind == JsonKind::kFalse;
    case Kind::kNull:
      return value.kind == JsonKind::kNull;
    case Kind::kBlock:
      return is_text && IsInBlock(value.text, block);
    case Kind::kAnythingBut:
      return std::none_of(except.begin(), except.end(),
                          [&value](const ValueFilter& filter) { return filter.Takes(value); });
    case Kind::kPresent:
      return true;
    case Kind::kAbsent:
      return false;
  }
  return false;
}

}  // namespace relay
