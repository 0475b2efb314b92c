#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "relay/event_loop.h"
#include "relay/transport.h"

struct evconnlistener;

namespace relay {

// A loopback server that understands commands as Redis does and answers them as a test says, byte
// for byte: late, in pieces, with garbage, or not at all. It runs on the test's own loop.
class ScriptedRedis {
 public:
  // The bytes to send for a command; empty: none.
  using Responder = std::function<std::string(const std::vector<std::string>& args)>;

  // Listens on a free port of 127.0.0.1. `responder` answers what AnswerOpening() does not.
  ScriptedRedis(SystemLoop& loop, Responder responder);
  ~ScriptedRedis();

  // What a healthy server answers to the opening commands of RedisConnection; empty for others.
  static std::string AnswerOpening(const std::vector<std::string>& args);

  SocketAddress address() const { return address_; }
  int accepted() const { return accepted_; }
  int open() const { return static_cast<int>(peers_.size()); }
  // Sends bytes to every open connection, unasked.
  void Say(const std::string& bytes);
  // Closes every open connection.
  void HangUp();
  // While set, the server accepts and reads, and says nothing at all.
  void set_silent(bool silent) { silent_ = silent; }

 private:
  class Peer;

  SystemLoop& loop_;
  Responder responder_;
  SocketAddress address_;
  evconnlistener* listener_ = nullptr;
  int accepted_ = 0;
  bool silent_ = false;
  std::map<Peer*, std::unique_ptr<Peer>> peers_;
};

}  // namespace relay
