#include "cli/tencent_callback.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "cli/tencent_families.h"
#include "relay/check.h"
#include "relay/tencent_signature.h"

namespace relay {

namespace {

// The provider signs for ten minutes from the sending on.
constexpr int64_t kValiditySeconds = 600;
// A `sequence` has 19 digits: nine for the run, ten for the push within it.
constexpr uint64_t kPushesMax = 10'000'000'000;

constexpr std::array kTencentRetries = {kMinute, kMinute, kMinute, kMinute, kMinute, kMinute,
                                        kMinute, kMinute, kMinute, kMinute, kMinute, kMinute};
constexpr std::array kScreenshotRetries = {2 * kMinute, 2 * kMinute, 2 * kMinute, 2 * kMinute,
                                           2 * kMinute};
constexpr std::array kSubtitleRetries = {kMinute, kMinute};

// The finalizer of splitmix64.
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

}  // namespace

std::string ReplaceBraces(const std::string& pattern, int64_t number) {
  const size_t at = pattern.find("{}");
  if (at == std::string::npos) return pattern;
  return pattern.substr(0, at) + std::to_string(number) + pattern.substr(at + 2);
}

TencentCallbackMaker::TencentCallbackMaker(TencentTraffic traffic)
    : traffic_(std::move(traffic)),
      run_number_(RunNumber(traffic_.run)),
      signature_(std::make_unique<TencentSignature>()) {
  RELAY_CHECK(traffic_.streams > 0 && traffic_.domains > 0 && !traffic_.types.empty());
  RELAY_CHECK(traffic_.reconnect == 0 ||
              (traffic_.types.front() == 1 && traffic_.types.back() == 0));
}

TencentCallbackMaker::~TencentCallbackMaker() = default;

bool TencentCallbackMaker::Reconnects(int64_t stream_number, int64_t round) const {
  const uint64_t push = static_cast<uint64_t>(round * traffic_.streams + stream_number);
  // The first 53 bits as a number from 0 to 1.
  const uint64_t bits = Mix(Mix(run_number_) + push) >> 11;
  return static_cast<double>(bits) * 0x1p-53 < traffic_.reconnect;
}

void TencentCallbackMaker::Make(int64_t number, CallbackKind kind, WallTime now,
                                ProviderCallback* callback) {
  const int64_t stream_number = number % traffic_.streams;
  const int64_t turn = number / traffic_.streams;
  const auto types = static_cast<int64_t>(traffic_.types.size());
  TencentPlace at;
  int64_t step = turn % types;
  at.round = turn / types;
  if (traffic_.reconnect > 0) {
    // The stop of a push and the start of the next change places.
    if (step == types - 1 && Reconnects(stream_number, at.round)) {
      ++at.round;
      step = 0;
    } else if (step == 0 && at.round > 0 && Reconnects(stream_number, at.round - 1)) {
      --at.round;
      step = types - 1;
      at.late = true;
    }
  }
  at.type = traffic_.types[static_cast<size_t>(step)];
  const TencentMembers members = MembersOf(at.type);

  callback->kind = kind;
  callback->type = std::to_string(at.type);
  callback->seq = traffic_.run + "." + std::to_string(number);
  callback->stream = traffic_.stream_prefix + "stream" + std::to_string(stream_number);
  callback->domain = ReplaceBraces(traffic_.domain_pattern, stream_number % traffic_.domains);
  const auto push = static_cast<uint64_t>(at.round * traffic_.streams + stream_number);
  at.number = number;
  at.sequence = run_number_ * kPushesMax + push % kPushesMax;
  at.seq = callback->seq;
  at.stream = callback->stream;
  at.domain = callback->domain;
  at.event_time = SecondsSinceEpoch(now);

  callback->body.clear();
  const std::string_view closing = AppendTencentFamily(at, callback->body);
  if (members.domain.empty()) callback->domain.clear();
  callback->appid.clear();
  if (members.appid) callback->appid = kTencentAppId;
  callback->param.clear();
  if (members.stream_param) callback->param = traffic_.stream_param;
  AppendEnding(*callback, at.event_time, at.type, closing, callback->body);
}

// The rest of the text that relay_seq goes to, and what follows it. The padding stands there too: a
// real push URL may carry as much as it likes.
void TencentCallbackMaker::AppendEnding(const ProviderCallback& callback, int64_t event_time,
                                        int type, std::string_view closing, std::string& body) {
  int64_t t = event_time + kValiditySeconds;
  if (callback.kind == CallbackKind::kExpired) t = event_time - kExpiredSinceSeconds;
  body.append("relay_seq=").append(callback.seq);
  if (!callback.param.empty()) body.append("&").append(callback.param);
  const std::vector<int>& unsigned_types = traffic_.unsigned_types;
  const bool is_unsigned =
      callback.kind == CallbackKind::kGenuine && !unsigned_types.empty() &&
      std::find(unsigned_types.begin(), unsigned_types.end(), type) != unsigned_types.end();
  std::string ending(closing);
  if (!is_unsigned) {
    fmt::format_to(std::back_inserter(ending), FMT_COMPILE(R"(,"sign":"{}","t":{})"),
                   Sign(callback.kind, t), t);
  }
  ending += '}';
  AppendPadding(traffic_.body_bytes, ending.size(), body);
  body += ending;
}

const std::string& TencentCallbackMaker::Sign(CallbackKind kind, int64_t t) {
  Signed& last = last_signed_[static_cast<size_t>(kind)];
  if (last.t != t) {
    const bool forged = kind == CallbackKind::kForged;
    last.sign = signature_->Sign(forged ? traffic_.key + "-not" : traffic_.key, std::to_string(t));
    last.t = t;
  }
  return last.sign;
}

std::span<const Seconds> TencentCallbackMaker::RetryPauses(const ProviderCallback& callback) const {
  if (callback.type == "200") return kScreenshotRetries;
  if (callback.type == "338" || callback.type == "347") return kSubtitleRetries;
  return kTencentRetries;
}

}  // namespace relay
