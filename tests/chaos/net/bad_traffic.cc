#include "tests/chaos/net/bad_traffic.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <string_view>
#include <utility>

#include "relay/check.h"

namespace relay {

namespace {

// Who has no answer by then gets none.
constexpr Seconds kPatience{10};
constexpr size_t kExamplesMax = 10;
constexpr size_t kBytesShown = 300;

// The statuses of all answers, those that only ask for more left out.
std::vector<int> StatusesIn(std::string_view bytes) {
  constexpr std::string_view kMark = "HTTP/1.1 ";
  std::vector<int> statuses;
  for (size_t at = bytes.find(kMark); at != std::string_view::npos;
       at = bytes.find(kMark, at + 1)) {
    int status = 0;
    const char* const digits = bytes.data() + at + kMark.size();
    std::from_chars(digits, bytes.data() + bytes.size(), status);
    if (status >= 200) statuses.push_back(status);
  }
  return statuses;
}

bool IsRefusal(int status) {
  return (status >= 400 && status < 500) || status == 501 || status == 505;
}

// What a person can read of it.
std::string Printable(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes.substr(0, kBytesShown)) {
    const bool plain = byte >= ' ' && byte <= '~';
    text += plain ? byte : byte == '\n' ? '|' : '.';
  }
  return text;
}

}  // namespace

struct BadTraffic::Sender {
  BadRequest request;
  int fd = -1;
  size_t sent = 0;
  bool ended = false;  // Our sending.
  MonoTime began{};
  MonoTime sent_at{};
  std::string answer;
  Micros latency{-1};
};

BadTraffic::BadTraffic(Plan plan) : plan_(plan), maker_(plan.seed) {
  thread_ = std::thread([this] {
    Run();
    done_ = true;
  });
}

BadTraffic::~BadTraffic() {
  if (thread_.joinable()) thread_.join();
}

BadTrafficResult BadTraffic::Await() {
  thread_.join();
  return std::move(result_);
}

void BadTraffic::Run() {
  std::vector<Sender> senders(static_cast<size_t>(plan_.connections));
  std::vector<pollfd> polled(senders.size());
  for (size_t open = 0;;) {
    for (Sender& sender : senders) {
      if (sender.fd < 0 && result_.sent < plan_.count) Begin(sender);
    }
    open = 0;
    for (size_t i = 0; i < senders.size(); ++i) {
      const short wanted = senders[i].ended ? POLLIN : POLLIN | POLLOUT;
      polled[i] = {senders[i].fd, wanted, 0};
      if (senders[i].fd >= 0) ++open;
    }
    if (open == 0) return;
    poll(polled.data(), polled.size(), 1000);
    for (size_t i = 0; i < senders.size(); ++i) {
      Sender& sender = senders[i];
      if (sender.fd < 0) continue;
      if (!sender.ended) SendMore(sender);
      if (ReadMore(sender) && clock_.Now() - sender.began < kPatience) continue;
      Judge(sender);
      close(std::exchange(sender.fd, -1));
    }
  }
}

void BadTraffic::Begin(Sender& sender) {
  sender = Sender();
  sender.request = maker_.Make(clock_.WallNow());
  sender.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  RELAY_CHECK(sender.fd >= 0);
  // With a reset at the end no port is kept in TIME_WAIT: there are not that many.
  const linger at_once{1, 0};
  setsockopt(sender.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(plan_.port));
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  (void)connect(sender.fd, reinterpret_cast<sockaddr*>(&to), sizeof(to));
  sender.began = sender.sent_at = clock_.Now();
  ++result_.sent;
}

void BadTraffic::SendMore(Sender& sender) {
  const std::string_view left = std::string_view(sender.request.bytes).substr(sender.sent);
  const ssize_t taken = send(sender.fd, left.data(), left.size(), MSG_NOSIGNAL);
  if (taken > 0) sender.sent += static_cast<size_t>(taken);
  if (sender.sent < sender.request.bytes.size()) return;
  // What is not whole is now known never to be.
  sender.ended = true;
  sender.sent_at = clock_.Now();
  shutdown(sender.fd, SHUT_WR);
}

bool BadTraffic::ReadMore(Sender& sender) {
  char bytes[4096];
  ssize_t got = 0;
  while ((got = recv(sender.fd, bytes, sizeof(bytes), 0)) > 0) {
    if (sender.answer.empty()) sender.latency = clock_.Now() - sender.sent_at;
    sender.answer.append(bytes, static_cast<size_t>(got));
  }
  return got < 0 && (errno == EAGAIN || errno == ENOTCONN);
}

void BadTraffic::Judge(const Sender& sender) {
  const std::vector<int> statuses = StatusesIn(sender.answer);
  if (statuses.empty()) {
    ++result_.unanswered;
    return Example(sender, "no answer");
  }
  const auto accepted = [](int status) { return status < 400; };
  if (std::any_of(statuses.begin(), statuses.end(), accepted)) {
    ++result_.accepted;
    return Example(sender, "taken");
  }
  const int status = statuses.front();
  const int right = sender.request.status;
  result_.refusal_latency.Record(sender.latency);
  if (right == 0 ? !IsRefusal(status) : status != right) {
    ++result_.surprises;
    return Example(sender, std::to_string(status) + " instead of " +
                               (right == 0 ? "a refusal" : std::to_string(right)));
  }
  ++result_.refused;
}

void BadTraffic::Example(const Sender& sender, const std::string& what) {
  if (result_.examples.size() >= kExamplesMax) return;
  result_.examples.push_back(std::string(sender.request.kind) + ": " + what + ": " +
                             Printable(sender.request.bytes));
}

}  // namespace relay
