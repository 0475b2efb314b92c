#include "tests/chaos/net/slow_clients.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <string_view>

#include "relay/check.h"

namespace relay {

namespace {

constexpr int kTurnMs = 20;
// The first coming of all is spread over this, or they would come and go as one burst for ever.
constexpr Millis kComing{2000};
constexpr std::string_view kWholeGet = "GET /nothing HTTP/1.1\r\nHost: slow\r\n\r\n";

struct SlowKind {
  std::string_view name;
  SlowDeadline deadline;
  std::string_view opening;  // Sent at once.
  std::string_view drip;     // Then this again and again, a byte at a time.
  bool pipelines = false;    // Then whole requests, as many as the kernel takes.
};

// None of them ever reads.
constexpr SlowKind kSlowKinds[] = {
    {"says nothing", SlowDeadline::kIdle, "", ""},
    {"head, byte by byte", SlowDeadline::kHead, "P", "OST"},
    {"headers, byte by byte", SlowDeadline::kHead, "POST /in/demo HTTP/1.1\r\nHost: slow\r\n",
     "X-Slow: and so on\r\n"},
    {"half a head", SlowDeadline::kHead, "POST /in/demo HTTP/1.1\r\nHost: sl", ""},
    {"body, byte by byte", SlowDeadline::kBody,
     "POST /in/demo HTTP/1.1\r\nHost: slow\r\nContent-Length: 100000\r\n\r\n", "x"},
    {"chunks, byte by byte", SlowDeadline::kBody,
     "POST /in/demo HTTP/1.1\r\nHost: slow\r\nTransfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n"},
    {"no body after 100 Continue", SlowDeadline::kBody,
     "POST /in/demo HTTP/1.1\r\nHost: slow\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n",
     ""},
    {"idle after a request", SlowDeadline::kIdle, kWholeGet, ""},
    {"pipelines and reads nothing", SlowDeadline::kIdle, kWholeGet, "", true},
};

}  // namespace

struct SlowClients::Client {
  const SlowKind* kind;
  size_t place;  // Of its kind.
  int fd = -1;
  MonoTime comes{};
  MonoTime since{};
  MonoTime next_byte{};
  size_t dripped = 0;
};

SlowClients::SlowClients(Plan plan) : plan_(plan) {
  for (const SlowKind& kind : kSlowKinds) {
    const int count = kind.pipelines ? plan_.pipelining : plan_.of_each_kind;
    for (int i = 0; i < count; ++i) clients_.push_back({&kind, lives_.size()});
    lives_.push_back({std::string(kind.name), kind.deadline});
  }
  const MonoTime now = clock_.Now();
  for (size_t i = 0; i < clients_.size(); ++i) {
    clients_[i].comes =
        now + kComing * static_cast<int64_t>(i) / static_cast<int64_t>(clients_.size());
  }
  thread_ = std::thread([this] { Run(); });
}

SlowClients::~SlowClients() {
  if (thread_.joinable()) Stop();
}

int SlowClients::count() const {
  return static_cast<int>(clients_.size());
}

std::vector<SlowLives> SlowClients::Stop() {
  stopping_ = true;
  thread_.join();
  for (Client& client : clients_) {
    if (client.fd < 0) continue;
    SlowLives& lives = lives_[client.place];
    lives.longest = std::max(lives.longest, std::chrono::ceil<Millis>(clock_.Now() - client.since));
    close(client.fd);
  }
  return lives_;
}

void SlowClients::Run() {
  std::vector<pollfd> polled(clients_.size());
  while (!stopping_) {
    for (size_t i = 0; i < clients_.size(); ++i) {
      if (clients_[i].fd < 0 && clock_.Now() >= clients_[i].comes) Connect(clients_[i]);
      // Not for what there is to read, but for the end, which is seen behind it.
      polled[i] = {clients_[i].fd, POLLRDHUP, 0};
    }
    poll(polled.data(), polled.size(), kTurnMs);
    for (size_t i = 0; i < clients_.size(); ++i) {
      if (polled[i].revents != 0) {
        OnEnded(clients_[i]);
      } else {
        Turn(clients_[i]);
      }
    }
  }
}

void SlowClients::Connect(Client& client) {
  client.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (client.fd < 0) return;
  // Unread answers then soon fill what the kernel has for them: this is no flood.
  const int buffer = 4096;
  if (client.kind->pipelines) setsockopt(client.fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof(buffer));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(plan_.port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  client.since = clock_.Now();
  // Over loopback it stands at once, or is refused.
  (void)connect(client.fd, reinterpret_cast<sockaddr*>(&to), sizeof(to));
  const std::string_view opening = client.kind->opening;
  (void)send(client.fd, opening.data(), opening.size(), MSG_NOSIGNAL);
  client.next_byte = client.since + plan_.drip;
  client.dripped = 0;
}

void SlowClients::Turn(Client& client) {
  if (client.fd < 0) return;
  const SlowKind& kind = *client.kind;
  if (kind.pipelines) {
    // What is cut off in the middle makes a bad request of the next one, which is as good here.
    while (send(client.fd, kWholeGet.data(), kWholeGet.size(), MSG_NOSIGNAL) > 0) {
      client.since = clock_.Now();
    }
    return;
  }
  if (kind.drip.empty() || clock_.Now() < client.next_byte) return;
  const char byte = kind.drip[client.dripped++ % kind.drip.size()];
  (void)send(client.fd, &byte, 1, MSG_NOSIGNAL);
  client.next_byte += plan_.drip;
}

void SlowClients::OnEnded(Client& client) {
  SlowLives& lives = lives_[client.place];
  ++lives.ended;
  lives.longest = std::max(lives.longest, std::chrono::ceil<Millis>(clock_.Now() - client.since));
  close(client.fd);
  client.fd = -1;
}

}  // namespace relay
