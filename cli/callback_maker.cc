#include "cli/callback_maker.h"

#include <functional>
#include <string_view>

namespace relay {

void BeginCallback(const SenderTraffic& traffic, int64_t number, CallbackKind kind,
                   ProviderCallback* callback) {
  const auto turn = static_cast<size_t>(number / traffic.streams);
  callback->kind = kind;
  callback->type = traffic.types[turn % traffic.types.size()];
  callback->seq = traffic.run + "." + std::to_string(number);
  for (std::string* text : {&callback->stream, &callback->domain, &callback->appid,
                            &callback->param, &callback->headers, &callback->body}) {
    text->clear();
  }
}

void AppendPadding(int64_t body_bytes, size_t ending, std::string& body) {
  constexpr std::string_view kPadding = "&pad=";
  const auto wanted = static_cast<size_t>(body_bytes);
  const size_t bytes = body.size() + ending + kPadding.size();
  if (bytes >= wanted) return;
  body += kPadding;
  body.append(wanted - bytes, 'x');
}

uint64_t RunNumber(const std::string& run) {
  constexpr uint64_t kMin = 100'000'000;
  constexpr uint64_t kNumbers = 800'000'000;
  return kMin + std::hash<std::string>()(run) % kNumbers;
}

}  // namespace relay
