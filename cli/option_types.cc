#include "cli/option_types.h"

#include "relay/settings.h"

namespace relay {

CLI::Option* AddDurationOption(CLI::App* command, const std::string& name, Millis* target,
                               const std::string& help) {
  CLI::Option* option = command->add_option_function<std::string>(
      name,
      [target](const std::string& text) {
        const Result<Millis> parsed = ParseDuration(text);
        if (parsed.ok()) *target = parsed.value();  // The check below has spoken otherwise.
      },
      help);
  option->check([](const std::string& text) {
    const Result<Millis> parsed = ParseDuration(text);
    return parsed.ok() ? std::string() : parsed.status().text();
  });
  return option->type_name("DURATION");
}

CLI::Option* AddChanceOption(CLI::App* command, const std::string& name, double* target,
                             const std::string& help) {
  return command->add_option(name, *target, help)->check(CLI::Range(0.0, 1.0))->type_name("CHANCE");
}

}  // namespace relay
