#include "cli/up_command.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <utility>

#include "cli/loopback_http.h"
#include "cli/up_plan.h"
#include "cli/up_run.h"

namespace relay {

namespace {

// The folder of the run: kept when it was named, else a temporary one that ends with the run. It is
// locked, because two Redis on one append-only file would destroy it.
class DataFolder {
 public:
  static Result<DataFolder> Open(const std::string& named) {
    DataFolder out;
    out.temporary_ = named.empty();
    if (out.temporary_) {
      const char* parent = std::getenv("TMPDIR");
      std::string path = std::string(parent && *parent ? parent : "/tmp") + "/relay-up-XXXXXX";
      if (!mkdtemp(path.data())) return Cannot("make the folder", path);
      out.path_ = path;
    } else {
      std::error_code error;
      std::filesystem::create_directories(named, error);
      out.path_ = std::filesystem::absolute(named, error).lexically_normal().string();
      if (out.path_.size() > 1 && out.path_.back() == '/') out.path_.pop_back();
    }
    const std::string lock = out.path_ + "/lock";
    out.lock_ = open(lock.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (out.lock_ < 0) return Cannot("write", lock);
    if (flock(out.lock_, LOCK_EX | LOCK_NB) != 0) {
      return Status::Unavailable("another relayctl up uses " + out.path_);
    }
    return out;
  }
  DataFolder(DataFolder&& other) noexcept
      : path_(std::exchange(other.path_, "")),
        temporary_(std::exchange(other.temporary_, false)),
        lock_(std::exchange(other.lock_, -1)) {}
  DataFolder& operator=(DataFolder&&) = delete;
  ~DataFolder() {
    if (lock_ >= 0) close(lock_);
    std::error_code ignored;  // Nothing is left to be told to.
    if (temporary_ && !path_.empty()) std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }

 private:
  DataFolder() = default;
  static Status Cannot(const char* what, const std::string& path) {
    return Status::Unavailable(std::string("cannot ") + what + " " + path + ": " +
                               std::strerror(errno));
  }

  std::string path_;
  bool temporary_ = false;
  int lock_ = -1;
};

// Only a conf that was named counts: the one of an installation (/etc/relay) speaks of another
// Redis.
Result<Settings> SettingsOfRun(const CommandContext& context) {
  if (context.config_path.empty()) return ParseSettings("", "defaults", context.environment);
  return LoadSettings(context.config_path, context.environment);
}

// Without RELAY_...: they are part of the conf that the children are given already.
std::vector<std::string> ChildEnvironment(const std::vector<std::string>& environment) {
  std::vector<std::string> out;
  for (const std::string& entry : environment) {
    if (!entry.starts_with("RELAY_")) out.push_back(entry);
  }
  return out;
}

// Installed beside the programs' folder (../share/relay), else in the source tree of this build.
std::string ConfFolder(const std::string& programs) {
  const std::string installed = programs + "/../share/relay";
  return std::filesystem::exists(installed + "/redis.conf") ? installed : RELAY_CONF_DIR;
}

int RunUp(UpOptions options, const CommandContext& context) {
  if (options.once && (!options.demo || options.workers < 1 || options.brokers < 1 ||
                       (options.sinks >= 0 && options.sinks < 3))) {
    return Complain(kExitUsage, "--once needs --demo with a broker, a worker and three sinks");
  }
  const Result<Settings> settings = SettingsOfRun(context);
  if (!settings.ok()) return Complain(kExitConf, settings.status());
  const Result<DataFolder> folder = DataFolder::Open(options.folder);
  if (!folder.ok()) return Complain(kExitPortOrFolder, folder.status());
  Result<UpPlan> plan = MakeUpPlan(options, *settings, folder->path());
  if (!plan.ok()) return Complain(kExitPortOrFolder, plan.status());

  std::error_code error;
  plan->relayctl = std::filesystem::read_symlink("/proc/self/exe", error).string();
  plan->programs = std::filesystem::path(plan->relayctl).parent_path().string();
  plan->conf_folder = ConfFolder(plan->programs);
  plan->environment = ChildEnvironment(context.environment);
  for (const SocketAddress& address : plan->Addresses()) {
    if (Status free = CheckPortIsFree(address); !free.ok()) {
      return Complain(kExitPortOrFolder, free);
    }
  }
  if (Status written = WriteUpFiles(*plan); !written.ok()) {
    return Complain(kExitPortOrFolder, written);
  }
  SystemLoop loop;
  UpRun run(loop, *std::move(plan), std::move(options));
  return run.Run();
}

}  // namespace

void AddUpCommand(CLI::App& app, CommandContext& context) {
  // Shared with the closures that CLI11 keeps.
  auto options = std::make_shared<UpOptions>();
  CLI::App* command =
      app.add_subcommand("up", "Run Redis, brokers, workers and sinks until Ctrl-C");
  command->add_flag("--demo", options->demo,
                    "Apply the demo catalog, start its three sinks and send one signed callback");
  command->add_flag("--once", options->once,
                    "With --demo: end with 0 when all endpoints have the event");
  command->add_option(
      "--data", options->folder,
      "Where everything is kept; without it a temporary folder, removed at the end");
  command
      ->add_option("--base-port", options->base_port,
                   "Broker N, admin N+1 and N+2, sinks from N+11")
      ->check(CLI::Range(1, 65000));
  command->add_option("--brokers", options->brokers, "How many")
      ->check(CLI::Range(0, 64))
      ->capture_default_str();
  command->add_option("--workers", options->workers, "How many")
      ->check(CLI::Range(0, 64))
      ->capture_default_str();
  command->add_option("--sinks", options->sinks, "How many; 3 with --demo, else 0")
      ->check(CLI::Range(0, 9));
  command->callback([options, &context] {
    context.run = [options, &context] { return RunUp(*options, context); };
  });
}

}  // namespace relay
