#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include "broker/providers/registry.h"

namespace relay {

// A callback that a test may spoil before it is judged.
struct SignedRequest {
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  // The same with another value of one header; without it where the value is empty.
  SignedRequest With(const std::string& name, const std::string& value) const {
    SignedRequest out = *this;
    std::erase_if(out.headers, [&](const auto& header) { return header.first == name; });
    if (!value.empty()) out.headers.emplace_back(name, value);
    return out;
  }
  SignedRequest WithBody(std::string other) const { return {headers, std::move(other)}; }
  const std::string& Header(const std::string& name) const {
    for (const auto& header : headers) {
      if (header.first == name) return header.second;
    }
    return body;
  }
};

// One source and its verifier.
class JudgedSource {
 public:
  explicit JudgedSource(Source source)
      : source_(std::move(source)), provider_(MakeProvider(source_)) {}

  Authenticity Judge(const SignedRequest& sent, WallTime now) {
    std::vector<HttpHeader> headers;
    for (const auto& [name, value] : sent.headers) headers.push_back({name, value});
    HttpRequest request;
    request.headers = headers;
    request.body = sent.body;
    return provider_->Verify(request, source_, now, facts_).authenticity;
  }
  const CallbackFacts& facts() const { return facts_; }
  Acknowledgement acknowledgement() const { return provider_->acknowledgement(); }

 private:
  Source source_;
  std::unique_ptr<Provider> provider_;
  CallbackFacts facts_;
};

}  // namespace relay
