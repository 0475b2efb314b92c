#include "tests/support/redis_process.h"

#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "relay/check.h"

namespace relay {

namespace {

constexpr int kPollMs = 5;
constexpr Millis kStartPatience{20000};
constexpr Millis kStopPatience{10000};

std::string TemporaryFolder() {
  const char* parent = std::getenv("TMPDIR");
  std::string path = std::string(parent ? parent : "/tmp") + "/relay-redis-XXXXXX";
  RELAY_CHECK(mkdtemp(path.data()));
  return path;
}

// Starts `args` with its output in the file `log` and the text `input` on its standard input.
pid_t Spawn(const std::vector<std::string>& args, const std::string& log,
            const std::string& input) {
  std::vector<char*> argv;
  for (const std::string& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
  argv.push_back(nullptr);
  int pipe_ends[2];
  RELAY_CHECK(pipe2(pipe_ends, O_CLOEXEC) == 0);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  RELAY_CHECK(pid >= 0);
  if (pid == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(127);  // The test ended before the line above.
    const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    dup2(pipe_ends[0], STDIN_FILENO);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    execvp(argv[0], argv.data());
    _exit(127);
  }
  close(pipe_ends[0]);
  // The few bytes always fit the pipe.
  if (!input.empty()) RELAY_CHECK(write(pipe_ends[1], input.data(), input.size()) > 0);
  close(pipe_ends[1]);
  return pid;
}

}  // namespace

RedisProcess::RedisProcess(Options options)
    : options_(std::move(options)), folder_(TemporaryFolder()) {
  // A peer that is killed on purpose must not kill the test.
  std::signal(SIGPIPE, SIG_IGN);
}

RedisProcess::~RedisProcess() {
  if (running()) Kill9();
  std::error_code ignored;  // Nothing depends on the folder any more.
  std::filesystem::remove_all(folder_, ignored);
}

Status RedisProcess::Start() {
  RELAY_CHECK(!running());
  const std::string conf = folder_ + "/redis.conf";
  std::ofstream file(conf);
  file << "include " << RELAY_SOURCE_DIR << "/conf/redis.conf\n"
       << "dir " << folder_ << "\nunixsocket " << socket_path() << "\nport 0\n"
       << "appendfsync " << options_.appendfsync << "\nmaxmemory " << options_.maxmemory << "\n";
  for (const std::string& line : options_.lines) file << line << "\n";
  file.close();
  if (!file) return Status::Internal("cannot write " + conf);
  if (options_.repair_aof) {
    if (Status status = RepairAof(); !status.ok()) return status;
  }
  unlink(socket_path().c_str());
  pid_ = Spawn({"redis-server", conf}, folder_ + "/redis.log", "");
  return WaitUntilItAnswers();
}

Status RedisProcess::RepairAof() {
  const std::string manifest = folder_ + "/appendonlydir/appendonly.aof.manifest";
  if (!std::filesystem::exists(manifest)) return Status::Ok();
  const pid_t pid =
      Spawn({"redis-check-aof", "--fix", manifest}, folder_ + "/redis.log", /*input=*/"y\n");
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
  kill(pid_, SIGKILL);
  RELAY_CHECK(waitpid(pid_, nullptr, 0) == pid_);
  pid_ = 0;
}

void RedisProcess::Stop() {
  RELAY_CHECK(running());
  kill(pid_, SIGTERM);
  Reap(kStopPatience);
}

void RedisProcess::Reap(Millis patience) {
  for (int waited = 0; waited < patience.count(); waited += kPollMs) {
    if (waitpid(pid_, nullptr, WNOHANG) == pid_) {
      pid_ = 0;
      return;
    }
    poll(nullptr, 0, kPollMs);
  }
  Kill9();
}

void RedisProcess::Freeze() {
  RELAY_CHECK(running());
  kill(pid_, SIGSTOP);
}

void RedisProcess::Thaw() {
  RELAY_CHECK(running());
  kill(pid_, SIGCONT);
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
