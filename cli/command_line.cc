#include "cli/command_line.h"

#include <algorithm>
#include <cstdio>
#include <numeric>

#include "relay/check.h"

namespace relay {

namespace {

// How many letters have to be changed, added, dropped or swapped with their neighbour to get from
// `a` to `b`.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before_last(b.size() + 1);
  std::vector<size_t> last(b.size() + 1);
  std::vector<size_t> current(b.size() + 1);
  std::iota(last.begin(), last.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t changed = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      current[j] = std::min({changed, last[j] + 1, current[j - 1] + 1});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) current[j] = std::min(current[j], before_last[j - 2] + 1);
    }
    before_last.swap(last);
    last.swap(current);
  }
  return last[b.size()];
}

std::vector<std::string> NamesOf(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands({})) names.push_back(command->get_name());
  return names;
}

// The first argument that is no option, looked at against the commands; deeper levels follow the
// commands that were recognised. Empty when every level names a known command or none.
std::string UnknownCommand(const CLI::App& app, const std::vector<std::string>& arguments,
                           const CLI::App** level) {
  *level = &app;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument == "--config") ++i;
    if (argument.starts_with("-")) continue;
    const std::vector<std::string> names = NamesOf(**level);
    if (names.empty()) return "";
    if (std::find(names.begin(), names.end(), argument) == names.end()) return argument;
    *level = (*level)->get_subcommand(argument);
  }
  return "";
}

int ReportUsage(const CLI::App& app, const std::vector<std::string>& arguments,
                const CLI::ParseError& error) {
  // Help and version come this way too, with code 0.
  if (error.get_exit_code() == 0) return app.exit(error) == 0 ? kExitOk : kExitUsage;
  const CLI::App* level = nullptr;
  const std::string unknown = UnknownCommand(app, arguments, &level);
  if (unknown.empty()) {
    return Complain(kExitUsage, std::string(error.what()) + "\nSee relayctl --help.");
  }
  const std::string meant = ClosestWord(unknown, NamesOf(*level));
  return Complain(kExitUsage, "there is no command '" + unknown + "'." +
                                  (meant.empty() ? "" : " Did you mean '" + meant + "'?") +
                                  "\nSee relayctl --help.");
}

}  // namespace

int Complain(ExitCode code, const std::string& text) {
  std::fflush(stdout);
  std::fprintf(stderr, "relayctl: %s\n", text.c_str());
  return code;
}

std::string ClosestWord(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  // A third of the letters may be wrong: more than that is another word, not a slip.
  size_t best_distance = word.size() / 3 + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = EditDistance(word, candidate);
    if (distance > best_distance || (distance == best_distance && !best.empty())) continue;
    best = candidate;
    best_distance = distance;
  }
  return best;
}

int RunCommandLine(std::span<const AddCommand> commands, std::vector<std::string> arguments,
                   std::vector<std::string> environment) {
  CLI::App app("Callback Relay: the command line", "relayctl");
  app.set_version_flag("--version", "relayctl " RELAY_VERSION);
  app.require_subcommand(1);
  // So that `relayctl status --config F` means the same as `relayctl --config F status`.
  app.fallthrough();
  CommandContext context;
  context.environment = std::move(environment);
  app.add_option("--config", context.config_path,
                 "The conf file; else RELAY_CONFIG, ./conf/relay.toml, /etc/relay/relay.toml");
  for (const AddCommand add : commands) add(app, context);

  try {
    // CLI11 takes the arguments from the back.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return ReportUsage(app, arguments, error);
  }
  RELAY_CHECK(context.run);
  return context.run();
}

}  // namespace relay
