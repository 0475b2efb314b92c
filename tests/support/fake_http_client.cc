#include "tests/support/fake_http_client.h"

#include <algorithm>
#include <utility>

#include "relay/check.h"

namespace relay {

std::string FakeHttpClient::Request::Header(const std::string& name) const {
  const std::string text = "\n" + headers;
  const size_t line = text.find("\n" + name + ": ");
  if (line == std::string::npos) return "";
  const size_t begin = line + name.size() + 3;
  return text.substr(begin, text.find('\n', begin) - begin);
}

class FakeHttpClient::Call final : public HttpCall {
 public:
  Call(FakeHttpClient& client, size_t index) : client_(client), index_(index) {}
  ~Call() override {
    if (client_.waiting_.erase(index_)) client_.requests_[index_].state = "aborted";
  }

 private:
  FakeHttpClient& client_;
  const size_t index_;
};

std::unique_ptr<HttpCall> FakeHttpClient::Post(HttpPost post, Done done) {
  Request request;
  request.url = post.route->url.ToString();
  request.body = post.body;
  request.headers = post.headers + post.route->headers;
  request.address = post.address;
  request.timeout = post.timeout;
  request.answer_kept = post.answer_kept;
  const size_t index = requests_.size();
  requests_.push_back(std::move(request));
  waiting_.emplace(index, std::move(done));
  if (answer_all_) Answer(index, answer_all_);
  return std::make_unique<Call>(*this, index);
}

int FakeHttpClient::open_requests() const {
  return static_cast<int>(waiting_.size());
}

void FakeHttpClient::Answer(size_t index, HttpReply reply) {
  RELAY_CHECK(index < requests_.size());
  loop_.Post([this, index, reply = std::move(reply), watch = scope_.watch()] {
    if (!watch.gone()) Deliver(index, reply);
  });
}

void FakeHttpClient::Answer(size_t index, int status, const std::string& body) {
  HttpReply reply;
  reply.status = status;
  reply.answer = body;
  reply.answer_whole = true;
  Answer(index, std::move(reply));
}

void FakeHttpClient::Fail(size_t index, HttpError error) {
  HttpReply reply;
  reply.error = error;
  Answer(index, std::move(reply));
}

void FakeHttpClient::Deliver(size_t index, HttpReply reply) {
  auto waiting = waiting_.extract(index);
  if (waiting.empty()) return;
  requests_[index].state = "answered";
  waiting.mapped()(std::move(reply));
}

void FakeResolver::Set(const std::string& host, LookupResult result) {
  table_[host] = std::move(result);
  loop_.Post([this, watch = scope_.watch()] {
    if (!watch.gone()) AnswerWaiting();
  });
}

void FakeResolver::Set(const std::string& host, const std::string& address) {
  LookupResult result;
  result.kind = LookupResult::Kind::kVetted;
  result.addresses.push_back(IpAddress::Parse(address).value());
  Set(host, std::move(result));
}

const LookupResult* FakeResolver::Cached(const std::string& host) {
  const auto found = table_.find(host);
  return caching_ && found != table_.end() ? &found->second : nullptr;
}

void FakeResolver::Resolve(const std::string& host, const CallScope& scope, Done done) {
  waiting_.push_back({host, scope.watch(), std::move(done)});
  loop_.Post([this, watch = scope_.watch()] {
    if (!watch.gone()) AnswerWaiting();
  });
}

void FakeResolver::AnswerWaiting() {
  std::vector<Waiting> asked;
  asked.swap(waiting_);
  for (Waiting& one : asked) {
    const auto found = table_.find(one.host);
    if (found == table_.end()) {
      waiting_.push_back(std::move(one));
    } else if (!one.watch.gone()) {
      one.done(found->second);
    }
  }
}

}  // namespace relay
