#include "tests/chaos/net/fault_proxy.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "relay/check.h"

namespace relay {

namespace {

constexpr int kBacklog = 512;
// In what is watched: the two descriptors of ours, and then those of the links.
constexpr size_t kWake = 0;
constexpr size_t kListener = 1;
constexpr size_t kFirstLink = 2;

int NewSocket(const sockaddr_storage& address) {
  return socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
}

void SendAtOnce(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

Result<int> ListenOn(const SocketAddress& address) {
  sockaddr_storage at{};
  const socklen_t size = address.ToSockaddr(&at);
  const int fd = NewSocket(at);
  RELAY_CHECK(fd >= 0);
  if (bind(fd, reinterpret_cast<sockaddr*>(&at), size) == 0 && listen(fd, kBacklog) == 0) return fd;
  const std::string why = std::strerror(errno);
  close(fd);
  return Status::Unavailable("cannot listen on " + address.ToString() + ": " + why);
}

int PortOf(int listener) {
  sockaddr_in at{};
  socklen_t size = sizeof(at);
  RELAY_CHECK(getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size) == 0);
  return ntohs(at.sin_port);
}

// Not negative: connected, or about to be; the socket itself will tell if it fails.
int ConnectTo(const SocketAddress& address) {
  sockaddr_storage to{};
  const socklen_t size = address.ToSockaddr(&to);
  const int fd = NewSocket(to);
  if (fd < 0) return -1;
  if (connect(fd, reinterpret_cast<sockaddr*>(&to), size) == 0 || errno == EINPROGRESS) {
    SendAtOnce(fd);
    return fd;
  }
  close(fd);
  return -1;
}

}  // namespace

Result<std::unique_ptr<FaultProxy>> FaultProxy::Start(Options options) {
  const Result<int> listener = ListenOn(options.listen);
  if (!listener.ok()) return listener.status();
  const int wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  RELAY_CHECK(wake >= 0);
  return std::unique_ptr<FaultProxy>(new FaultProxy(std::move(options), *listener, wake));
}

FaultProxy::FaultProxy(Options options, int listener, int wake)
    : host_(options.listen.host),
      redis_(options.redis),
      listener_(listener),
      wake_(wake),
      port_(PortOf(listener)),
      upstream_(std::move(options.upstream)),
      random_(options.seed),
      thread_([this] { Run(); }) {}

FaultProxy::~FaultProxy() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  Wake();
  thread_.join();
  close(listener_);
  close(wake_);
}

std::string FaultProxy::address() const {
  return host_ + ":" + std::to_string(port_);
}

// ---- What the scenario says

void FaultProxy::Wake() {
  const uint64_t one = 1;
  RELAY_CHECK(write(wake_, &one, sizeof(one)) == sizeof(one));
}

void FaultProxy::SetUpstream(SocketAddress upstream) {
  const std::lock_guard lock(mutex_);
  upstream_ = std::move(upstream);
}

void FaultProxy::Set(Way way, Flow flow) {
  const std::lock_guard lock(mutex_);
  (way == Way::kUp ? rules_.up : rules_.down) = flow;
  Wake();
}

void FaultProxy::Hold() {
  Set(Way::kUp, {.held = true});
  Set(Way::kDown, {.held = true});
}

void FaultProxy::Refuse() {
  const std::lock_guard lock(mutex_);
  refuse_ = true;
}

void FaultProxy::CutAll() {
  const std::lock_guard lock(mutex_);
  for (const auto& link : links_) link->Reset();
  Wake();
}

void FaultProxy::CutWithin(Way way, int64_t most) {
  const std::lock_guard lock(mutex_);
  for (const auto& link : links_) {
    ProxyPipe& pipe = way == Way::kUp ? link->up() : link->down();
    pipe.CutAfter(1 + static_cast<int64_t>(random_.Below(static_cast<uint64_t>(most))));
  }
}

void FaultProxy::Garble(double share) {
  RELAY_CHECK(redis_);
  const std::lock_guard lock(mutex_);
  rules_.garbled_share = share;
}

void FaultProxy::Heal() {
  const std::lock_guard lock(mutex_);
  rules_ = ProxyRules();
  refuse_ = false;
  for (const auto& link : links_) {
    link->up().SpareIt();
    link->down().SpareIt();
  }
  Wake();
}

ProxyCounts FaultProxy::counts() {
  const std::lock_guard lock(mutex_);
  counts_.open = static_cast<int64_t>(links_.size());
  return counts_;
}

// ---- The thread

void FaultProxy::Run() {
  std::vector<pollfd> watched;
  do {
    const int patience_ms = Watch(watched);
    poll(watched.data(), watched.size(), patience_ms);
  } while (Serve(watched));
}

int FaultProxy::Watch(std::vector<pollfd>& watched) {
  const std::lock_guard lock(mutex_);
  watched.assign({{wake_, POLLIN, 0}, {listener_, POLLIN, 0}});
  MonoTime next = MonoTime::max();
  for (const auto& link : links_) {
    link->Watch(watched);
    next = std::min(next, link->next(rules_));
  }
  if (next == MonoTime::max()) return -1;
  const auto wait = std::chrono::ceil<Millis>(next - clock_.Now());
  return static_cast<int>(std::max<int64_t>(0, wait.count()));
}

bool FaultProxy::Serve(const std::vector<pollfd>& watched) {
  const std::lock_guard lock(mutex_);
  uint64_t woken = 0;
  if (watched[kWake].revents && read(wake_, &woken, sizeof(woken)) < 0)
    RELAY_CHECK(errno == EAGAIN);
  if (stop_) return false;
  const MonoTime now = clock_.Now();
  const pollfd* at = watched.data() + kFirstLink;
  std::erase_if(links_, [&](const std::unique_ptr<ProxyLink>& link) {
    const bool lives = link->Serve(at, rules_, now, counts_);
    at += ProxyLink::kSockets;
    return !lives;
  });
  if (watched[kListener].revents) AcceptAll();
  return true;
}

void FaultProxy::AcceptAll() {
  while (true) {
    const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (client < 0) return;
    ++counts_.accepted;
    if (!refuse_) {
      Connect(client);
    } else {
      ++counts_.refused;
      CloseWithReset(client);
    }
  }
}

void FaultProxy::Connect(int client) {
  const int upstream = ConnectTo(upstream_);
  if (upstream < 0) return CloseWithReset(client);
  SendAtOnce(client);
  links_.push_back(std::make_unique<ProxyLink>(client, upstream, random_, redis_));
}

}  // namespace relay
