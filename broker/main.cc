// relay-broker: only wiring.

#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "broker/broker.h"
#include "relay/event_loop.h"
#include "relay/log.h"
#include "relay/metrics.h"
#include "relay/random.h"
#include "relay/settings.h"

namespace relay {
namespace {

constexpr int kExitOk = 0;
constexpr int kExitUsage = 2;
constexpr int kExitConf = 3;
constexpr int kExitPort = 6;

int Complain(int exit_code, const Status& status) {
  std::fprintf(stderr, "relay-broker: %s\n", status.text().c_str());
  return exit_code;
}

// Every connection is a file; the soft limit is often 1,024 while the hard one is high.
void RaiseFileLimit(const Settings& settings, Log& log) {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  // Besides connections: Redis, listeners, logs.
  constexpr rlim_t kOthers = 64;
  if (limit.rlim_cur < static_cast<rlim_t>(settings.broker.connections_max) + kOthers) {
    log.Warning("file_limit", "fewer files may be open than connections_max asks for",
                {{"limit", static_cast<int64_t>(limit.rlim_cur)},
                 {"connections_max", settings.broker.connections_max}});
  }
}

int Run(const std::string& config, int instance) {
  const Result<std::string> path = FindSettingsFile(config);
  if (!path.ok()) return Complain(kExitConf, path.status());
  std::vector<std::string> environment;
  for (char** entry = environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  const Result<Settings> settings = LoadSettings(*path, environment);
  if (!settings.ok()) return Complain(kExitConf, settings.status());

  Log log("relay-broker", instance, settings->log.level, settings->log.format);
  Metrics metrics;
  Random random = Random::FromSystem();
  SystemLoop loop;
  RaiseFileLimit(*settings, log);

  const auto broker = Broker::Create(loop, *settings, instance, random, log, metrics);
  if (!broker.ok()) return Complain(kExitConf, broker.status());
  if (const Status status = (*broker)->Listen(); !status.ok()) return Complain(kExitPort, status);
  Broker* const running = broker->get();
  for (const int signal : {SIGTERM, SIGINT}) {
    loop.OnSignal(signal, [running] { running->Drain(); });
  }
  loop.Run();
  return kExitOk;
}

}  // namespace
}  // namespace relay

int main(int argc, char** argv) {
  CLI::App app("Takes callbacks, stores them in Redis, acknowledges them.", "relay-broker");
  app.set_version_flag("--version", "relay-broker " RELAY_VERSION);
  std::string config;
  int instance = 0;
  app.add_option("--config", config,
                 "Conf file (default: RELAY_CONFIG, ./conf/relay.toml, /etc/relay/relay.toml)");
  app.add_option("--instance", instance,
                 "Number of this broker on its host; adds 10 times as much to the admin port")
      ->check(CLI::Range(0, 999));
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // Help and version come this way too, with code 0.
    return app.exit(error) == 0 ? relay::kExitOk : relay::kExitUsage;
  }
  return relay::Run(config, instance);
}
