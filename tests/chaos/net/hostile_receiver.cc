#include "tests/chaos/net/hostile_receiver.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "cli/line_log.h"
#include "cli/receipt.h"
#include "relay/check.h"
#include "relay/http_parser.h"
#include "tests/chaos/net/hostile_acts.h"
#include "tests/support/test_certificate.h"
#include "tests/support/webhook_sink.h"

namespace relay {

namespace {

using Connection = WebhookSink::Connection;

// What the log says was answered: what an endpoint that asks for a code got was none.
int LoggedStatus(const HostileBehaviour& told) {
  const bool took = told.outcome == HostileOutcome::kDelivered;
  return took || told.status < 200 || told.status > 299 ? told.status : 0;
}

bool DownNow(const Clock& clock) {
  return SecondsSinceEpoch(clock.WallNow()) % 2 == 1;
}

// "/hang" of a request that may still be coming in; empty while its first line is not whole.
std::string_view PathOf(std::string_view bytes) {
  const size_t line_end = bytes.find("\r\n");
  if (line_end == std::string_view::npos) return {};
  const std::string_view line = bytes.substr(0, line_end);
  const size_t begin = line.find(' ') + 2;
  const size_t end = line.rfind(' ');
  return begin < end ? line.substr(begin, end - begin) : std::string_view();
}

// A port whose queue of connections is full and that nobody serves: SYNs are dropped.
class FullPort {
 public:
  FullPort() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    socklen_t size = sizeof address_;
    address_.sin_family = AF_INET;
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* const address = reinterpret_cast<sockaddr*>(&address_);
    RELAY_CHECK(bind(listener_, address, size) == 0 && listen(listener_, 0) == 0);
    RELAY_CHECK(getsockname(listener_, address, &size) == 0);
    for (int& fd : fillers_) {
      fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      // Under way, or in the queue; either will do.
      (void)connect(fd, address, size);
    }
  }
  ~FullPort() {
    for (const int fd : fillers_) close(fd);
    close(listener_);
  }
  FullPort(const FullPort&) = delete;
  int port() const { return ntohs(address_.sin_port); }

 private:
  sockaddr_in address_{};
  const int listener_;
  int fillers_[4] = {};
};

// Requests hang by the hundred.
void RaiseFileLimit() {
  rlimit limit{};
  RELAY_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = limit.rlim_max;
  RELAY_CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
}

}  // namespace

class HostileReceiver::Impl {
 public:
  Impl(const std::string& log, const std::string& secret)
      : log_(std::move(*LineLog::Open(log))),
        receipts_(std::move(*ReceiptReader::Create({secret}, {}))),
        certificate_(TestCertificate{}.MakeServer(log + ".pem")),
        plain_(loop_, OnWhole()),
        reset_(loop_, OnWhole()),
        slow_(loop_, OnWhole()),
        tls_(loop_, OnWhole(), certificate_.get()),
        look_(loop_.NewTimer([this] { LookWhetherToStop(); })) {
    RaiseFileLimit();
    plain_.SetOnBegun([this](Connection& c, const std::string& bytes) { return Begun(c, bytes); });
    reset_.ResetOnAccept();
    slow_.ReadSlowly(2000);
    for (WebhookSink* sink : {&plain_, &reset_, &slow_, &tls_}) sink->KeepNoRequests();
    look_->Arm(kLookEvery);
    thread_ = std::thread([this] { loop_.Run(); });
  }

  ~Impl() {
    stopping_ = true;
    thread_.join();
  }

  int port(HostileDoor door) const {
    switch (door) {
      case HostileDoor::kPlain:
      case HostileDoor::kNoTls:
        return plain_.port();
      case HostileDoor::kReset:
        return reset_.port();
      case HostileDoor::kRefuse:
        return refusing_.port();
      case HostileDoor::kFull:
        return full_.port();
      case HostileDoor::kSlow:
        return slow_.port();
      case HostileDoor::kTls:
        return tls_.port();
    }
    return 0;
  }

  int64_t Requests(std::string_view path) const {
    const std::lock_guard lock(mutex_);
    const auto found = requests_.find(std::string(path));
    return found == requests_.end() ? 0 : found->second;
  }

 private:
  static constexpr Millis kLookEvery{20};

  WebhookSink::OnRequest OnWhole() {
    return [this](Connection& c, const std::string& request) { Whole(c, request); };
  }

  // The loop is this thread's: it looks for itself whether it is to end.
  void LookWhetherToStop() {
    if (stopping_) return loop_.Stop();
    look_->Arm(kLookEvery);
  }

  void Count(std::string_view path) {
    const std::lock_guard lock(mutex_);
    ++requests_[std::string(path)];
  }

  bool Begun(Connection& connection, const std::string& bytes) {
    constexpr char kTlsHandshake = 0x16;
    if (bytes.front() == kTlsHandshake) {
      AnswerPlainToTls(connection);
      return true;
    }
    const HostileAct* act = FindHostileAct(PathOf(bytes));
    if (!act || !act->begun) return false;
    Count(act->told.path);
    act->begun(connection);
    return true;
  }

  void Whole(Connection& connection, const std::string& bytes) {
    const HostileAct* act = FindHostileAct(PathOf(bytes));
    if (!act) return connection.Reset();
    Count(act->told.path);
    if (act->told.path == kFlappingPath && DownNow(loop_.clock())) act = FindHostileAct("500");
    Log(bytes, LoggedStatus(act->told));
    act->whole(connection);
  }

  void Log(const std::string& bytes, int status) {
    HttpParser parser({});
    RELAY_CHECK(parser.Feed(bytes) == HttpProgress::kComplete);
    HttpRequest request;
    request.method = parser.method();
    request.path = parser.path();
    request.headers = parser.headers();
    request.body = parser.body();
    const WallTime now = loop_.clock().WallNow();
    receipts_->Read(request, now);
    receipts_->AppendLine(request, status, now, log_.lines());
    RELAY_CHECK(log_.Write().ok());
  }

  SystemLoop loop_;
  LineLog log_;
  const std::unique_ptr<ReceiptReader> receipts_;
  const TlsContextPtr certificate_;
  WebhookSink plain_;
  WebhookSink reset_;
  WebhookSink slow_;
  WebhookSink tls_;
  const RefusingPort refusing_;
  const FullPort full_;
  std::unique_ptr<Timer> look_;
  mutable std::mutex mutex_;
  std::map<std::string, int64_t> requests_;  // By path; guarded by mutex_.
  std::atomic<bool> stopping_{false};
  std::thread thread_;  // Last: all else is there when it begins.
};

HostileReceiver::HostileReceiver(const std::string& log, const std::string& secret)
    : impl_(std::make_unique<Impl>(log, secret)) {}

HostileReceiver::~HostileReceiver() = default;

std::string HostileReceiver::scheme_host(const HostileBehaviour& behaviour) const {
  const HostileDoor door = FindHostileAct(behaviour.path)->door;
  const bool tls = door == HostileDoor::kTls || door == HostileDoor::kNoTls;
  return std::string(tls ? "https" : "http") + "://127.0.0.1";
}

int HostileReceiver::port(const HostileBehaviour& behaviour) const {
  return impl_->port(FindHostileAct(behaviour.path)->door);
}

int64_t HostileReceiver::Requests(std::string_view path) const {
  return impl_->Requests(path);
}

}  // namespace relay
