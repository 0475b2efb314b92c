#include "cli/up_plan.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "cli/settings_text.h"
#include "relay/secret_box.h"

namespace relay {

namespace {

// The sinks' first port: of the default ports, and above --base-port.
constexpr int kSinkPort = 9101;
constexpr int kSinkPortAboveBase = 11;
constexpr int kSinksInDemo = 3;
// In the demo the third sink fails so often before it recovers.
constexpr size_t kFailingSink = 2;
constexpr const char* kFailFirst = "2";
constexpr int kInstanceStep = 10;

// In which order the children are stopped: nothing comes in, what is in is delivered, then the
// rest.
enum StopOrder { kStopBrokers, kStopWorkers, kStopSinks, kStopRedis };

std::string OnLoopback(int port) {
  return "127.0.0.1:" + std::to_string(port);
}

// Half of the machine's memory, at most what the shipped redis.conf says: a demo must not push a
// small machine into its swap.
int64_t RedisMemory() {
  static constexpr int64_t kShipped = 2LL * 1024 * 1024 * 1024;
  const int64_t machine = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  return std::min(kShipped, machine / 2);
}

Status WriteFile(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::trunc);
  file << text;
  file.close();
  if (file) return Status::Ok();
  return Status::Unavailable("cannot write " + path + ": " + std::strerror(errno));
}

// A power cut may have torn the last write; Redis would not start then (aof-load-truncated no).
Status RepairAof(const UpPlan& plan) {
  const std::string manifest = plan.folder + "/appendonlydir/appendonly.aof.manifest";
  if (!std::filesystem::exists(manifest)) return Status::Ok();
  // redis-check-aof asks before it cuts; the answer comes on its standard input.
  const std::string log = plan.log_of("redis-check-aof");
  const std::string line = "echo y | redis-check-aof --fix '" + manifest + "' >>'" + log + "' 2>&1";
  if (std::system(line.c_str()) == 0) return Status::Ok();
  return Status::Unavailable("redis-check-aof cannot repair " + manifest + ":\n" + TailOf(log));
}

ChildSpec Child(const UpPlan& plan, const std::string& name, std::vector<std::string> argv,
                StopOrder order) {
  ChildSpec out;
  out.name = name;
  out.argv = std::move(argv);
  out.environment = plan.environment;
  out.log_file = plan.log_of(name);
  out.stop_order = order;
  return out;
}

Status CheckFolder(const std::string& folder) {
  // The path stands between quotes in redis.conf and in a shell's command line.
  if (folder.find_first_of("'\"\\\n") != std::string::npos) {
    return Status::InvalidArgument("the data folder's path must not hold quotes: " + folder);
  }
  const Result<SocketAddress> socket = SocketAddress::Parse("unix:" + folder + "/redis.sock");
  return socket.ok() ? Status::Ok() : socket.status();
}

Status FillPorts(const UpOptions& options, UpPlan& plan) {
  Settings& settings = plan.settings;
  if (options.base_port != 0) {
    settings.broker.listen = {OnLoopback(options.base_port)};
    settings.broker.admin_listen = OnLoopback(options.base_port + 1);
    settings.worker.admin_listen = OnLoopback(options.base_port + 2);
  }
  for (const std::string& text : settings.broker.listen) {
    const Result<SocketAddress> address = SocketAddress::Parse(text);
    if (!address.ok()) return address.status();
    plan.listen.push_back(*address);
  }
  const Result<SocketAddress> broker = SocketAddress::Parse(settings.broker.admin_listen);
  if (!broker.ok()) return broker.status();
  const Result<SocketAddress> worker = SocketAddress::Parse(settings.worker.admin_listen);
  if (!worker.ok()) return worker.status();
  for (int i = 0; i < plan.brokers + plan.workers; ++i) {
    const bool is_broker = i < plan.brokers;
    SocketAddress address = is_broker ? *broker : *worker;
    address.port += kInstanceStep * InstanceNumber(is_broker ? i : i - plan.brokers);
    plan.admin.push_back(address);
  }
  const int sinks = options.sinks >= 0 ? options.sinks : options.demo ? kSinksInDemo : 0;
  const int first = options.base_port ? options.base_port + kSinkPortAboveBase : kSinkPort;
  for (int i = 0; i < sinks; ++i) {
    plan.sinks.push_back(*SocketAddress::Parse(OnLoopback(first + i)));
  }
  for (const SocketAddress& address : plan.Addresses()) {
    if (address.port > 65535) return Status::InvalidArgument("no port " + address.ToString());
  }
  return Status::Ok();
}

}  // namespace

int InstanceNumber(int index) {
  return index == 0 ? 0 : index + 1;
}

std::vector<SocketAddress> UpPlan::Addresses() const {
  std::vector<SocketAddress> out;
  if (brokers > 0) out = listen;
  out.insert(out.end(), admin.begin(), admin.end());
  out.insert(out.end(), sinks.begin(), sinks.end());
  return out;
}

Result<UpPlan> MakeUpPlan(const UpOptions& options, Settings settings, const std::string& folder) {
  UpPlan plan;
  plan.folder = folder;
  if (Status status = CheckFolder(folder); !status.ok()) return status;
  plan.brokers = options.brokers;
  plan.workers = options.workers;
  plan.settings = std::move(settings);
  plan.settings.redis.nodes = {"unix://" + plan.socket_path()};
  plan.settings.redis.username.clear();
  plan.settings.redis.password_file.clear();
  plan.settings.redis.tls_ca.clear();
  plan.settings.secrets.key_file = folder + "/secrets.key";
  if (Status status = FillPorts(options, plan); !status.ok()) return status;
  if (!plan.sinks.empty()) {
    // The sinks are on this host, on ports of their own.
    plan.settings.guard.allow_private.push_back("127.0.0.0/8");
    plan.settings.guard.ports.clear();
  }
  return plan;
}

ChildSpec RedisChild(const UpPlan& plan) {
  ChildSpec out = Child(plan, kRedisName, {kRedisName, plan.folder + "/redis.conf"}, kStopRedis);
  out.stop_patience = Millis(30000);
  out.before_start = [plan] { return RepairAof(plan); };
  return out;
}

ChildSpec BrokerChild(const UpPlan& plan, int index) {
  const std::string instance = std::to_string(InstanceNumber(index));
  return Child(
      plan, "relay-broker-" + instance,
      {plan.programs + "/relay-broker", "--config", plan.settings_path(), "--instance", instance},
      kStopBrokers);
}

ChildSpec WorkerChild(const UpPlan& plan, int index) {
  const std::string instance = std::to_string(InstanceNumber(index));
  ChildSpec out = Child(
      plan, "relay-worker-" + instance,
      {plan.programs + "/relay-worker", "--config", plan.settings_path(), "--instance", instance},
      kStopWorkers);
  // It drains first; after that it gives back its partitions.
  out.stop_patience = plan.settings.worker.drain + Millis(5000);
  return out;
}

ChildSpec SinkChild(const UpPlan& plan, size_t index, const std::vector<std::string>& secrets) {
  std::vector<std::string> argv = {plan.relayctl, "sink",
                                   "--listen",    plan.sinks[index].ToString(),
                                   "--log",       plan.sink_log(index)};
  argv.insert(argv.end(), secrets.begin(), secrets.end());
  // Without secrets the sink is nobody's: a plain one for measuring.
  if (index == kFailingSink && !secrets.empty()) {
    argv.push_back("--fail-first");
    argv.push_back(kFailFirst);
  }
  return Child(plan, "sink-" + std::to_string(index + 1), std::move(argv), kStopSinks);
}

Status WriteUpFiles(const UpPlan& plan) {
  const std::string redis = "include \"" + plan.conf_folder + "/redis.conf\"\ndir \"" +
                            plan.folder + "\"\nunixsocket \"" + plan.socket_path() +
                            "\"\nunixsocketperm 700\nport 0\nmaxmemory " +
                            std::to_string(RedisMemory()) + "\nappendfsync " +
                            AppendfsyncFor(plan.settings.redis.durability) + "\n";
  if (Status status = WriteFile(plan.folder + "/redis.conf", redis); !status.ok()) return status;
  if (Status status = WriteFile(plan.settings_path(), SettingsToToml(plan.settings));
      !status.ok()) {
    return status;
  }
  const Status key = SecretBox::GenerateKeyFile(plan.settings.secrets.key_file);
  // Conflict: the key of an earlier run, with which the secrets in Redis are sealed.
  return key.code() == StatusCode::kConflict ? Status::Ok() : key;
}

}  // namespace relay
