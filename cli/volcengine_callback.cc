#include "cli/volcengine_callback.h"

#include <fmt/compile.h>
#include <fmt/format.h>

#include <array>
#include <iterator>
#include <utility>

#include "cli/tencent_callback.h"
#include "relay/check.h"

namespace relay {
namespace {

constexpr int64_t kVolcengineValiditySeconds = 600;
constexpr uint64_t kSessionsMax = 10'000'000'000;
constexpr Seconds kQuick(3);
constexpr std::array kVolcengineRetries = {kQuick,  kQuick,  kQuick,  kMinute, kMinute, kMinute,
                                           kMinute, kMinute, kMinute, kMinute, kMinute, kMinute};

}  // namespace

VolcengineCallbackMaker::VolcengineCallbackMaker(SenderTraffic traffic, int64_t domains,
                                                 std::string domain_pattern)
    : traffic_(std::move(traffic)),
      domains_(domains),
      domain_pattern_(std::move(domain_pattern)),
      run_number_(RunNumber(traffic_.run)) {
  RELAY_CHECK(traffic_.streams > 0 && domains_ > 0 && !traffic_.types.empty());
}

void VolcengineCallbackMaker::Make(int64_t number, CallbackKind kind, WallTime now,
                                   ProviderCallback* callback) {
  const int64_t stream_number = number % traffic_.streams;
  const int64_t turn = number / traffic_.streams;
  const auto types = static_cast<int64_t>(traffic_.types.size());
  BeginCallback(traffic_, number, kind, callback);
  callback->stream = traffic_.stream_prefix + "stream" + std::to_string(stream_number);
  callback->domain = ReplaceBraces(domain_pattern_, stream_number % domains_);
  const auto push = static_cast<uint64_t>(turn / types * traffic_.streams + stream_number);
  const uint64_t session = run_number_ * kSessionsMax + push % kSessionsMax;
  const int64_t ms = MillisSinceEpoch(now);
  int64_t t = ms / 1000 + kVolcengineValiditySeconds;
  if (kind == CallbackKind::kExpired) t = ms / 1000 - kExpiredSinceSeconds;

  std::string& body = callback->body;
  fmt::format_to(
      std::back_inserter(body),
      FMT_COMPILE(R"({{"app":"live","backup_count":0,"domain":"{0}","event_type":"{1}",)"
                  R"("fp_client_ip":"203.0.113.{2}","fp_node_ip":"198.51.100.{3}","priority":0,)"
                  R"("sequence_id":"{4}-{5}","session_id":"{4}","stream":"{6}","time":{7},)"
                  R"("time_ms":{8},"transcoded":false,"vhost":"{0}",)"
                  R"("fp_user_url":"rtmp://{0}/live/{6}?relay_seq={9})"),
      callback->domain, callback->type, number % 200 + 1, number % 250 + 1, session, number,
      callback->stream, ms / 1000, ms, callback->seq);
  const bool forged = kind == CallbackKind::kForged;
  const std::string ending = fmt::format(
      FMT_COMPILE(R"(","sign":"{}","t":{}}})"),
      signature_.Sign(forged ? traffic_.key + "-not" : traffic_.key, std::to_string(t)), t);
  AppendPadding(traffic_.body_bytes, ending.size(), body);
  body += ending;
}

std::span<const Seconds> VolcengineCallbackMaker::RetryPauses(const ProviderCallback&) const {
  return kVolcengineRetries;
}

}  // namespace relay
