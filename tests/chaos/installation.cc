#include "tests/chaos/installation.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <utility>

#include "cli/loopback_http.h"
#include "tests/chaos/books.h"

namespace relay {

namespace {

constexpr Millis kStartPatience{20000};
constexpr Millis kGlanceEvery{2000};

void WriteText(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

RedisProcess::Options RedisOptions(const Installation::Options& options) {
  RedisProcess::Options redis = options.redis;
  redis.appendfsync = options.durability;
  redis.maxmemory = options.maxmemory;
  return redis;
}

int64_t NumberAfter(const std::string& text, const std::string& mark) {
  const size_t at = text.rfind(mark);
  if (at == std::string::npos) return -1;
  int64_t number = -1;
  const char* const from = text.data() + at + mark.size();
  std::from_chars(from, text.data() + text.size(), number);
  return number;
}

}  // namespace

Installation::Installation(Scene& scene, Options options)
    : scene_(scene), options_(std::move(options)), folder_(scene.folder()) {
  redis_ = std::make_unique<RedisProcess>(RedisOptions(options_));
  StartRedis();
  ReserveBrokerPort();
  WriteConf();
}

Installation::~Installation() {
  if (reserved_socket_ >= 0) close(reserved_socket_);
}

void Installation::StartRedis() {
  scene_.Require(redis_->Start(), "Redis does not start");
}

// A socket that is bound and does not listen keeps the port without taking connections, and
// SO_REUSEPORT lets the brokers bind it as well.
void Installation::ReserveBrokerPort() {
  reserved_socket_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(reserved_socket_, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
  setsockopt(reserved_socket_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(at);
  if (bind(reserved_socket_, reinterpret_cast<sockaddr*>(&at), size) != 0 ||
      getsockname(reserved_socket_, reinterpret_cast<sockaddr*>(&at), &size) != 0) {
    scene_.Abandon("no loopback port for the brokers");
  }
  broker_port_ = ntohs(at.sin_port);
}

void Installation::WriteConf() {
  const std::string key = path("secrets.key");
  WriteText(key, std::string(64, '7'));
  std::filesystem::permissions(key, std::filesystem::perms(0600));
  const std::string node = "unix://" + redis_->socket_path();
  WriteText(conf_path(), "[redis]\nnodes = [\"" + node + "\"]\ndurability = \"" +
                             options_.durability +
                             "\"\n[broker]\nlisten = [\"127.0.0.1:" + std::to_string(broker_port_) +
                             "\"]\nadmin_listen = \"127.0.0.1:0\"\n[worker]\n"
                             "admin_listen = \"127.0.0.1:0\"\ncredit = " +
                             std::to_string(options_.credit) +
                             "\n[guard]\nports = []\n"
                             "allow_private = [\"127.0.0.0/8\", \"10.0.0.0/8\"]\n"
                             "[secrets]\nkey_file = \"" +
                             key + "\"\n" + options_.conf);
}

// ---- Programs

std::string Installation::Binary(const std::string& name) const {
  return std::string(RELAY_BIN_DIR "/") + name + (scene_.defect() > 0 ? "-defective" : "");
}

std::string Installation::NewOutput(const std::string& stem) {
  return path(std::to_string(++outputs_) + "-" + stem + ".out");
}

void Installation::StartBroker(const std::string& name, ProgramOptions options) {
  programs_[name] = Program{Binary("relay-broker"), std::move(options), nullptr};
  StartAgain(name);
  AwaitReady(name);
}

void Installation::StartWorker(const std::string& name, ProgramOptions options) {
  programs_[name] = Program{Binary("relay-worker"), std::move(options), nullptr};
  StartAgain(name);
  AwaitReady(name);
}

void Installation::StartAgain(const std::string& name) {
  Launch(name, programs_.at(name));
}

void Installation::Launch(const std::string& name, Program& program) {
  std::vector<std::string> arguments = program.options.wrapper;
  arguments.insert(arguments.end(), {program.binary, "--config", conf_path()});
  std::vector<std::string> environment = program.options.environment;
  environment.push_back("RELAY_DEFECT=" + std::to_string(scene_.defect()));
  program.child.reset();
  program.admin_port = 0;
  program.child =
      std::make_unique<ChildProgram>(std::move(arguments), NewOutput(name), environment);
}

ChildProgram& Installation::program(const std::string& name) {
  return *programs_.at(name).child;
}

int Installation::admin_port(const std::string& name) {
  Program& program = programs_.at(name);
  if (program.admin_port == 0) {
    const auto port = program.child->WaitForOutput(R"re("event":"admin_listening".*"port":(\d+))re",
                                                   kStartPatience);
    if (port) program.admin_port = std::stoi(*port);
  }
  return program.admin_port;
}

LoopbackAnswer Installation::AskAdmin(const std::string& name, const std::string& path) {
  SocketAddress address;
  address.host = programs_.at(name).options.admin_host;
  address.port = admin_port(name);
  if (address.port == 0) return {};
  Result<LoopbackAnswer> answer = AskLoopback(address, "GET", path, "", Seconds(2));
  return answer.ok() ? *std::move(answer) : LoopbackAnswer{};
}

bool Installation::Ready(const std::string& name) {
  return AskAdmin(name, "/readyz").status == 200;
}

void Installation::AwaitReady(const std::string& name, Millis patience) {
  if (WaitUntil(patience, [this, &name] { return Ready(name); })) return;
  const std::string reason = AskAdmin(name, "/readyz").body;
  scene_.Abandon(name + " does not become ready: " + (reason.empty() ? Output(name) : reason));
}

double Installation::Metric(const std::string& name, const std::string& series) {
  std::istringstream lines(AskAdmin(name, "/metrics").body);
  double sum = 0;
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with(series)) continue;
    const bool labelled = series.find('{') != std::string::npos;
    const char after = line[series.size()];
    if (!labelled && after != ' ' && after != '{') continue;
    sum += std::strtod(line.c_str() + line.rfind(' '), nullptr);
  }
  return sum;
}

void Installation::ExpectAllRunning() {
  for (const auto& [name, program] : programs_) {
    scene_.Expect(program.child->running(), name + " has ended: " + program.child->Output());
  }
}

std::vector<std::string> Installation::programs() const {
  std::vector<std::string> names;
  for (const auto& [name, program] : programs_) names.push_back(name);
  return names;
}

std::string Installation::url() const {
  return "http://127.0.0.1:" + std::to_string(broker_port_) + "/in/demo";
}

// ---- Receivers, catalog, load

std::string Installation::SecretOf(const std::string& name) {
  // 32 bytes that differ from sink to sink, in base64: a letter stands for six bits.
  std::string digits = name;
  std::erase_if(digits, [](char c) { return !std::isalnum(static_cast<unsigned char>(c)); });
  digits.resize(42, 'x');
  return "whsec_" + digits + "A=";
}

std::string Installation::SigningOf(const std::string& name) {
  return "signing = { scheme = \"standard-webhooks\", secrets = [\"" + SecretOf(name) + "\"] }\n";
}

std::string Installation::EndpointOf(const std::string& sink) {
  return SigningOf(sink) + RetryOften();
}

std::string Installation::RetryOften() {
  return "retry = { schedule = [\"500ms\", \"1s\", \"1s\", \"1s\", \"1s\", \"1s\", \"1s\", "
         "\"1s\", \"1s\", \"1s\", \"1s\", \"1s\", \"1s\", \"1s\", \"1s\"] }\n";
}

int Installation::StartSink(const std::string& name, std::vector<std::string> options,
                            const ProgramOptions& how) {
  const std::string log = path(name + ".jsonl");
  std::vector<std::string> arguments = how.wrapper;
  arguments.insert(arguments.end(), {RELAY_BIN_DIR "/relayctl", "sink", "--log", log, "--secret",
                                     SecretOf(name), "--seed", std::to_string(scene_.round() + 1)});
  if (std::find(options.begin(), options.end(), "--listen") == options.end()) {
    arguments.insert(arguments.end(), {"--listen", "127.0.0.1:0"});
  }
  arguments.insert(arguments.end(), options.begin(), options.end());
  std::ofstream(log, std::ios::app).flush();
  sinks_[name] = std::make_unique<ChildProgram>(std::move(arguments), NewOutput("sink-" + name),
                                                how.environment);
  if (std::find(received_logs_.begin(), received_logs_.end(), log) == received_logs_.end()) {
    received_logs_.push_back(log);
  }
  const auto port = sinks_[name]->WaitForOutput(R"re(listening on .*:(\d+))re", kStartPatience);
  if (!port) scene_.Abandon("sink " + name + " does not start: " + sinks_[name]->Output());
  return std::stoi(*port);
}

void Installation::Apply(const std::vector<ChaosEndpoint>& endpoints) {
  std::string text =
      "format = 1\n[[source]]\nid = \"demo\"\npath = \"demo\"\nprovider = \"tencent-live\"\n"
      "keys = [\"demo-key\"]\nroute = { tenant = \"acme\" }\n[[tenant]]\nid = \"acme\"\n"
      "limits = { held_deliveries = 0, held_bytes = 0, endpoints = 0 }\n";
  for (const ChaosEndpoint& endpoint : endpoints) {
    text += "[[tenant.endpoint]]\nid = \"" + endpoint.id + "\"\nurl = \"" + endpoint.scheme_host +
            ":" + std::to_string(endpoint.port) + endpoint.path + "\"\n" + endpoint.more + "\n";
  }
  WriteText(catalog_path(), text);
  const ProgramRun applied = Relayctl({"apply", catalog_path()});
  if (applied.status != 0) scene_.Abandon("relayctl apply: " + applied.output);
}

std::vector<ChaosEndpoint> Installation::StartSinksAndApply(const std::vector<std::string>& names,
                                                            const std::string& more) {
  std::vector<ChaosEndpoint> endpoints;
  for (const std::string& name : names) {
    endpoints.push_back({name, StartSink(name), more + "\n" + EndpointOf(name)});
  }
  Apply(endpoints);
  return endpoints;
}

std::unique_ptr<ChildProgram> Installation::RelayctlBeside(std::vector<std::string> arguments) {
  const std::string stem = "relayctl-" + arguments.front();
  arguments.insert(arguments.begin(), {Binary("relayctl"), "--config", conf_path()});
  return std::make_unique<ChildProgram>(
      std::move(arguments), NewOutput(stem),
      std::vector<std::string>{"RELAY_DEFECT=" + std::to_string(scene_.defect())});
}

ProgramRun Installation::Relayctl(std::vector<std::string> arguments, Millis patience) {
  const auto program = RelayctlBeside(std::move(arguments));
  const auto status = program->Wait(patience);
  return {status.value_or(-1), program->Output()};
}

ProgramRun Installation::SoundRelayctl(std::vector<std::string> arguments, Millis patience) {
  const std::string stem = "relayctl-" + arguments.front();
  arguments.insert(arguments.begin(), {RELAY_BIN_DIR "/relayctl", "--config", conf_path()});
  ChildProgram program(std::move(arguments), NewOutput(stem));
  const auto status = program.Wait(patience);
  return {status.value_or(-1), program.Output()};
}

std::unique_ptr<ChildProgram> Installation::Load(const std::vector<std::string>& options) {
  std::vector<std::string> arguments = {"simulate", "tencent-live", "--to",  url(),
                                        "--key",    "demo-key",     "--log", sent_log()};
  arguments.insert(arguments.end(), options.begin(), options.end());
  // What is done to an installation here may last longer than a provider's patience, which would be
  // 12 s at this pace: what is to be accepted in the end is sent for a minute.
  if (std::find(options.begin(), options.end(), "--retry") != options.end()) {
    arguments.insert(arguments.end(), {"--retry-attempts", "60"});
  }
  arguments.insert(arguments.begin(), RELAY_BIN_DIR "/relayctl");
  return std::make_unique<ChildProgram>(std::move(arguments), NewOutput("load"));
}

std::string Installation::AwaitLoad(ChildProgram& load, Millis patience) {
  const SystemClock clock;
  const MonoTime end = clock.Now() + patience;
  while (scene_.hunts() && clock.Now() < end && !load.Wait(kGlanceEvery)) GlanceAtBooks(*this);
  if (!load.Wait(std::max(Millis(0), std::chrono::ceil<Millis>(end - clock.Now())))) {
    scene_.Abandon("the load does not end: " + load.Output());
  }
  return load.Output();
}

int Installation::Received(const std::string& sink) const {
  std::ifstream in(path(sink + ".jsonl"));
  return static_cast<int>(
      std::count(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>(), '\n'));
}

// ---- The state of the work

int64_t Installation::Status(const std::string& name) {
  const ProgramRun status = SoundRelayctl({"status", "--json"}, Seconds(10));
  return status.status == 0 ? NumberAfter(status.output, "\"" + name + "\":") : -1;
}

int64_t Installation::Undecodable() {
  double sum = 0;
  for (const auto& [name, program] : programs_) {
    if (name.starts_with("worker")) sum += Metric(name, "relay_undecodable_entries");
  }
  return static_cast<int64_t>(sum);
}

bool Installation::Drained(Millis stuck) {
  constexpr int kLookEveryMs = 100;
  std::string last;
  const SystemClock clock;
  MonoTime progress = clock.Now();
  while (clock.Now() - progress < stuck) {
    const ProgramRun status = SoundRelayctl({"status", "--json"}, Seconds(10));
    const int64_t unsettled = NumberAfter(status.output, "\"unsettled\":");
    const int64_t pending = NumberAfter(status.output, "\"pending\":");
    const bool settled = unsettled == 0 || (unsettled > 0 && unsettled == Undecodable());
    if (settled && pending == 0) return true;
    const std::string left = std::to_string(unsettled) + "/" + std::to_string(pending);
    if (left != last) progress = clock.Now();
    last = left;
    Pass(Millis(kLookEveryMs));
  }
  scene_.Remark("left when nothing moved any more (unsettled/pending): " + last);
  return false;
}

}  // namespace relay
