#include "bench/load/nginx.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "cli/loopback_http.h"
#include "relay/check.h"
#include "tests/chaos/process_facts.h"

namespace relay {

namespace {

constexpr Millis kStartPatience{10000};
constexpr Millis kOpensslPatience{20000};
constexpr Millis kEndPatience{5000};

}  // namespace

Nginx::Nginx(Scene& scene, Options options)
    : scene_(scene),
      options_(options),
      folder_(scene.folder() + "/nginx-" + std::to_string(FreeLoopbackPort())) {
  std::filesystem::create_directories(folder_);
  for (int i = 0; i < options_.ports; ++i) ports_.push_back(FreeLoopbackPort());
  count_port_ = FreeLoopbackPort();
  if (options_.tls) {
    Run(scene_,
        {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
         "-keyout", folder_ + "/key.pem", "-out", pem()},
        kOpensslPatience);
  }
  std::ofstream(folder_ + "/nginx.conf") << Conf();
  program_ = std::make_unique<ChildProgram>(
      std::vector<std::string>{"nginx", "-p", folder_, "-e", folder_ + "/error.log", "-c",
                               folder_ + "/nginx.conf"},
      folder_ + "/out");
  const bool serves =
      WaitUntil(kStartPatience, [this] { return !program_->running() || Answers(); });
  if (!serves || !program_->running()) {
    scene_.Abandon("nginx does not start: " + program_->Output());
  }
}

// Killed, it would leave its workers behind.
Nginx::~Nginx() {
  program_->Signal(SIGTERM);
  program_->Wait(kEndPatience);
}

std::string Nginx::Conf() const {
  std::ostringstream conf;
  conf << "daemon off;\nuser root;\nworker_processes " << options_.processes
       << ";\npid nginx.pid;\nerror_log error.log crit;\nworker_rlimit_nofile 20000;\n"
          "events { worker_connections 8192; }\nhttp {\n"
          "  access_log off;\n  keepalive_requests 1000000000;\n  keepalive_timeout 600s;\n"
          "  client_body_buffer_size 128k;\n  client_max_body_size 2m;\n"
          "  client_body_temp_path body;\n  proxy_temp_path proxy;\n  fastcgi_temp_path fastcgi;\n"
          "  uwsgi_temp_path uwsgi;\n  scgi_temp_path scgi;\n"
          "  split_clients \"$request_id\" $fails { ";
  if (options_.failing_percent > 0) conf << options_.failing_percent << "% 1; ";
  conf << "* 0; }\n  server {\n";
  const char* const tls = options_.tls ? " ssl" : "";
  for (const int port : ports_) {
    conf << "    listen 127.0.0.1:" << port << tls << " backlog=4096;\n";
  }
  if (options_.tls) conf << "    ssl_certificate cert.pem;\n    ssl_certificate_key key.pem;\n";
  conf << "    default_type application/json;\n    location / {\n"
       << (options_.failing_percent > 0 ? "      if ($fails) { return 500; }\n" : "")
       << "      return 200 '{\"code\":0}';\n    }\n  }\n  server {\n    listen 127.0.0.1:"
       << count_port_ << ";\n    location / { stub_status; }\n  }\n}\n";
  return conf.str();
}

bool Nginx::Answers() {
  SocketAddress address;
  address.host = "127.0.0.1";
  address.port = count_port_;
  const auto answer = AskLoopback(address, "GET", "/", "", Seconds(1));
  if (!answer.ok() || answer->status != 200) return false;
  ++own_requests_;
  return true;
}

int64_t Nginx::Requests() {
  SocketAddress address;
  address.host = "127.0.0.1";
  address.port = count_port_;
  const auto answer = AskLoopback(address, "GET", "/", "", Seconds(10));
  if (!answer.ok() || answer->status != 200) scene_.Abandon("nginx does not count");
  ++own_requests_;
  // "server accepts handled requests\n 3 3 17 \n": the third number, of all ports.
  std::istringstream text(answer->body.substr(answer->body.find("requests") + 8));
  int64_t accepted = 0;
  int64_t handled = 0;
  int64_t requests = 0;
  text >> accepted >> handled >> requests;
  return requests - own_requests_;
}

Millis Nginx::CpuTime() const {
  Millis sum{0};
  for (const pid_t pid : FamilyOf(program_->pid())) sum += CpuTimeOf(pid);
  return sum;
}

std::string Run(Scene& scene, const std::vector<std::string>& command, Millis patience) {
  static int runs = 0;
  const std::string output = scene.folder() + "/run-" + std::to_string(++runs) + ".out";
  ChildProgram program(command, output);
  const auto status = program.Wait(patience);
  if (status != 0) scene.Abandon(command.front() + ": " + program.Output());
  return program.Output();
}

int FreeLoopbackPort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(at);
  RELAY_CHECK(bind(fd, reinterpret_cast<sockaddr*>(&at), size) == 0);
  RELAY_CHECK(getsockname(fd, reinterpret_cast<sockaddr*>(&at), &size) == 0);
  close(fd);
  return ntohs(at.sin_port);
}

std::vector<pid_t> FamilyOf(pid_t pid) {
  std::vector<pid_t> family = {pid};
  for (size_t i = 0; i < family.size(); ++i) {
    const std::string number = std::to_string(family[i]);
    std::ifstream children("/proc/" + number + "/task/" + number + "/children");
    for (pid_t child; children >> child;) family.push_back(child);
  }
  return family;
}

}  // namespace relay
