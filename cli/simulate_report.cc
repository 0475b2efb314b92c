#include "cli/simulate_report.h"

#include <fmt/format.h>

#include "cli/progress.h"
#include "relay/clock.h"

namespace relay {
namespace {

double PerSecond(int64_t count, Micros elapsed) {
  const double seconds = std::chrono::duration<double>(elapsed).count();
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

}  // namespace

std::string LoadTable(const LoadResult& result) {
  const LatencyHistogram& ack = result.ack_latency;
  std::string out = fmt::format("callbacks      {}\nrequests sent  {}\naccepted       {}\n",
                                WithThousands(result.callbacks), WithThousands(result.sent),
                                WithThousands(result.accepted));
  for (const auto& [status, count] : result.refused) {
    out += fmt::format("refused {}    {}\n", status, WithThousands(count));
  }
  out += fmt::format("indeterminate  {}\nnot as they should be  {}\n",
                     WithThousands(result.indeterminate), WithThousands(result.unexpected));
  out += fmt::format("took           {:.3f} s, {:.0f} accepted/s\n",
                     std::chrono::duration<double>(result.elapsed).count(),
                     PerSecond(result.accepted, result.elapsed));
  out += fmt::format(
      "ack latency    p50 {:.2f} ms · p90 {:.2f} · p99 {:.2f} · p99.9 {:.2f} · max {:.2f}\n",
      AsMillis(ack.Percentile(50)), AsMillis(ack.Percentile(90)), AsMillis(ack.Percentile(99)),
      AsMillis(ack.Percentile(99.9)), AsMillis(ack.max()));
  return out;
}

std::string LoadJson(const LoadResult& result, const std::string& run) {
  std::string refused;
  for (const auto& [status, count] : result.refused) {
    refused +=
        (refused.empty() ? "\"" : ",\"") + std::to_string(status) + "\":" + std::to_string(count);
  }
  const LatencyHistogram& ack = result.ack_latency;
  std::string out;
  JsonLine(out)
      .Text("run", run)
      .Number("callbacks", result.callbacks)
      .Number("sent", result.sent)
      .Number("accepted", result.accepted)
      .Raw("refused", "{" + refused + "}")
      .Number("indeterminate", result.indeterminate)
      .Number("unexpected", result.unexpected)
      .Number("elapsed_us", result.elapsed.count())
      .Decimal("accepted_per_s", PerSecond(result.accepted, result.elapsed))
      .Number("ack_p50_us", ack.Percentile(50).count())
      .Number("ack_p90_us", ack.Percentile(90).count())
      .Number("ack_p99_us", ack.Percentile(99).count())
      .Number("ack_p999_us", ack.Percentile(99.9).count())
      .Number("ack_max_us", ack.max().count());
  return out;
}

}  // namespace relay
