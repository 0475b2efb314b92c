#include "tests/support/scripted_redis.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/listener.h>

#include <charconv>
#include <optional>

#include "relay/check.h"

namespace relay {

namespace {

// Takes "<mark><number>\r\n" from the front of `rest`.
std::optional<size_t> TakeNumber(std::string_view& rest, char mark) {
  const size_t end = rest.find("\r\n");
  if (end == std::string_view::npos || rest.front() != mark) return std::nullopt;
  size_t number = 0;
  std::from_chars(rest.data() + 1, rest.data() + end, number);
  rest.remove_prefix(end + 2);
  return number;
}

// Takes one whole command from the front of `bytes`; nothing when it is not all there yet.
std::optional<std::vector<std::string>> TakeCommand(std::string& bytes) {
  std::string_view rest = bytes;
  const auto count = TakeNumber(rest, '*');
  if (!count) return std::nullopt;
  std::vector<std::string> args;
  for (size_t i = 0; i < *count; ++i) {
    const auto size = TakeNumber(rest, '$');
    if (!size || rest.size() < *size + 2) return std::nullopt;
    args.emplace_back(rest.substr(0, *size));
    rest.remove_prefix(*size + 2);
  }
  bytes.erase(0, bytes.size() - rest.size());
  return args;
}

}  // namespace

class ScriptedRedis::Peer final : private TransportObserver {
 public:
  Peer(ScriptedRedis& server, int fd)
      : server_(server), transport_(Transport::Accept(server.loop_, fd, *this)) {}

  void Say(const std::string& bytes) {
    evbuffer_add(transport_->output(), bytes.data(), bytes.size());
    transport_->Flush();
  }

 private:
  void OnReadable() override {
    evbuffer* in = transport_->input();
    std::string piece(evbuffer_get_length(in), '\0');
    evbuffer_remove(in, piece.data(), piece.size());
    bytes_ += piece;
    while (auto args = TakeCommand(bytes_)) {
      if (server_.silent_) continue;
      std::string answer = AnswerOpening(*args);
      if (answer.empty()) answer = server_.responder_(*args);
      if (!answer.empty()) Say(answer);
    }
  }
  void OnClosed(const Status&) override { server_.peers_.erase(this); }

  ScriptedRedis& server_;
  std::unique_ptr<Transport> transport_;
  std::string bytes_;
};

ScriptedRedis::ScriptedRedis(SystemLoop& loop, Responder responder)
    : loop_(loop), responder_(std::move(responder)) {
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  listener_ = evconnlistener_new_bind(
      loop.base(),
      [](evconnlistener*, int fd, sockaddr*, int, void* self) {
        auto* server = static_cast<ScriptedRedis*>(self);
        ++server->accepted_;
        auto peer = std::make_unique<Peer>(*server, fd);
        server->peers_.emplace(peer.get(), std::move(peer));
      },
      this, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, /*backlog=*/16,
      reinterpret_cast<sockaddr*>(&where), sizeof(where));
  RELAY_CHECK(listener_);
  socklen_t size = sizeof(where);
  RELAY_CHECK(getsockname(evconnlistener_get_fd(listener_), reinterpret_cast<sockaddr*>(&where),
                          &size) == 0);
  address_.host = "127.0.0.1";
  address_.port = ntohs(where.sin_port);
}

ScriptedRedis::~ScriptedRedis() {
  evconnlistener_free(listener_);
}

std::string ScriptedRedis::AnswerOpening(const std::vector<std::string>& args) {
  static const std::string kInfo = "run_id:scripted\r\n";
  if (args[0] == "CLIENT") return "+OK\r\n";
  if (args[0] == "PING") return "+PONG\r\n";
  if (args[0] == "SCRIPT") return "$2\r\nok\r\n";
  if (args[0] == "INFO") return "$" + std::to_string(kInfo.size()) + "\r\n" + kInfo + "\r\n";
  return "";
}

void ScriptedRedis::Say(const std::string& bytes) {
  for (const auto& [key, peer] : peers_) peer->Say(bytes);
}

void ScriptedRedis::HangUp() {
  peers_.clear();
}

}  // namespace relay
