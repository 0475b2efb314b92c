#include "tests/integration/relay_system.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "relay/check.h"
#include "relay/tencent_signature.h"

namespace relay {

namespace {

constexpr Millis kStartPatience{20000};

std::string MakeFolder() {
  std::string name = "/tmp/relay-system-XXXXXX";
  RELAY_CHECK(mkdtemp(name.data()));
  return name;
}

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

RedisProcess::Options RedisOptions(const std::string& durability) {
  RedisProcess::Options options;
  options.appendfsync = durability;
  return options;
}

}  // namespace

RelaySystem::RelaySystem(const std::string& durability, bool allow_loopback)
    : folder_(MakeFolder()), redis_(RedisOptions(durability)) {
  const Status started = redis_.Start();
  RELAY_CHECK(started.ok());
  WriteFile(folder_ + "/secrets.key", std::string(64, '7'));
  std::filesystem::permissions(folder_ + "/secrets.key", std::filesystem::perms(0600));
  WriteFile(conf_path(), "[redis]\nnodes = [\"unix://" + redis_.socket_path() +
                             "\"]\ndurability = \"" + durability +
                             "\"\n[broker]\nlisten = [\"127.0.0.1:0\"]\n"
                             "admin_listen = \"127.0.0.1:0\"\n"
                             "[worker]\nadmin_listen = \"127.0.0.1:0\"\n"
                             "[guard]\nports = []\nallow_private = [" +
                             (allow_loopback ? "\"127.0.0.0/8\"" : "") +
                             "]\n"
                             "[secrets]\nkey_file = \"" +
                             folder_ + "/secrets.key\"\n");
}

RelaySystem::~RelaySystem() {
  if (::testing::Test::HasFailure()) {
    for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
      if (entry.path().extension() != ".out") continue;
      std::ifstream in(entry.path());
      const std::string text{std::istreambuf_iterator<char>(in), {}};
      std::fprintf(stderr, "---- %s (its end)\n%s\n", entry.path().filename().c_str(),
                   text.substr(text.size() > 3000 ? text.size() - 3000 : 0).c_str());
    }
  }
  programs_.clear();
  sinks_.clear();
  std::filesystem::remove_all(folder_);
}

ChildProgram& RelaySystem::Launch(const std::string& program) {
  const std::string out = folder_ + "/" + std::to_string(++launched_) + "-" + program + ".out";
  programs_.push_back(std::make_unique<ChildProgram>(
      std::vector<std::string>{RELAY_BIN_DIR "/" + program, "--config", conf_path()}, out));
  return *programs_.back();
}

ChildProgram& RelaySystem::StartBroker() {
  ChildProgram& broker = Launch("relay-broker");
  const auto port =
      broker.WaitForOutput(R"re("event":"listening".*"port":(\d+))re", kStartPatience);
  const auto admin =
      broker.WaitForOutput(R"re("event":"admin_listening".*"port":(\d+))re", kStartPatience);
  if (!port || !admin) {
    ADD_FAILURE() << "the broker does not say where it listens:\n" << broker.Output();
    return broker;
  }
  broker_port_ = std::stoi(*port);
  broker_admin_port_ = std::stoi(*admin);
  EXPECT_TRUE(WaitUntil(kStartPatience, [this] {
    return HttpGet(broker_admin_port_, "/readyz").find(" 200 ") != std::string::npos;
  })) << HttpGet(broker_admin_port_, "/readyz");
  return broker;
}

ChildProgram& RelaySystem::LaunchWorker() {
  return Launch("relay-worker");
}

ChildProgram& RelaySystem::StartWorker() {
  ChildProgram& worker = LaunchWorker();
  const auto admin =
      worker.WaitForOutput(R"re("event":"admin_listening".*"port":(\d+))re", kStartPatience);
  if (!admin) {
    ADD_FAILURE() << "the worker does not say where it listens:\n" << worker.Output();
    return worker;
  }
  worker_admin_port_ = std::stoi(*admin);
  EXPECT_TRUE(WaitUntil(kStartPatience, [this] {
    return HttpGet(worker_admin_port_, "/readyz").find(" 200 ") != std::string::npos;
  })) << HttpGet(worker_admin_port_, "/readyz");
  return worker;
}

int RelaySystem::StartSink(const std::string& name, const std::vector<std::string>& options,
                           int port) {
  std::vector<std::string> arguments = {
      RELAY_BIN_DIR "/relayctl",           "sink",  "--listen",
      "127.0.0.1:" + std::to_string(port), "--log", log_path(name)};
  arguments.insert(arguments.end(), options.begin(), options.end());
  const std::string out = folder_ + "/" + std::to_string(++launched_) + "-sink-" + name + ".out";
  sinks_[name] = std::make_unique<ChildProgram>(std::move(arguments), out);
  const auto found = sinks_[name]->WaitForOutput(R"re(127\.0\.0\.1:(\d+))re", kStartPatience);
  EXPECT_TRUE(found) << sinks_[name]->Output();
  return found ? std::stoi(*found) : 0;
}

std::string RelaySystem::url() const {
  return "http://127.0.0.1:" + std::to_string(broker_port_) + "/in/demo";
}

std::string RelaySystem::Catalog(const std::vector<EndpointSpec>& endpoints) const {
  std::string text =
      "format = 1\n[[source]]\nid = \"demo\"\npath = \"demo\"\nprovider = \"tencent-live\"\n"
      "keys = [\"demo-key\"]\nroute = { tenant = \"acme\" }\n[[tenant]]\nid = \"acme\"\n";
  for (const EndpointSpec& endpoint : endpoints) {
    text += "[[tenant.endpoint]]\nid = \"" + endpoint.id +
            "\"\nurl = \"http://127.0.0.1:" + std::to_string(endpoint.port) + "/hook\"\n" +
            endpoint.more + "\n";
  }
  return text;
}

void RelaySystem::Apply(const std::vector<EndpointSpec>& endpoints) {
  WriteFile(folder_ + "/catalog.toml", Catalog(endpoints));
  const Ran applied = Relayctl({"apply", folder_ + "/catalog.toml"});
  ASSERT_EQ(applied.status, 0) << applied.output;
}

std::unique_ptr<ChildProgram> RelaySystem::RelayctlBeside(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), {RELAY_BIN_DIR "/relayctl", "--config", conf_path()});
  return std::make_unique<ChildProgram>(std::move(arguments),
                                        folder_ + "/run-" + std::to_string(++ran_) + ".out");
}

Ran RelaySystem::Relayctl(std::vector<std::string> arguments, Millis patience) {
  const auto program = RelayctlBeside(std::move(arguments));
  const auto status = program->Wait(patience);
  return {status.value_or(-1), program->Output()};
}

std::unique_ptr<ChildProgram> RelaySystem::SimulateBeside(const std::vector<std::string>& options) {
  std::vector<std::string> arguments = {RELAY_BIN_DIR "/relayctl",
                                        "simulate",
                                        "tencent-live",
                                        "--to",
                                        url(),
                                        "--key",
                                        "demo-key",
                                        "--log",
                                        log_path("sent")};
  arguments.insert(arguments.end(), options.begin(), options.end());
  return std::make_unique<ChildProgram>(std::move(arguments),
                                        folder_ + "/run-" + std::to_string(++ran_) + ".out");
}

Ran RelaySystem::Simulate(const std::vector<std::string>& options) {
  auto program = SimulateBeside(options);
  const auto status = program->Wait(Seconds(120));
  return {status.value_or(-1), program->Output()};
}

bool RelaySystem::WaitUntilDrained(Millis patience) {
  return WaitUntil(patience, [this] {
    const Ran status = Relayctl({"status", "--json"});
    return status.output.find("\"unsettled\":0,\"pending\":0,") != std::string::npos;
  });
}

Ran RelaySystem::Verify(const std::vector<std::string>& options) {
  std::vector<std::string> arguments = {"verify", "--sent", log_path("sent"), "--expect",
                                        folder_ + "/catalog.toml"};
  for (const auto& [name, program] : sinks_) {
    arguments.insert(arguments.end(), {"--received", log_path(name)});
  }
  arguments.insert(arguments.end(), options.begin(), options.end());
  return Relayctl(arguments);
}

int RelaySystem::Received(const std::string& name) const {
  std::ifstream in(log_path(name));
  return static_cast<int>(
      std::count(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>(), '\n'));
}

void ExpectNothingLost(RelaySystem& relay, const std::vector<std::string>& verify_options) {
  const Ran verified = relay.Verify(verify_options);
  EXPECT_EQ(verified.status, 0) << verified.output;
  const Ran checked = relay.Fsck();
  EXPECT_EQ(checked.status, 0) << checked.output;
}

std::string HttpGet(int port, const std::string& path) {
  return SendRaw(port, "GET " + path + " HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n");
}

std::string SendRaw(int port, const std::string& bytes, Millis patience) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string answer;
  const timeval limit{patience.count() / 1000, (patience.count() % 1000) * 1000};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
  if (connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)) == 0) {
    size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t n = send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) break;
      sent += static_cast<size_t>(n);
    }
    char chunk[4096];
    ssize_t n = 0;
    while ((n = recv(fd, chunk, sizeof(chunk), 0)) > 0) answer.append(chunk, chunk + n);
  }
  close(fd);
  return answer;
}

bool PortIsFree(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_port = htons(static_cast<uint16_t>(port));
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const bool free = bind(fd, reinterpret_cast<sockaddr*>(&at), sizeof(at)) == 0;
  close(fd);
  return free;
}

std::string SignedCallback(const std::string& stream, const std::string& sequence) {
  const std::string t = std::to_string(SecondsSinceEpoch(SystemClock().WallNow()) + 600);
  const std::string body =
      R"({"app":"live.example","appid":1,"appname":"live","event_time":1703731478,"event_type":1,)"
      R"("sequence":")" +
      sequence + R"(","stream_id":")" + stream + R"(","t":)" + t + R"(,"sign":")" +
      TencentSignature().Sign("demo-key", t) + "\"}";
  return "POST /in/demo HTTP/1.1\r\nHost: test\r\nConnection: close\r\nContent-Type: "
         "application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

}  // namespace relay
