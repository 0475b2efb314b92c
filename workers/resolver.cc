// How c-ares meets the loop: it says for each of its sockets whether it wants to read or write, and
// how long until it wants to be called to give up on a server; the loop does the rest. c-ares calls
// back from inside ares_getaddrinfo() when it knows an answer at once (/etc/hosts, an error), so
// every answer is handed on at the next turn.

#include "workers/resolver.h"

#include <ares.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <sys/time.h>

#include <algorithm>
#include <cstring>
#include <list>
#include <unordered_map>
#include <utility>

#include "relay/c_handle.h"
#include "relay/check.h"

namespace relay {
namespace {

using EventPtr = std::unique_ptr<event, FreeWith<event_free>>;
using AddressListPtr = std::unique_ptr<ares_addrinfo, FreeWith<ares_freeaddrinfo>>;

// A server that says nothing is given up quickly, so that the next one still has its chance within
// the limit of the whole lookup. c-ares doubles the time for the second try.
constexpr int kTries = 2;
constexpr int kTryTimeoutMs = 800;
constexpr size_t kAddressesMax = 32;  // Of one name; a longer answer is cut after vetting them all.

bool ToIpAddress(const sockaddr* from, IpAddress& address) {
  if (from->sa_family == AF_INET) {
    address = IpAddress::V4(ntohl(reinterpret_cast<const sockaddr_in*>(from)->sin_addr.s_addr));
    return true;
  }
  if (from->sa_family != AF_INET6) return false;
  address = IpAddress();
  address.v6 = true;
  std::memcpy(address.bytes.data(), &reinterpret_cast<const sockaddr_in6*>(from)->sin6_addr,
              address.bytes.size());
  return true;
}

LookupResult Failed(std::string why) {
  LookupResult result;
  result.why = std::move(why);
  return result;
}

// RFC 6761, section 6.3: localhost is the loopback whatever a name server or a hosts file says.
bool IsLocalhost(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost");
}

LookupResult VetLoopback(const AddressGuard& guard) {
  const IpAddress loopback = IpAddress::V4(0x7f000001);
  LookupResult result;
  if (guard.Allows(loopback)) {
    result.kind = LookupResult::Kind::kVetted;
    result.addresses.push_back(loopback);
  } else {
    result.kind = LookupResult::Kind::kBlocked;
    result.why = "has the denied address " + loopback.ToString();
  }
  return result;
}

// Vets every address of an answer. `ttl` becomes the lowest of theirs.
LookupResult Vet(const AddressGuard& guard, const ares_addrinfo* list, Seconds& ttl) {
  LookupResult result;
  for (const ares_addrinfo_node* node = list->nodes; node; node = node->ai_next) {
    IpAddress address;
    if (!ToIpAddress(node->ai_addr, address)) continue;
    if (!guard.Allows(address)) {
      result.kind = LookupResult::Kind::kBlocked;
      result.addresses.clear();
      result.why = "has the denied address " + address.ToString();
      ttl = std::min(ttl, Seconds(node->ai_ttl));
      return result;
    }
    ttl = std::min(ttl, Seconds(node->ai_ttl));
    if (result.addresses.size() < kAddressesMax) result.addresses.push_back(address);
  }
  if (result.addresses.empty()) return Failed("has no address");
  result.kind = LookupResult::Kind::kVetted;
  return result;
}

}  // namespace

struct AresResolver::Impl {
  struct Waiter {
    CallScope::Watch watch;
    Done done;
  };
  // A lookup under way. c-ares holds a pointer to it until it calls back, which it always does.
  struct Lookup {
    Impl* impl;
    std::string host;
    std::vector<Waiter> waiters;
    std::unique_ptr<Timer> deadline;
    bool over = false;  // Its waiters have their answer; only c-ares still refers to it.
  };
  struct Known {
    LookupResult result;
    MonoTime until;
    std::list<std::string>::iterator age;
  };

  Impl(SystemLoop& l, const AddressGuard& g, Limits lim);
  ~Impl();

  static void OnSocketState(void* self, ares_socket_t fd, int readable, int writable);
  static void OnSocketReady(evutil_socket_t fd, short what, void* self) noexcept;
  static void OnAnswer(void* lookup, int status, int timeouts, ares_addrinfo* list) noexcept;

  void WatchSocket(ares_socket_t fd, short events);
  void ScheduleTimeouts();
  void OnTimer();
  void Start(const std::string& host, Waiter waiter);
  void Conclude(Lookup& lookup, int status, const ares_addrinfo* list);
  void Hand(Lookup& lookup, const LookupResult& result);
  void Remember(const std::string& host, const LookupResult& result, Seconds ttl);

  SystemLoop& loop;
  const AddressGuard& guard;
  const LookupResult localhost;
  const Limits limits;
  ares_channel channel = nullptr;
  std::unordered_map<ares_socket_t, EventPtr> sockets;
  std::unique_ptr<Timer> timer;
  std::unordered_map<Lookup*, std::unique_ptr<Lookup>> lookups;  // All that c-ares refers to.
  std::unordered_map<std::string, Lookup*> asking;               // Those that may be joined.
  std::unordered_map<std::string, Known> known;
  std::list<std::string> ages;  // Names in `known`, the one kept longest first.
  CallScope scope;
};

AresResolver::Impl::Impl(SystemLoop& l, const AddressGuard& g, Limits lim)
    : loop(l), guard(g), localhost(VetLoopback(g)), limits(lim) {
  RELAY_CHECK(ares_library_init(ARES_LIB_INIT_ALL) == ARES_SUCCESS);
  ares_options options{};
  options.sock_state_cb = &Impl::OnSocketState;
  options.sock_state_cb_data = this;
  options.timeout = kTryTimeoutMs;
  options.tries = kTries;
  char lookups_order[] = "fb";  // /etc/hosts first, then the name servers.
  options.lookups = lookups_order;
  // No search list: a customer's name means the same whatever domain this host stands in.
  options.ndomains = 0;
  const int given = ARES_OPT_SOCK_STATE_CB | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
                    ARES_OPT_LOOKUPS | ARES_OPT_DOMAINS;
  RELAY_CHECK(ares_init_options(&channel, &options, given) == ARES_SUCCESS);
  timer = loop.NewTimer([this] { OnTimer(); });
}

AresResolver::Impl::~Impl() {
  // Calls each OnAnswer() a last time; nobody is told any more.
  for (auto& [pointer, lookup] : lookups) lookup->waiters.clear();
  ares_destroy(channel);
  sockets.clear();
  ares_library_cleanup();
}

// ---- c-ares on the loop

void AresResolver::Impl::OnSocketState(void* self, ares_socket_t fd, int readable, int writable) {
  static_cast<Impl*>(self)->WatchSocket(
      fd, static_cast<short>((readable ? EV_READ : 0) | (writable ? EV_WRITE : 0)));
}

void AresResolver::Impl::WatchSocket(ares_socket_t fd, short events) {
  if (!events) {
    sockets.erase(fd);
    return;
  }
  EventPtr& watch = sockets[fd];
  watch.reset(event_new(loop.base(), fd, static_cast<short>(events | EV_PERSIST),
                        &Impl::OnSocketReady, this));
  RELAY_CHECK(watch && event_add(watch.get(), nullptr) == 0);
}

void AresResolver::Impl::OnSocketReady(evutil_socket_t fd, short what, void* self) noexcept {
  auto& impl = *static_cast<Impl*>(self);
  ares_process_fd(impl.channel, what & EV_READ ? fd : ARES_SOCKET_BAD,
                  what & EV_WRITE ? fd : ARES_SOCKET_BAD);
  impl.ScheduleTimeouts();
}

void AresResolver::Impl::ScheduleTimeouts() {
  timeval room{};
  const timeval* next = ares_timeout(channel, nullptr, &room);
  if (next) {
    timer->Arm(Seconds(next->tv_sec) + Micros(next->tv_usec));
  } else {
    timer->Cancel();
  }
}

void AresResolver::Impl::OnTimer() {
  ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
  ScheduleTimeouts();
}

// ---- Lookups

void AresResolver::Impl::Start(const std::string& host, Waiter waiter) {
  auto owned = std::make_unique<Lookup>();
  Lookup* lookup = owned.get();
  lookup->impl = this;
  lookup->host = host;
  lookup->waiters.push_back(std::move(waiter));
  lookup->deadline = loop.NewTimer([this, lookup] { Hand(*lookup, Failed("no answer in time")); });
  lookup->deadline->Arm(limits.lookup_timeout);
  lookups.emplace(lookup, std::move(owned));
  asking.emplace(host, lookup);

  ares_addrinfo_hints hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  ares_getaddrinfo(channel, host.c_str(), nullptr, &hints, &Impl::OnAnswer, lookup);
  ScheduleTimeouts();
}

void AresResolver::Impl::OnAnswer(void* lookup, int status, int, ares_addrinfo* list) noexcept {
  const AddressListPtr holder(list);
  auto& answered = *static_cast<Lookup*>(lookup);
  answered.impl->Conclude(answered, status, list);
}

void AresResolver::Impl::Conclude(Lookup& lookup, int status, const ares_addrinfo* list) {
  auto ended = lookups.extract(&lookup);
  RELAY_CHECK(!ended.empty());
  if (status == ARES_EDESTRUCTION) return;
  LookupResult result;
  if (status == ARES_SUCCESS && list) {
    Seconds ttl = limits.ttl_max;
    result = Vet(guard, list, ttl);
    if (result.kind != LookupResult::Kind::kFailed) Remember(lookup.host, result, ttl);
  } else {
    result = Failed(ares_strerror(status));
  }
  if (!lookup.over) Hand(lookup, result);
}

// Tells everyone who asked, at the next turn.
void AresResolver::Impl::Hand(Lookup& lookup, const LookupResult& result) {
  lookup.over = true;
  lookup.deadline->Cancel();
  asking.erase(lookup.host);
  loop.Post([waiters = std::move(lookup.waiters), result, watch = scope.watch()] {
    for (const Waiter& waiter : waiters) {
      if (!watch.gone() && !waiter.watch.gone()) waiter.done(result);
    }
  });
}

void AresResolver::Impl::Remember(const std::string& host, const LookupResult& result,
                                  Seconds ttl) {
  if (const auto old = known.find(host); old != known.end()) {
    ages.erase(old->second.age);
    known.erase(old);
  }
  if (known.size() >= limits.entries_max) {
    known.erase(ages.front());
    ages.pop_front();
  }
  const Seconds kept = std::clamp(ttl, limits.ttl_min, limits.ttl_max);
  ages.push_back(host);
  known.emplace(host, Known{result, loop.clock().Now() + kept, std::prev(ages.end())});
}

// ---- The face

AresResolver::AresResolver(SystemLoop& loop, const AddressGuard& guard, Limits limits)
    : impl_(std::make_unique<Impl>(loop, guard, limits)) {}
AresResolver::AresResolver(SystemLoop& loop, const AddressGuard& guard)
    : AresResolver(loop, guard, Limits()) {}
AresResolver::~AresResolver() = default;

Status AresResolver::UseServers(const std::string& servers) {
  const int code = ares_set_servers_ports_csv(impl_->channel, servers.c_str());
  if (code == ARES_SUCCESS) return Status::Ok();
  return Status::InvalidArgument("name servers \"" + servers + "\": " + ares_strerror(code));
}

const LookupResult* AresResolver::Cached(const std::string& host) {
  if (IsLocalhost(host)) return &impl_->localhost;
  const auto found = impl_->known.find(host);
  if (found == impl_->known.end() || found->second.until <= impl_->loop.clock().Now()) {
    return nullptr;
  }
  return &found->second.result;
}

void AresResolver::Resolve(const std::string& host, const CallScope& scope, Done done) {
  Impl::Waiter waiter{scope.watch(), std::move(done)};
  if (IsLocalhost(host)) {
    impl_->loop.Post([waiter = std::move(waiter), result = impl_->localhost] {
      if (!waiter.watch.gone()) waiter.done(result);
    });
    return;
  }
  if (const auto joined = impl_->asking.find(host); joined != impl_->asking.end()) {
    joined->second->waiters.push_back(std::move(waiter));
    return;
  }
  if (impl_->lookups.size() >= impl_->limits.lookups_max) {
    impl_->loop.Post([waiter = std::move(waiter)] {
      if (!waiter.watch.gone()) waiter.done(Failed("too many lookups at a time"));
    });
    return;
  }
  impl_->Start(host, std::move(waiter));
}

}  // namespace relay
