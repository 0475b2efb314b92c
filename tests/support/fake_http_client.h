#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "relay/event_loop.h"
#include "workers/http_client.h"
#include "workers/resolver.h"

namespace relay {

// An HttpClient that sends nothing: it keeps what it was asked for, and the test answers. Answers
// come from the loop, as the real ones do.
class FakeHttpClient final : public HttpClient {
 public:
  struct Request {
    std::string url;
    std::string body;     // A copy.
    std::string headers;  // "name: value\n" each: the request's, then its route's.
    IpAddress address;
    Millis timeout{0};
    size_t answer_kept = 0;
    // "open", then "answered" or "aborted".
    std::string state = "open";

    // The value of a header, or empty.
    std::string Header(const std::string& name) const;
  };

  explicit FakeHttpClient(EventLoop& loop) : loop_(loop) {}
  std::unique_ptr<HttpCall> Post(HttpPost post, Done done) override;

  const std::vector<Request>& requests() const { return requests_; }
  int open_requests() const;
  // Answers request `index` at the next turn. Nothing happens when it has been aborted.
  void Answer(size_t index, HttpReply reply);
  void Answer(size_t index, int status, const std::string& body = "");
  void Fail(size_t index, HttpError error);
  // From now on each request is answered like this by itself, at the turn after it came.
  void AnswerAllWith(int status) { answer_all_ = status; }

 private:
  class Call;
  void Deliver(size_t index, HttpReply reply);

  EventLoop& loop_;
  std::vector<Request> requests_;
  std::map<size_t, Done> waiting_;
  int answer_all_ = 0;
  CallScope scope_;
};

// A Resolver with a table. A name that is not in it stays unanswered until the test adds it.
class FakeResolver final : public Resolver {
 public:
  explicit FakeResolver(EventLoop& loop) : loop_(loop) {}

  void Set(const std::string& host, LookupResult result);
  // Shorthand for one vetted address.
  void Set(const std::string& host, const std::string& address);
  // Whether Cached() knows what Set() was told (the default), or each name must be looked up.
  void CacheNothing() { caching_ = false; }

  const LookupResult* Cached(const std::string& host) override;
  void Resolve(const std::string& host, const CallScope& scope, Done done) override;

 private:
  struct Waiting {
    std::string host;
    CallScope::Watch watch;
    Done done;
  };
  void AnswerWaiting();

  EventLoop& loop_;
  bool caching_ = true;
  std::map<std::string, LookupResult> table_;
  std::vector<Waiting> waiting_;
  CallScope scope_;
};

}  // namespace relay
