#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/http_answer.h"
#include "relay/http_parser.h"
#include "relay/http_server.h"
#include "relay/http_server_listener.h"
#include "relay/transport.h"

namespace relay {

class HttpConnection;

// What the connections of one server share. It belongs to the server and outlives them.
struct HttpServerShared {
  HttpServerShared(SystemLoop& l, HttpLimits bounds, HttpServer::Handler h, OnHttpRefused r)
      : loop(l), limits(bounds), handler(std::move(h)), on_refused(std::move(r)) {}

  SystemLoop& loop;
  const HttpLimits limits;
  HttpServer::Handler handler;
  OnHttpRefused on_refused;

  bool stopping = false;
  int in_flight = 0;
  size_t receiving_bytes = 0;  // See HttpLimits::receiving_bytes_max.
  std::string answer;          // Where answers are composed; kept for its storage.

  // Each connection knows its place, so that it leaves in O(1).
  std::vector<std::unique_ptr<HttpConnection>> connections;
  // Connections by HttpPeer::Network(); kept only when there is a limit for them.
  std::map<HttpPeer, int> by_network;

  void Add(int fd, const HttpPeer& peer);
  void Remove(HttpConnection& connection);
};

// One client: reads a request, hands it out, writes its answer, reads the next. While a request is
// out nothing is parsed; what a pipelining client sends meanwhile stays in the input, which stops
// reading by itself when it holds as much as a head may have. That keeps answers in order and costs
// an ordinary client no system call. Only a large body raises that limit, for itself, and is
// counted.
//
// Deadlines have no timer of their own: arming one would cost more than parsing the request. The
// server looks at all connections about once a second (Sweep), and each says what is overdue.
class HttpConnection final : private TransportObserver, private TurnEndHook {
 public:
  HttpConnection(HttpServerShared& server, int fd, const HttpPeer& peer, size_t place);
  ~HttpConnection() override;

  const HttpPeer& peer() const { return peer_; }
  // May remove the connection from the server's list.
  void Sweep(MonoTime now);
  // Closes unless a request has begun; an answer still on its way out is sent first.
  void CloseIfIdle();

 private:
  friend class HttpExchange;
  friend struct HttpServerShared;

  enum class State {
    kReading,    // a request, or the silence before it
    kHandling,   // an exchange is out
    kLingering,  // the last answer is given; we read on and forget, so that the client can read it
    kClosed,     // on the way to deletion
  };

  void OnReadable() override;
  void OnDrained() override;
  void OnClosed(const Status& why) override;
  void OnTurnEnd() override;

  void ReadRequests();
  // False when no more can be read now.
  bool ReadSome();
  void OnBodyAwaited(bool head_just_ended);
  void Dispatch();
  void OnInputEnded();
  void Answer(const HttpAnswer& answer);
  void Abandon();
  void Refuse(const HttpRefusal& refusal);
  bool BodyTooSlow(MonoTime now);
  void CountReceiving(size_t bytes);
  void Write(std::string_view bytes);
  void EndRequest();
  void BeginLinger();
  void Discard();
  void Close();

  HttpServerShared& server_;
  const HttpPeer peer_;
  size_t place_;  // In HttpServerShared::connections.
  State state_ = State::kReading;
  bool begun_ = false;          // A byte of the present request has come.
  bool peer_finished_ = false;  // The client has ended its sending.
  HttpParser parser_;
  HttpRequest request_;
  HttpExchange* exchange_ = nullptr;  // While kHandling; it tells us when it moves.
  MonoTime deadline_;                 // By state: of the head, of the silence, of the linger.
  MonoTime body_began_;
  size_t receiving_ = 0;       // Our part of HttpServerShared::receiving_bytes.
  size_t discarded_ = 0;       // While lingering.
  bool input_raised_ = false;  // The input's limit is that of a large body.
  std::unique_ptr<Transport> transport_;
};

}  // namespace relay
