#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "relay/event_paths.h"
#include "relay/json_object.h"
#include "relay/pattern_tree.h"
#include "relay/status.h"

namespace relay {

// Limits of a pattern, so that what one costs, in memory and for each event, is bounded by what
// whoever applies it could see.
constexpr size_t kPatternBytesMax = 4096;
constexpr int kPatternDepthMax = 16;        // Of objects, those of "$or" included.
constexpr size_t kPatternFiltersMax = 512;  // Accepted or excepted values, in all.
constexpr size_t kPatternStarsMax = 32;     // In all wildcards together.
constexpr size_t kWildcardBytesMax = 256;   // Of one wildcard.

// Turns the text of a pattern into a tree and its paths. JsonObject checks the whole grammar first,
// so that what is looked at after it is valid JSON.
class PatternParser {
 public:
  // `paths` receives what the pattern asks for. Both must outlive the parser.
  PatternParser(std::string_view text, EventPaths& paths) : text_(text), paths_(paths) {}

  // InvalidArgument says at which byte of the text (from 1) what was expected.
  Result<PatternObject> Run();

 private:
  using Filters = std::vector<ValueFilter>;
  using Kind = ValueFilter::Kind;

  // A complaint about `part`, which is a view of the text.
  Status Wrong(std::string_view part, const std::string& what) const;

  // The structure: pattern_parser.cc.
  Status ReadObject(std::string_view raw, uint32_t parent, int depth, PatternObject& out);
  Status ReadMember(std::string_view key, std::string_view raw, uint32_t parent, int depth,
                    PatternObject& out);
  Status ReadOr(std::string_view key, std::string_view raw, uint32_t parent, int depth,
                PatternClause& clause);
  Status ReadValues(std::string_view raw, PatternClause& clause);

  // What is accepted in a place: pattern_operators.cc.
  Status ReadFilter(std::string_view raw, const PatternClause& clause, Filters& out);
  Status ReadOperator(std::string_view raw, const PatternClause& clause, Filters& out);
  Status ReadTextOperator(Kind plain, Kind ignoring_case, std::string_view raw, Filters& out);
  Status ReadText(Kind kind, std::string_view raw, Filters& out);
  Status ReadWildcard(std::string_view raw, std::string_view text, ValueFilter& filter);
  Status ReadNumeric(std::string_view raw, const PatternClause& clause, Filters& out);
  Status ReadBlock(std::string_view raw, Filters& out);
  Status ReadExists(std::string_view raw, const PatternClause& clause, Filters& out);
  Status ReadAnythingBut(std::string_view raw, const PatternClause& clause, Filters& out);
  Status ReadException(std::string_view raw, const PatternClause& clause, Filters& out);
  Status ReadExceptionOperator(std::string_view raw, Filters& out);
  Status ReadNumber(std::string_view raw, const PatternClause& clause, Filters& out);
  // The one member of the operator object `raw`.
  Status ReadOnlyMember(std::string_view raw, std::string_view* key, std::string_view* value) const;
  Status Add(std::string_view raw, ValueFilter filter, Filters& out);

  const std::string_view text_;
  EventPaths& paths_;
  size_t filters_ = 0;
  size_t stars_ = 0;
  std::string buffer_;
};

}  // namespace relay
