#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "relay/c_handle.h"
#include "relay/event_loop.h"
#include "relay/ip_address.h"

struct event;
extern "C" void event_free(event*);

namespace relay {

// A name server on a UDP port of 127.0.0.1 that says what the test wants, on the test's loop. It
// answers questions for A and AAAA.
class FakeNameServer {
 public:
  struct Answer {
    std::vector<std::string> addresses;  // Of both families; each question gets those of its own.
    uint32_t ttl_s = 60;
    bool no_such_name = false;
    bool silent = false;
  };
  // Asked for each question, with the name in lower case.
  using OnQuestion = std::function<Answer(const std::string& name, bool v6)>;

  FakeNameServer(SystemLoop& loop, OnQuestion on_question);
  ~FakeNameServer();
  FakeNameServer(const FakeNameServer&) = delete;

  // "127.0.0.1:<port>"
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  // How often the A record of anything has been asked for.
  int questions() const { return questions_; }

 private:
  void OnReadable();
  std::string Reply(const std::string& query);

  OnQuestion on_question_;
  int fd_;
  int port_ = 0;
  int questions_ = 0;
  std::unique_ptr<event, FreeWith<event_free>> readable_;
};

}  // namespace relay
