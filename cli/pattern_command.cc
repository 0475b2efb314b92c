#include "cli/pattern_command.h"

#include <charconv>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory>

#include "relay/event_pattern.h"
#include "relay/json_object.h"

namespace relay {
namespace {

// A pattern of up to this many columns is shown with a caret below it.
constexpr size_t kColumnsMax = 200;

struct PatternOptions {
  std::string pattern;  // Or "@FILE".
  std::string type;
  std::string source;
  std::string tenant;
};

// The byte (from 1) that a complaint begins with; 0 when it names none.
size_t ByteOf(std::string_view complaint) {
  static constexpr std::string_view kByte = "byte ";
  if (!complaint.starts_with(kByte)) return 0;
  size_t byte = 0;
  complaint.remove_prefix(kByte.size());
  std::from_chars(complaint.data(), complaint.data() + complaint.size(), byte);
  return byte;
}

// The pattern and a caret under the byte that is wrong; empty where that would not be readable.
std::string CaretLines(std::string_view pattern, size_t byte) {
  if (byte == 0 || pattern.size() > kColumnsMax) return "";
  if (pattern.find_first_of("\n\r\t") != std::string_view::npos) return "";
  size_t column = 0;
  for (const char c : pattern.substr(0, byte - 1)) {
    // A character of several bytes takes one column.
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) ++column;
  }
  return "\n  " + std::string(pattern) + "\n  " + std::string(column, ' ') + '^';
}

Result<std::string> ReadPattern(const std::string& given) {
  if (!given.starts_with('@')) return given;
  std::ifstream file(given.substr(1), std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file.is_open() || file.bad()) return Status::NotFound("cannot read " + given.substr(1));
  // What editors put at the end of a file.
  while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
  return text;
}

int RunTest(const PatternOptions& options) {
  const Result<std::string> pattern = ReadPattern(options.pattern);
  if (!pattern.ok()) return Complain(kExitUsage, pattern.status());
  const std::string event((std::istreambuf_iterator<char>(std::cin)),
                          std::istreambuf_iterator<char>());
  const PatternAnswer answer =
      TestPattern(*pattern, event, {options.type, options.source, options.tenant});
  if (answer.code == kExitUsage) return Complain(kExitUsage, answer.text);
  std::printf("%s\n", answer.text.c_str());
  return answer.code;
}

}  // namespace

PatternAnswer TestPattern(std::string_view pattern, std::string_view event,
                          const EventAttributes& attributes) {
  const Result<EventPattern> compiled = EventPattern::Parse(pattern);
  if (!compiled.ok()) {
    const std::string complaint = compiled.status().text();
    return {kExitUsage, "pattern: " + complaint + CaretLines(pattern, ByteOf(complaint))};
  }
  JsonObject body;
  if (Status parsed = body.Parse(event); !parsed.ok()) {
    return {kExitUsage, "event: " + parsed.text()};
  }
  const std::string why = compiled->Explain(&body, attributes);
  if (!why.empty()) return {kExitCheckFailed, "no match: " + why};
  return {kExitOk, "match"};
}

void AddPatternCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<PatternOptions>();  // Shared with the closures that CLI11 keeps.
  CLI::App* parent = app.add_subcommand("pattern", "Event patterns: test");
  parent->require_subcommand(1);
  CLI::App* test = parent->add_subcommand("test", "Whether a pattern matches the event on stdin");
  test->add_option("PATTERN", options->pattern, "The pattern, or @FILE")->required();
  test->add_option("--type", options->type, "The event's $type");
  test->add_option("--source", options->source, "The event's $source");
  test->add_option("--tenant", options->tenant, "The event's $tenant");
  test->footer(
      "Example:\n"
      "  echo '{\"event_type\":1,\"stream_id\":\"8888_live\"}' |\n"
      "    relayctl pattern test '{\"event_type\":[0,1],\"stream_id\":[{\"prefix\":\"8888_\"}]}'\n"
      "Exits with 0 on a match, 1 when there is none, 2 when pattern or event cannot be read.");
  test->callback([options, &context] { context.run = [options] { return RunTest(*options); }; });
}

}  // namespace relay
