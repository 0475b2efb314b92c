#include "tests/support/redis_process.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "relay/check.h"
#include "tests/support/exec_texts.h"

namespace relay {

namespace {

constexpr int kPollMs = 5;
// A gigabyte of file, after which the shipped conf rewrites it, takes a busy machine half a minute.
constexpr Millis kStartPatience{120000};
constexpr Millis kStopPatience{10000};

std::string TemporaryFolder() {
  const char* parent = std::getenv("TMPDIR");
  std::string path = std::string(parent ? parent : "/tmp") + "/relay-redis-XXXXXX";
  RELAY_CHECK(mkdtemp(path.data()));
  return path;
}

struct Program {
  std::vector<std::string> arguments;
  std::vector<std::string> environment;
  std::string log;    // Takes its output.
  std::string input;  // Stands on its standard input.
};

// Starts `program` at the head of a process group of its own.
pid_t Spawn(Program program) {
  const std::vector<char*> argv = PointersTo(program.arguments);
  std::vector<std::string> environment = EnvironmentWith(program.environment);
  const std::vector<char*> envp = PointersTo(environment);
  int pipe_ends[2];
  RELAY_CHECK(pipe2(pipe_ends, O_CLOEXEC) == 0);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  RELAY_CHECK(pid >= 0);
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);  // The test ended before the line above.
    setpgid(0, 0);
    const int out = open(program.log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(pipe_ends[0], STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    execvpe(argv[0], argv.data(), envp.data());
    _exit(127);
  }
  setpgid(pid, pid);  // In both processes, so that neither can come before it.
  close(pipe_ends[0]);
  // The few bytes always fit the pipe.
  const std::string& input = program.input;
  if (!input.empty()) RELAY_CHECK(write(pipe_ends[1], input.data(), input.size()) > 0);
  close(pipe_ends[1]);
  return pid;
}

}  // namespace

RedisProcess::RedisProcess(Options options)
    : options_(std::move(options)),
      folder_(options_.folder.empty() ? TemporaryFolder() : options_.folder) {
  // A peer that is killed on purpose must not kill the test.
  std::signal(SIGPIPE, SIG_IGN);
  std::filesystem::create_directories(folder_);
  if (options_.tcp) ReservePort();
}

RedisProcess::~RedisProcess() {
  if (running()) KillGroup9();
  if (reservation_ >= 0) close(reservation_);
  std::error_code ignored;  // Nothing depends on the folder any more.
  if (options_.folder.empty()) std::filesystem::remove_all(folder_, ignored);
}

// A port that is only asked for and let go may be somebody else's before Redis binds it, and while
// Redis is down. Linux lets two sockets with SO_REUSEADDR, as Redis sets it, share a port as long
// as only one of them listens; to everybody who asks for any free port it is taken.
void RedisProcess::ReservePort() {
  reservation_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  RELAY_CHECK(reservation_ >= 0);
  const int on = 1;
  RELAY_CHECK(setsockopt(reservation_, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0);
  sockaddr_in address = {};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  RELAY_CHECK(bind(reservation_, reinterpret_cast<sockaddr*>(&address), size) == 0);
  RELAY_CHECK(getsockname(reservation_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  port_ = ntohs(address.sin_port);
}

Status RedisProcess::WriteConf(const std::string& path) const {
  std::ofstream file(path);
  file << "include " << RELAY_SOURCE_DIR << "/conf/redis.conf\n"
       << "dir " << folder_ << "\nunixsocket " << socket_path() << "\nbind 127.0.0.1\nport "
       << port_ << "\nappendfsync " << options_.appendfsync << "\nmaxmemory " << options_.maxmemory
       << "\n";
  for (const std::string& line : options_.lines) file << line << "\n";
  file.close();
  return file ? Status::Ok() : Status::Internal("cannot write " + path);
}

Status RedisProcess::Start() {
  RELAY_CHECK(!running());
  const std::string conf = folder_ + "/redis.conf";
  if (Status status = WriteConf(conf); !status.ok()) return status;
  if (options_.repair_aof) {
    if (Status status = RepairAof(); !status.ok()) return status;
  }
  unlink(socket_path().c_str());
  std::vector<std::string> arguments = options_.wrapper;
  arguments.insert(arguments.end(), {"redis-server", conf});
  pid_ = Spawn({std::move(arguments), options_.environment, folder_ + "/redis.log", ""});
  return WaitUntilItAnswers();
}

Status RedisProcess::RepairAof() {
  const std::string manifest = folder_ + "/appendonlydir/appendonly.aof.manifest";
  if (!std::filesystem::exists(manifest)) return Status::Ok();
  const pid_t pid =
      Spawn({{"redis-check-aof", "--fix", manifest}, {}, folder_ + "/redis.log", /*input=*/"y\n"});
  int how = 0;
  RELAY_CHECK(waitpid(pid, &how, 0) == pid);
  if (WIFEXITED(how) && WEXITSTATUS(how) == 0) return Status::Ok();
  return Status::Internal("redis-check-aof failed: " + LogTail());
}

Status RedisProcess::WaitUntilItAnswers() {
  for (int waited = 0; waited < kStartPatience.count(); waited += kPollMs) {
    if (AnswersPing()) return Status::Ok();
    int how = 0;
    if (waitpid(pid_, &how, WNOHANG) == pid_) {
      pid_ = 0;
      return Status::Unavailable("redis-server ended: " + LogTail());
    }
    poll(nullptr, 0, kPollMs);
  }
  Kill9();
  return Status::DeadlineExceeded("redis-server does not answer: " + LogTail());
}

bool RedisProcess::AnswersPing() const {
  redisContext* redis = redisConnectUnixWithTimeout(socket_path().c_str(), {1, 0});
  bool answers = false;
  if (redis && !redis->err) {
    redisSetTimeout(redis, {1, 0});
    auto* reply = static_cast<redisReply*>(redisCommand(redis, "PING"));
    // A server with a password answers NOAUTH, which is an answer; while it loads, LOADING.
    answers = reply && !std::string_view(reply->str, reply->len).starts_with("LOADING");
    if (reply) freeReplyObject(reply);
  }
  if (redis) redisFree(redis);
  return answers;
}

void RedisProcess::Kill9() {
  RELAY_CHECK(running());
  // The end of a wrapper need not be the end of the server.
  if (!options_.wrapper.empty()) return KillGroup9();
  kill(pid_, SIGKILL);
  RELAY_CHECK(waitpid(pid_, nullptr, 0) == pid_);
  pid_ = 0;
}

void RedisProcess::KillGroup9() {
  RELAY_CHECK(running());
  SignalGroup(SIGKILL);
  // Only the head of the group is ours to wait for; it stays a zombie, and its number ours, so
  // long.
  while (!group().empty()) poll(nullptr, 0, 1);
  RELAY_CHECK(waitpid(pid_, nullptr, 0) == pid_);
  pid_ = 0;
}

void RedisProcess::SignalGroup(int number) {
  RELAY_CHECK(running());
  kill(-pid_, number);
}

std::vector<pid_t> RedisProcess::group() const {
  RELAY_CHECK(running());
  std::vector<pid_t> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid <= 0 || getpgid(pid) != pid_) continue;
    // "pid (name) state ...": a zombie has ended, whoever has still to take note of it.
    std::ifstream file(entry.path() / "stat");
    std::string line;
    std::getline(file, line);
    const size_t name_end = line.rfind(") ");
    if (name_end == std::string::npos || line[name_end + 2] == 'Z') continue;
    out.push_back(pid);
  }
  return out;
}

void RedisProcess::Stop() {
  RELAY_CHECK(running());
  Signal(SIGTERM);
  Reap(kStopPatience);
}

bool RedisProcess::HasEnded() {
  if (running() && waitpid(pid_, nullptr, WNOHANG) == pid_) pid_ = 0;
  return !running();
}

void RedisProcess::Reap(Millis patience) {
  for (int waited = 0; waited < patience.count(); waited += kPollMs) {
    if (HasEnded()) return;
    poll(nullptr, 0, kPollMs);
  }
  Kill9();
}

void RedisProcess::Freeze() {
  Signal(SIGSTOP);
}

void RedisProcess::Thaw() {
  Signal(SIGCONT);
}

void RedisProcess::Signal(int number) {
  RELAY_CHECK(running());
  if (options_.wrapper.empty()) {
    kill(pid_, number);
  } else {
    SignalGroup(number);
  }
}

SocketAddress RedisProcess::address() const {
  SocketAddress out;
  out.unix_path = socket_path();
  return out;
}

std::string RedisProcess::aof_path() const {
  // Manifest lines read "file <name> seq <n> type <b|i>"; the last incremental one is written to.
  std::ifstream manifest(folder_ + "/appendonlydir/appendonly.aof.manifest");
  std::string path;
  for (std::string line; std::getline(manifest, line);) {
    std::istringstream words(line);
    std::string word;
    std::string name;
    std::string number;
    std::string type;
    words >> word >> name >> word >> number >> word >> type;
    if (type == "i") path = folder_ + "/appendonlydir/" + name;
  }
  return path;
}

std::string RedisProcess::LogTail() const {
  std::ifstream file(folder_ + "/redis.log");
  std::stringstream text;
  text << file.rdbuf();
  const std::string all = text.str();
  static constexpr size_t kBytes = 2000;
  return all.size() > kBytes ? all.substr(all.size() - kBytes) : all;
}

}  // namespace relay
