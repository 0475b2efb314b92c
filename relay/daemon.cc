#include "relay/daemon.h"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <vector>

#include <CLI/CLI.hpp>

#include "relay/exit_code.h"

namespace relay {

namespace {

int Complain(const DaemonSpec& spec, int exit_code, const Status& status) {
  std::fprintf(stderr, "%s: %s\n", spec.name.c_str(), status.text().c_str());
  return exit_code;
}

// Every connection is a file; the soft limit is often 1,024 while the hard one is high.
void FitFileLimit(const DaemonSpec& spec, Settings& settings, Log& log) {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  // Besides connections: Redis, listeners, name servers, logs.
  constexpr rlim_t kOthers = 64;
  int& files_max = spec.files_max(settings);
  if (limit.rlim_cur >= static_cast<rlim_t>(files_max) + kOthers) return;
  log.Warning("file_limit", "fewer files may be open than conf asks for",
              {{"limit", limit.rlim_cur}, {"key", spec.files_key}, {"value", files_max}});
  if (!spec.files_lowered) return;
  files_max = static_cast<int>(std::max(limit.rlim_cur, kOthers + 1) - kOthers);
  log.Warning("files_lowered", "conf is followed as far as files may be open",
              {{"key", spec.files_key}, {"value", files_max}});
}

int Serve(const DaemonSpec& spec, const std::string& config, int instance) {
  const Result<std::string> path = FindSettingsFile(config);
  if (!path.ok()) return Complain(spec, kExitConf, path.status());
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  Result<Settings> settings = LoadSettings(*path, environment);
  if (!settings.ok()) return Complain(spec, kExitConf, settings.status());

  Log log(spec.name, instance, settings->log.level, settings->log.format);
  Metrics metrics;
  Random random = Random::FromSystem();
  SystemLoop loop;
  FitFileLimit(spec, *settings, log);

  const auto daemon = spec.make({loop, *settings, instance, random, log, metrics});
  if (!daemon.ok()) return Complain(spec, kExitConf, daemon.status());
  if (const Status status = (*daemon)->Listen(); !status.ok()) {
    return Complain(spec, kExitPortOrFolder, status);
  }
  Daemon* const running = daemon->get();
  for (const int signal : {SIGTERM, SIGINT}) {
    loop.OnSignal(signal, [running] { running->Drain(); });
  }
  loop.Run();
  return kExitOk;
}

}  // namespace

int RunDaemon(const DaemonSpec& spec, int argc, char** argv) {
  CLI::App app(spec.purpose, spec.name);
  app.set_version_flag("--version", spec.name + " " + RELAY_VERSION);
  std::string config;
  int instance = 0;
  app.add_option("--config", config,
                 "Conf file (default: RELAY_CONFIG, ./conf/relay.toml, /etc/relay/relay.toml)");
  app.add_option("--instance", instance,
                 "Number of this process on its host; adds 10 times as much to the admin port")
      ->check(CLI::Range(0, 999));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version come this way too, with code 0.
    return app.exit(error) == 0 ? kExitOk : kExitUsage;
  }
  return Serve(spec, config, instance);
}

}  // namespace relay
