// A yardstick for deliveries: what libcurl does when nothing is read from a store, nothing is
// signed and nothing is written down. The relay's worker delivers by the same libcurl, so its rate
// can come near this one and not beyond.
//
//   curl_poster --to URL [--to URL ...] --count N [--body FILE | --body-bytes 400]
//               [--in-flight 100] [--ca FILE]
//
// Posts N bodies to each URL, with at most so many under way for each, then prints one line and
// ends with 0:
//   {"requests":600000,"failures":0,"connections":300,"seconds":18.2,"per_s":32967.0}
// An answer that is not 2xx, or none at all, is a failure; it is counted, and the next one goes
// out. `connections` is how many were opened, so it tells whether keep-alive worked; opening them
// is part of the time. Exit 2: usage; 6: the file cannot be read. It listens to nobody, so it says
// no "ready"; SIGTERM ends it without a line.
//
// As fast as we could make it. Easy handles, header lists and connections are made once and used
// again. libcurl is driven by curl_multi_socket_action on epoll; curl_multi_perform and
// curl_multi_poll cost as much of a core, but answer in bursts that leave the receivers idle
// meanwhile, and come to a fifth less. A turn's new requests go out by one call. A socket stays
// registered between two requests of its connection, which saves two epoll_ctl for each. Every
// request carries a deadline, as deliveries must, and as many headers of the same sizes as a
// delivery of the relay's (webhook-..., relay-..., traceparent), with values that never change.

#include <curl/curl.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include "relay/c_handle.h"
#include "relay/check.h"
#include "relay/exit_code.h"

namespace relay {
namespace {

using SteadyClock = std::chrono::steady_clock;
using MultiPtr = std::unique_ptr<CURLM, FreeWith<curl_multi_cleanup>>;
using EasyPtr = std::unique_ptr<CURL, FreeWith<curl_easy_cleanup>>;
using HeadersPtr = std::unique_ptr<curl_slist, FreeWith<curl_slist_free_all>>;

constexpr long kTimeoutMs = 15'000;
constexpr long kReadBufferBytes = 4096;  // As the worker has it: answers are small.
constexpr int kEventsMax = 512;

struct Options {
  std::vector<std::string> to;
  int64_t count = 0;  // For each URL.
  std::string body_file;
  int64_t body_bytes = 400;
  int in_flight = 100;  // For each URL.
  std::string ca;
};

struct Tally {
  int64_t requests = 0;
  int64_t failures = 0;
  int64_t connections = 0;
};

template <typename T>
void Set(CURL* easy, CURLoption option, T value) {
  RELAY_CHECK(curl_easy_setopt(easy, option, value) == CURLE_OK);
}

size_t Discard(char*, size_t size, size_t count, void*) noexcept {
  return size * count;
}

// The headers of a delivery's first attempt, plus one name without a value, which keeps libcurl's
// "Expect: 100-continue" out.
HeadersPtr DeliveryHeaders() {
  curl_slist* list = nullptr;
  for (const char* line : {
           "webhook-id: 4f92fa3fb046726a29eab1d6120c426d",
           "webhook-timestamp: 1700000000",
           "webhook-signature: v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
           "relay-attempt: 1",
           "relay-sequence: 1700000000000-0",
           "relay-hops: 1",
           "traceparent: 00-4f92fa3fb046726a29eab1d6120c426d-00f067aa0ba902b7-00",
           "content-type: application/json",
           "user-agent: callback-relay/" RELAY_VERSION,
           "relay-endpoint: acme/sink-0",
           "Expect:",
       }) {
    list = curl_slist_append(list, line);
    RELAY_CHECK(list);
  }
  return HeadersPtr(list);
}

class Poster {
 public:
  Poster(const Options& options, std::string body);
  ~Poster();

  // Posts everything. Returns when the last answer is there.
  Tally Run();

 private:
  // What is left to be posted to one URL.
  struct Target {
    int64_t left;
  };

  EasyPtr NewEasy(const std::string& url, Target* target);
  void Start(CURL* easy, Target& target);
  void FinishCompleted();
  int WaitMs() const;
  void Watch(curl_socket_t fd, uint32_t events);

  static int OnSocketWanted(CURL*, curl_socket_t fd, int what, void* self, void*) noexcept;
  static int OnSocketClosed(void* self, curl_socket_t fd) noexcept;
  static int OnTimerWanted(CURLM*, long timeout_ms, void* self) noexcept;

  const Options& options_;
  const std::string body_;
  const HeadersPtr headers_;
  const int epoll_;
  std::vector<uint32_t> watched_;  // By socket: what epoll has been told; 0 for nothing.
  std::vector<bool> resting_;      // By socket: its connection waits in the pool.
  MultiPtr multi_;
  SteadyClock::time_point due_ = SteadyClock::time_point::max();  // When libcurl wants a call.
  std::vector<std::unique_ptr<Target>> targets_;
  std::vector<EasyPtr> easies_;
  int64_t running_ = 0;
  Tally tally_;
};

Poster::Poster(const Options& options, std::string body)
    : options_(options),
      body_(std::move(body)),
      headers_(DeliveryHeaders()),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      multi_(curl_multi_init()) {
  RELAY_CHECK(epoll_ >= 0 && multi_);
  CURLM* multi = multi_.get();
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Poster::OnSocketWanted);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Poster::OnTimerWanted);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, static_cast<long>(CURLPIPE_NOTHING));
  const size_t connections_max = options.to.size() * static_cast<size_t>(options.in_flight);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, static_cast<long>(connections_max));
  for (const std::string& url : options.to) {
    targets_.push_back(std::make_unique<Target>(Target{options.count}));
    for (int i = 0; i < options.in_flight; ++i) {
      easies_.push_back(NewEasy(url, targets_.back().get()));
    }
  }
}

Poster::~Poster() {
  easies_.clear();
  multi_.reset();
  close(epoll_);
}

EasyPtr Poster::NewEasy(const std::string& url, Target* target) {
  EasyPtr owned(curl_easy_init());
  CURL* easy = owned.get();
  RELAY_CHECK(easy);
  Set(easy, CURLOPT_PRIVATE, target);
  Set(easy, CURLOPT_URL, url.c_str());
  Set(easy, CURLOPT_PROXY, "");
  Set(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  Set(easy, CURLOPT_NOSIGNAL, 1L);
  Set(easy, CURLOPT_TCP_NODELAY, 1L);
  Set(easy, CURLOPT_BUFFERSIZE, kReadBufferBytes);
  Set(easy, CURLOPT_TIMEOUT_MS, kTimeoutMs);
  // Debian's libcurl has a folder of authorities by default, and would read the file anew for each
  // connection.
  Set(easy, CURLOPT_CAPATH, static_cast<const char*>(nullptr));
  if (!options_.ca.empty()) Set(easy, CURLOPT_CAINFO, options_.ca.c_str());
  Set(easy, CURLOPT_POST, 1L);
  Set(easy, CURLOPT_HTTPHEADER, headers_.get());
  Set(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_.size()));
  Set(easy, CURLOPT_POSTFIELDS, body_.data());
  Set(easy, CURLOPT_WRITEFUNCTION, &Discard);
  Set(easy, CURLOPT_CLOSESOCKETFUNCTION, &Poster::OnSocketClosed);
  Set(easy, CURLOPT_CLOSESOCKETDATA, this);
  return owned;
}

Tally Poster::Run() {
  for (const EasyPtr& easy : easies_) {
    char* target = nullptr;
    curl_easy_getinfo(easy.get(), CURLINFO_PRIVATE, &target);
    Start(easy.get(), *reinterpret_cast<Target*>(target));
  }
  epoll_event events[kEventsMax];
  int running = 0;
  while (running_ > 0) {
    if (due_ <= SteadyClock::now()) {
      due_ = SteadyClock::time_point::max();
      curl_multi_socket_action(multi_.get(), CURL_SOCKET_TIMEOUT, 0, &running);
      FinishCompleted();
      if (running_ == 0) break;
    }
    const int ready = epoll_wait(epoll_, events, kEventsMax, WaitMs());
    for (int i = 0; i < ready; ++i) {
      const curl_socket_t fd = events[i].data.fd;
      if (resting_[static_cast<size_t>(fd)]) {
        // Closed by its peer. libcurl notices when it next wants the connection.
        Watch(fd, 0);
        continue;
      }
      int what = 0;
      if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR)) what |= CURL_CSELECT_IN;
      if (events[i].events & EPOLLOUT) what |= CURL_CSELECT_OUT;
      curl_multi_socket_action(multi_.get(), fd, what, &running);
    }
    FinishCompleted();
  }
  return tally_;
}

void Poster::Start(CURL* easy, Target& target) {
  if (target.left == 0) return;
  --target.left;
  ++running_;
  RELAY_CHECK(curl_multi_add_handle(multi_.get(), easy) == CURLM_OK);
}

void Poster::FinishCompleted() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    CURL* easy = message->easy_handle;
    const CURLcode code = message->data.result;
    long status = 0;
    long connects = 0;
    char* target = nullptr;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, &target);
    curl_multi_remove_handle(multi_.get(), easy);
    --running_;
    ++tally_.requests;
    tally_.connections += connects;
    if (code != CURLE_OK || status < 200 || status > 299) ++tally_.failures;
    Start(easy, *reinterpret_cast<Target*>(target));
  }
}

// ---- Sockets and time

int Poster::WaitMs() const {
  if (due_ == SteadyClock::time_point::max()) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(due_ - SteadyClock::now());
  return static_cast<int>(std::max<int64_t>(left.count(), 0));
}

void Poster::Watch(curl_socket_t fd, uint32_t events) {
  uint32_t& watched = watched_[static_cast<size_t>(fd)];
  if (watched == events) return;
  epoll_event wish{};
  wish.events = events;
  wish.data.fd = fd;
  const int verb = events == 0 ? EPOLL_CTL_DEL : watched == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;
  RELAY_CHECK(epoll_ctl(epoll_, verb, fd, &wish) == 0);
  watched = events;
}

int Poster::OnSocketWanted(CURL*, curl_socket_t fd, int what, void* self, void*) noexcept {
  auto& poster = *static_cast<Poster*>(self);
  const auto index = static_cast<size_t>(fd);
  if (index >= poster.watched_.size()) {
    poster.watched_.resize(index + 1);
    poster.resting_.resize(index + 1);
  }
  poster.resting_[index] = what == CURL_POLL_REMOVE;
  if (what == CURL_POLL_REMOVE) {
    // Left as it is, for the next request; but a socket at rest is always writable.
    if (poster.watched_[index] & EPOLLOUT) poster.Watch(fd, EPOLLIN);
    return 0;
  }
  uint32_t events = 0;
  if (what & CURL_POLL_IN) events |= EPOLLIN;
  if (what & CURL_POLL_OUT) events |= EPOLLOUT;
  poster.Watch(fd, events);
  return 0;
}

int Poster::OnSocketClosed(void* self, curl_socket_t fd) noexcept {
  auto& poster = *static_cast<Poster*>(self);
  // epoll forgets what is closed.
  if (static_cast<size_t>(fd) < poster.watched_.size())
    poster.watched_[static_cast<size_t>(fd)] = 0;
  return close(fd);
}

int Poster::OnTimerWanted(CURLM*, long timeout_ms, void* self) noexcept {
  auto& poster = *static_cast<Poster*>(self);
  poster.due_ = timeout_ms < 0 ? SteadyClock::time_point::max()
                               : SteadyClock::now() + std::chrono::milliseconds(timeout_ms);
  return 0;
}

// ---- The program

std::string PaddedBody(int64_t bytes) {
  std::string body = "{\"pad\":\"";
  const int64_t padding = bytes - static_cast<int64_t>(body.size()) - 2;
  body.append(static_cast<size_t>(std::max<int64_t>(padding, 0)), 'x');
  return body + "\"}";
}

int PostAll(const Options& options) {
  std::string body = PaddedBody(options.body_bytes);
  if (!options.body_file.empty()) {
    std::ifstream file(options.body_file, std::ios::binary);
    body.assign(std::istreambuf_iterator<char>(file), {});
    if (!file) {
      std::fprintf(stderr, "cannot read %s\n", options.body_file.c_str());
      return kExitPortOrFolder;
    }
  }
  RELAY_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
  Tally tally;
  const auto begin = SteadyClock::now();
  {
    Poster poster(options, std::move(body));
    tally = poster.Run();
  }
  const double seconds = std::chrono::duration<double>(SteadyClock::now() - begin).count();
  std::printf(
      "{\"requests\":%lld,\"failures\":%lld,\"connections\":%lld,\"seconds\":%.6f,\"per_s\":%.1f}"
      "\n",
      static_cast<long long>(tally.requests), static_cast<long long>(tally.failures),
      static_cast<long long>(tally.connections), seconds,
      static_cast<double>(tally.requests) / seconds);
  return kExitOk;
}

}  // namespace
}  // namespace relay

int main(int argc, char** argv) {
  CLI::App app("Posts bodies to URLs as fast as libcurl can");
  relay::Options options;
  app.add_option("--to", options.to, "URL; may be given several times")->required();
  app.add_option("--count", options.count, "Requests to each URL")
      ->required()
      ->check(CLI::PositiveNumber);
  app.add_option("--body", options.body_file, "File that is posted");
  app.add_option("--body-bytes", options.body_bytes, "Or how long a made-up body is")
      ->check(CLI::Range(0, 16 * 1024 * 1024))
      ->capture_default_str();
  app.add_option("--in-flight", options.in_flight, "Requests under way to each URL, at most")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  app.add_option("--ca", options.ca, "File of authorities for https");
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? relay::kExitOk : relay::kExitUsage;
  }
  return relay::PostAll(options);
}
