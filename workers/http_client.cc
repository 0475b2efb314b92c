// How libcurl's multi interface meets the loop.
//
// libcurl says which sockets to watch and when to be called at the latest; the loop calls back with
// what became ready. Three things are done for speed, because a worker does this for every
// delivery. A request that is started is only noted, and all of a turn's requests are driven by one
// call at the turn's end. A socket stays registered for reading while its connection rests in the
// pool, which saves two epoll_ctl for each request; should it become readable then, the peer has
// closed it or talks out of turn, and it is shut down so that it is not used again. And a libcurl
// handle that served a route is used for that route again, so that the next request sets no more
// than its headers and its body.

#include "workers/http_client.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <list>
#include <unordered_map>
#include <utility>
#include <vector>

#include "relay/c_handle.h"
#include "relay/check.h"
#include "workers/curl_transfer.h"

namespace relay {
namespace {

using EventPtr = std::unique_ptr<event, FreeWith<event_free>>;
using MultiPtr = std::unique_ptr<CURLM, FreeWith<curl_multi_cleanup>>;

short EventsOf(int curl_poll) {
  switch (curl_poll) {
    case CURL_POLL_IN:
      return EV_READ;
    case CURL_POLL_OUT:
      return EV_WRITE;
    case CURL_POLL_INOUT:
      return EV_READ | EV_WRITE;
    default:
      return 0;
  }
}

// Makes a connection at rest, whose peer has closed it or has sent what nobody asked for, look
// closed to libcurl, which would take waiting bytes for the answer to the next request. After the
// shutdown the kernel takes no more, so the reading ends.
void Disown(curl_socket_t fd) {
  shutdown(fd, SHUT_RDWR);
  char discarded[4096];
  while (recv(fd, discarded, sizeof discarded, MSG_DONTWAIT) > 0) {
  }
}

}  // namespace

class CurlHttpClient::Impl final : private TurnEndHook {
 public:
  Impl(SystemLoop& loop, Limits limits);
  ~Impl() override;

  std::unique_ptr<HttpCall> Start(HttpPost post, Done done);

 private:
  class Call;
  // A transfer and its place: in `running_` with the call that waits for it, or in `idle_`.
  struct Handle;
  using Handles = std::list<std::unique_ptr<Handle>>;
  // What the loop watches for a socket, from libcurl's first wish until the socket is closed.
  struct Watch {
    EventPtr event;
    short registered = 0;
    bool in_transfer = false;  // False: its connection rests in the pool.
  };

  static int OnSocketWanted(CURL*, curl_socket_t fd, int what, void* self, void*) noexcept;
  static int OnSocketClosed(void* self, curl_socket_t fd) noexcept;
  static int OnTimerWanted(CURLM*, long timeout_ms, void* self) noexcept;
  static void OnSocketReady(evutil_socket_t fd, short what, void* self) noexcept;

  void WatchSocket(curl_socket_t fd, int what);
  void Register(curl_socket_t fd, Watch& watch, short events);
  void OnTimer();
  void OnTurnEnd() override { Drive(CURL_SOCKET_TIMEOUT, 0); }
  void Drive(curl_socket_t fd, int ready);
  void FinishCompleted();
  void Abort(Handle& handle);

  Handles::iterator TakeHandle(const HttpRoute* route);
  void PutBack(Handle& handle);
  void ForgetIdle(Handle& handle);

  SystemLoop& loop_;
  const Limits limits_;
  // libcurl closes sockets until its very end, so they outlive the multi handle.
  std::unordered_map<curl_socket_t, Watch> watches_;
  MultiPtr multi_;
  std::unique_ptr<Timer> timer_;
  MonoTime timer_due_ = MonoTime::max();  // What the timer is armed for.
  MonoTime curl_due_ = MonoTime::max();   // When libcurl wants to be called.
  Handles running_;
  Handles idle_;  // The longest at rest first.
  std::unordered_map<const HttpRoute*, std::vector<Handle*>> idle_by_route_;
};

struct CurlHttpClient::Impl::Handle final : CurlTransfer {
  Handle(const Limits& limits, Impl* impl) : CurlTransfer(limits, impl, &Impl::OnSocketClosed) {}
  Handles::iterator place;
  Call* call = nullptr;
};

// What the caller holds. It knows its handle until the request is over.
class CurlHttpClient::Impl::Call final : public HttpCall {
 public:
  Call(Impl& impl, Handle& handle) : impl_(impl), handle_(&handle) { handle.call = this; }
  ~Call() override {
    if (handle_) impl_.Abort(*handle_);
  }
  void OnOver() { handle_ = nullptr; }

 private:
  Impl& impl_;
  Handle* handle_;
};

CurlHttpClient::Impl::Impl(SystemLoop& loop, Limits limits)
    : loop_(loop), limits_(std::move(limits)) {
  RELAY_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
  multi_.reset(curl_multi_init());
  RELAY_CHECK(multi_);
  timer_ = loop_.NewTimer([this] { OnTimer(); });
  CURLM* multi = multi_.get();
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Impl::OnSocketWanted);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Impl::OnTimerWanted);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, limits_.connections_kept_max);
}

CurlHttpClient::Impl::~Impl() {
  RELAY_CHECK(running_.empty());
  idle_by_route_.clear();
  idle_.clear();
  multi_.reset();
  curl_global_cleanup();
}

std::unique_ptr<HttpCall> CurlHttpClient::Impl::Start(HttpPost post, Done done) {
  const auto place = TakeHandle(post.route.get());
  Handle& handle = **place;
  handle.Begin(std::move(post), std::move(done));
  // Sets a timeout of zero, which OnTimerWanted() turns into a call at the end of this turn.
  RELAY_CHECK(curl_multi_add_handle(multi_.get(), handle.easy()) == CURLM_OK);
  return std::make_unique<Call>(*this, handle);
}

void CurlHttpClient::Impl::Abort(Handle& handle) {
  // Removing a handle in mid transfer closes its connection.
  curl_multi_remove_handle(multi_.get(), handle.easy());
  handle.Drop();
  PutBack(handle);
}

// ---- Sockets and time

int CurlHttpClient::Impl::OnSocketWanted(CURL*, curl_socket_t fd, int what, void* self,
                                         void*) noexcept {
  static_cast<Impl*>(self)->WatchSocket(fd, what);
  return 0;
}

int CurlHttpClient::Impl::OnSocketClosed(void* self, curl_socket_t fd) noexcept {
  // Unregistered first: the kernel may give the number away the moment it is closed.
  static_cast<Impl*>(self)->watches_.erase(fd);
  return close(fd);
}

void CurlHttpClient::Impl::WatchSocket(curl_socket_t fd, int what) {
  Watch& watch = watches_[fd];
  watch.in_transfer = what != CURL_POLL_REMOVE;
  if (watch.in_transfer) {
    Register(fd, watch, EventsOf(what));
  } else if (watch.registered & EV_WRITE) {
    // A socket at rest is always writable; one at rest that is readable is noticed only once.
    Register(fd, watch, 0);
  }
}

void CurlHttpClient::Impl::Register(curl_socket_t fd, Watch& watch, short events) {
  if (events == watch.registered) return;
  watch.registered = events;
  watch.event.reset();
  if (!events) return;
  watch.event.reset(event_new(loop_.base(), fd, static_cast<short>(events | EV_PERSIST),
                              &Impl::OnSocketReady, this));
  RELAY_CHECK(watch.event && event_add(watch.event.get(), nullptr) == 0);
}

void CurlHttpClient::Impl::OnSocketReady(evutil_socket_t fd, short what, void* self) noexcept {
  auto& impl = *static_cast<Impl*>(self);
  const auto found = impl.watches_.find(fd);
  RELAY_CHECK(found != impl.watches_.end());
  if (!found->second.in_transfer) {
    impl.Register(fd, found->second, 0);
    Disown(fd);
    return;
  }
  int ready = 0;
  if (what & EV_READ) ready |= CURL_CSELECT_IN;
  if (what & EV_WRITE) ready |= CURL_CSELECT_OUT;
  impl.Drive(fd, ready);
}

// Called inside libcurl, so nothing is driven from here.
int CurlHttpClient::Impl::OnTimerWanted(CURLM*, long timeout_ms, void* self) noexcept {
  auto& impl = *static_cast<Impl*>(self);
  if (timeout_ms < 0) {
    impl.curl_due_ = MonoTime::max();
    return 0;
  }
  const MonoTime now = impl.loop_.clock().Now();
  impl.curl_due_ = now + Millis(timeout_ms);
  if (timeout_ms == 0) {
    impl.loop_.AtTurnEnd(impl, Phase::kFlush);
  } else if (!impl.timer_->armed() || impl.timer_due_ > impl.curl_due_) {
    // A timer that is armed for earlier is left alone: nearly every request sets a timeout that is
    // a little later than the one before, and hardly any is ever reached.
    impl.timer_due_ = impl.curl_due_;
    impl.timer_->Arm(Millis(timeout_ms));
  }
  return 0;
}

void CurlHttpClient::Impl::OnTimer() {
  const MonoTime now = loop_.clock().Now();
  if (now < curl_due_) {
    if (curl_due_ == MonoTime::max()) return;
    timer_due_ = curl_due_;
    timer_->Arm(curl_due_ - now);
    return;
  }
  Drive(CURL_SOCKET_TIMEOUT, 0);
}

void CurlHttpClient::Impl::Drive(curl_socket_t fd, int ready) {
  int running = 0;
  RELAY_CHECK(curl_multi_socket_action(multi_.get(), fd, ready, &running) == CURLM_OK);
  FinishCompleted();
}

// A callback may start and abort any request here; libcurl takes the message of an aborted one
// back by itself.
void CurlHttpClient::Impl::FinishCompleted() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg != CURLMSG_DONE) continue;
    CURL* easy = message->easy_handle;
    const CURLcode code = message->data.result;
    Handle& handle = static_cast<Handle&>(CurlTransfer::Of(easy));
    curl_multi_remove_handle(multi_.get(), easy);
    auto [done, reply] = handle.End(code);
    handle.call->OnOver();
    PutBack(handle);
    done(std::move(reply));
  }
}

// ---- Handles

CurlHttpClient::Impl::Handles::iterator CurlHttpClient::Impl::TakeHandle(const HttpRoute* route) {
  if (const auto of_route = idle_by_route_.find(route); of_route != idle_by_route_.end()) {
    Handle& handle = *of_route->second.back();
    ForgetIdle(handle);
    running_.splice(running_.end(), idle_, handle.place);
    return handle.place;
  }
  running_.push_back(std::make_unique<Handle>(limits_, this));
  Handle& handle = *running_.back();
  handle.place = std::prev(running_.end());
  return handle.place;
}

void CurlHttpClient::Impl::PutBack(Handle& handle) {
  handle.call = nullptr;
  idle_.splice(idle_.end(), running_, handle.place);
  idle_by_route_[handle.route()].push_back(&handle);
  if (idle_.size() > limits_.handles_kept_max) {
    Handle& oldest = *idle_.front();
    ForgetIdle(oldest);
    idle_.erase(oldest.place);
  }
}

void CurlHttpClient::Impl::ForgetIdle(Handle& handle) {
  const auto of_route = idle_by_route_.find(handle.route());
  RELAY_CHECK(of_route != idle_by_route_.end());
  // Looked for from the end, where the one that is used next stands.
  auto& handles = of_route->second;
  const auto place = std::find(handles.rbegin(), handles.rend(), &handle);
  RELAY_CHECK(place != handles.rend());
  handles.erase(std::prev(place.base()));
  if (handles.empty()) idle_by_route_.erase(of_route);
}

// ---- The face

CurlHttpClient::CurlHttpClient(SystemLoop& loop, Limits limits)
    : impl_(std::make_unique<Impl>(loop, std::move(limits))) {}
CurlHttpClient::~CurlHttpClient() = default;

std::unique_ptr<HttpCall> CurlHttpClient::Post(HttpPost post, Done done) {
  return impl_->Start(std::move(post), std::move(done));
}

}  // namespace relay
