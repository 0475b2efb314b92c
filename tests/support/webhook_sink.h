#pragma once

#include <functional>
#include <list>
#include <memory>
#include <string>
#include <vector>

#include "relay/event_loop.h"

struct bufferevent;
struct ev_token_bucket_cfg;
struct evconnlistener;
struct ssl_ctx_st;

namespace relay {

// A real endpoint on 127.0.0.1 that does to a client what a test asks for, byte by byte: it
// answers, stalls, drips, floods, resets. It lives on the test's loop and takes requests with a
// Content-Length only.
class WebhookSink {
 public:
  class Connection;
  // Called for each whole request. Doing nothing stalls the client.
  using OnRequest = std::function<void(Connection& connection, const std::string& request)>;

  // With `tls`, borrowed, it speaks TLS.
  WebhookSink(SystemLoop& loop, OnRequest on_request, ssl_ctx_st* tls = nullptr);
  ~WebhookSink();
  WebhookSink(const WebhookSink&) = delete;

  int port() const { return port_; }
  // "http://127.0.0.1:<port>/hook", or https.
  std::string url() const;
  // What OnRequest does from now on.
  void SetOnRequest(OnRequest on_request) { on_request_ = std::move(on_request); }
  // Asked for each request with what has come of it, until it is whole: true when the connection's
  // requests are not to be waited for, because something else has been done with it.
  using OnBegun = std::function<bool(Connection& connection, const std::string& bytes)>;
  void SetOnBegun(OnBegun on_begun) { on_begun_ = std::move(on_begun); }
  // Keeps no copies of requests, for long runs.
  void KeepNoRequests() { keeps_requests_ = false; }
  // Takes no more than so many bytes a second out of each connection.
  void ReadSlowly(size_t bytes_a_second);
  // Resets each connection the moment it is there.
  void ResetOnAccept() { reset_on_accept_ = true; }

  int accepted() const { return accepted_; }
  int open_connections() const { return static_cast<int>(connections_.size()); }
  const std::vector<std::string>& requests() const { return requests_; }

  class Connection {
   public:
    // Sends these bytes as they are.
    void Send(const std::string& bytes);
    // A whole answer with a Content-Length.
    void Answer(int status, const std::string& body = "", const std::string& headers = "");
    // Sends `bytes` again and again, for as long as somebody reads.
    void Flood(const std::string& bytes);
    // Sends `bytes` one at a time, each `every`.
    void Drip(const std::string& bytes, Millis every);
    // Closes after what was sent has gone out.
    void Close();
    // Cuts it off with a TCP reset.
    void Reset();
    void ResetAfter(Millis pause);
    // Leaves in the kernel what comes from now on.
    void StopReading();

   private:
    friend class WebhookSink;
    explicit Connection(WebhookSink& sink) : sink_(sink) {}
    void OnBytes();
    void OnDrained();
    void DripOne();
    bool TakenBefore(const char* bytes, size_t size);

    WebhookSink& sink_;
    bufferevent* events_ = nullptr;
    size_t request_length_ = 0;  // Of the one that is coming in; 0 while unknown.
    std::string flood_;
    std::string drip_;
    Millis drip_every_{0};
    std::unique_ptr<Timer> drip_timer_;
    std::unique_ptr<Timer> reset_timer_;
    bool closing_ = false;
    bool taken_ = false;  // By OnBegun.
  };

 private:
  void OnAccept(int fd);
  void Remove(Connection* connection);

  SystemLoop& loop_;
  OnRequest on_request_;
  OnBegun on_begun_;
  ssl_ctx_st* tls_;
  evconnlistener* listener_ = nullptr;
  ev_token_bucket_cfg* slowness_ = nullptr;
  int port_ = 0;
  bool reset_on_accept_ = false;
  int accepted_ = 0;
  bool keeps_requests_ = true;
  std::vector<std::string> requests_;
  std::list<std::unique_ptr<Connection>> connections_;
};

// A port of 127.0.0.1 that is taken and refuses connections for as long as this stands.
class RefusingPort {
 public:
  RefusingPort();
  ~RefusingPort();
  RefusingPort(const RefusingPort&) = delete;
  int port() const { return port_; }

 private:
  int fd_;
  int port_ = 0;
};

}  // namespace relay
