#include "cli/account_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "cli/line_log.h"
#include "cli/progress.h"
#include "relay/clock.h"

namespace relay {

namespace {

constexpr size_t kRecoveriesToldMax = 1000;

std::string TimeText(std::optional<Micros> time) {
  return time ? fmt::format("{:.1f} s", AsMillis(*time) / 1000) : "-";
}

std::string JsonMillis(std::optional<Micros> time) {
  return time ? std::to_string(time->count() / 1000) : "null";
}

template <typename Time>
std::vector<Micros> TimesOf(const std::vector<Recovery>& recoveries, Time time) {
  std::vector<Micros> times;
  for (const Recovery& recovery : recoveries) {
    if (recovery.*time) times.push_back(*(recovery.*time));
  }
  std::sort(times.begin(), times.end());
  return times;
}

// Lines of a group; what is optional is left out where it is 0.
class Group {
 public:
  Group(std::string& out, const char* head) : out_(out) {
    out_ += (out_.empty() ? "" : "\n") + std::string(head) + "\n";
  }
  Group& Row(const char* name, int64_t count, const std::string& remark = "") {
    return Text(name, WithThousands(count), remark);
  }
  Group& Optional(const char* name, int64_t count, const std::string& remark = "") {
    return count == 0 ? *this : Row(name, count, remark);
  }
  Group& Text(const char* name, const std::string& value, const std::string& remark = "") {
    out_ += fmt::format("  {:<20} {:>12}", name, value);
    out_ += (remark.empty() ? "" : "  " + remark) + "\n";
    return *this;
  }
  Group& Latency(const char* name, const LatencyHistogram& latency) {
    out_ += fmt::format("  {:<20} p50 {:.2f} ms · p99 {:.2f} · max {:.2f}\n", name,
                        AsMillis(latency.Percentile(50)), AsMillis(latency.Percentile(99)),
                        AsMillis(latency.max()));
    return *this;
  }

 private:
  std::string& out_;
};

std::string LossRemark(const AccountResult& result) {
  // With nothing lost in n, the rule of three bounds the rate with 95 % confidence.
  if (result.loss != 0 || result.obligations <= 2) return "";
  return "95 % sure: less than 1 in " + WithThousands(result.obligations / 3);
}

void AddAvailability(const Availability& availability, std::string& out) {
  const int64_t answered = availability.windows - availability.windows_without_2xx;
  Group(out, "availability")
      .Text("2xx of requests", fmt::format("{:.4f} %", availability.Share() * 100),
            WithThousands(availability.accepted) + " of " + WithThousands(availability.offered))
      .Text("windows with a 2xx", fmt::format("{:.4f} %", availability.WindowShare() * 100),
            WithThousands(answered) + " of " + WithThousands(availability.windows) + " of 100 ms")
      .Text("longest gap", fmt::format("{:.0f} ms", AsMillis(availability.longest_gap)));
}

void AddFaults(const AccountResult& result, std::string& out) {
  if (result.recoveries.empty()) return;
  const RecoverySummary summary = SummaryOf(result.recoveries);
  Group(out, "faults, and the time from the end of each")
      .Row("faults", static_cast<int64_t>(result.recoveries.size()))
      .Text("to recover", TimeText(summary.median), "longest " + TimeText(summary.longest))
      .Optional("not recovered", summary.unrecovered)
      .Text("to the first 2xx", TimeText(summary.first_accepted_longest), "the longest")
      .Text("to a delivery", TimeText(summary.first_delivered_longest), "the longest");
}

std::string JsonList(const std::vector<std::string>& items) {
  std::string list = "[";
  for (const std::string& item : items) list += (list.size() > 1 ? "," : "") + item;
  return list + "]";
}

std::string JsonOf(const Recovery& recovery) {
  std::string out;
  JsonLine(out)
      .Text("kind", recovery.fault.kind)
      .Text("target", recovery.fault.target)
      .Number("at_us", recovery.fault.at_us)
      .Number("until_us", recovery.fault.until_us)
      .Raw("recover_ms", JsonMillis(recovery.recovered))
      .Raw("first_2xx_ms", JsonMillis(recovery.first_accepted))
      .Raw("first_delivery_ms", JsonMillis(recovery.first_delivered));
  out.pop_back();  // The newline.
  return out;
}

void AddCounts(const AccountResult& result, JsonLine& line) {
  line.Number("callbacks", result.callbacks)
      .Number("acked", result.acked)
      .Number("indeterminate", result.indeterminate)
      .Number("refused", result.refused)
      .Number("endpoints", result.endpoints)
      .Number("obligations", result.obligations)
      .Number("delivered", result.delivered)
      .Number("dead", result.dead)
      .Number("false_dead", result.false_dead)
      .Number("pending", result.pending)
      .Number("lost_in_cut", result.lost_in_cut)
      .Number("lost_in_cut_oldest_ms", result.lost_in_cut_oldest.count() / 1000)
      .Number("loss", result.loss)
      .Number("phantom", result.phantom)
      .Number("corrupt", result.corrupt)
      .Number("duplicates", result.duplicates)
      .Number("duplicates_near_fault", result.duplicates_near_fault)
      .Number("duplicates_without_fault", result.duplicates_without_fault)
      .Number("late_answers", result.late_answers)
      .Number("delivered_after_5xx", result.delivered_after_5xx)
      .Number("early_retries", result.early_retries)
      .Number("late_retries", result.late_retries)
      .Number("late_retries_near_fault", result.late_retries_near_fault)
      .Number("inversions", result.inversions)
      .Number("dead_unknown", result.dead_unknown)
      .Number("pending_unknown", result.pending_unknown)
      .Number("malformed_lines", result.malformed_lines);
}

void AddTimes(const AccountResult& result, JsonLine& line) {
  const RecoverySummary summary = SummaryOf(result.recoveries);
  line.Number("sent_to_receipt_p50_us", result.sent_to_receipt.Percentile(50).count())
      .Number("sent_to_receipt_p99_us", result.sent_to_receipt.Percentile(99).count())
      .Number("acked_to_receipt_p50_us", result.acked_to_receipt.Percentile(50).count())
      .Number("acked_to_receipt_p99_us", result.acked_to_receipt.Percentile(99).count())
      .Raw("availability", fmt::format("{:.8f}", result.availability.Share()))
      .Number("windows", result.availability.windows)
      .Number("windows_without_2xx", result.availability.windows_without_2xx)
      .Number("longest_gap_ms", result.availability.longest_gap.count() / 1000)
      .Number("faults", static_cast<int64_t>(result.recoveries.size()))
      .Number("faults_unrecovered", summary.unrecovered)
      .Raw("recover_ms_median", JsonMillis(summary.median))
      .Raw("recover_ms_max", JsonMillis(summary.longest))
      .Raw("first_2xx_after_fault_ms_max", JsonMillis(summary.first_accepted_longest))
      .Raw("first_delivery_after_fault_ms_max", JsonMillis(summary.first_delivered_longest));
}

}  // namespace

RecoverySummary SummaryOf(const std::vector<Recovery>& recoveries) {
  RecoverySummary summary;
  const std::vector<Micros> recovered = TimesOf(recoveries, &Recovery::recovered);
  const std::vector<Micros> accepted = TimesOf(recoveries, &Recovery::first_accepted);
  const std::vector<Micros> delivered = TimesOf(recoveries, &Recovery::first_delivered);
  if (!recovered.empty()) {
    summary.median = recovered[recovered.size() / 2];
    summary.longest = recovered.back();
  }
  if (!accepted.empty()) summary.first_accepted_longest = accepted.back();
  if (!delivered.empty()) summary.first_delivered_longest = delivered.back();
  summary.unrecovered = std::count_if(recoveries.begin(), recoveries.end(),
                                      [](const Recovery& recovery) { return recovery.seen_slow; });
  return summary;
}

std::string AccountTable(const AccountResult& result, Micros aftermath) {
  std::string out;
  Group(out, "sent")
      .Row("callbacks", result.callbacks)
      .Row("acknowledged", result.acked)
      .Row("indeterminate", result.indeterminate)
      .Row("refused", result.refused);
  Group(out, "owed")
      .Row("endpoints", result.endpoints)
      .Row("obligations", result.obligations)
      .Row("delivered", result.delivered)
      .Row("dead", result.dead)
      .Optional("false dead", result.false_dead, "the endpoint was well")
      .Row("pending", result.pending)
      .Optional("lost in a cut", result.lost_in_cut,
                fmt::format("acknowledged up to {:.0f} ms before it",
                            AsMillis(result.lost_in_cut_oldest)))
      .Row("loss", result.loss, LossRemark(result));
  Group(out, "received")
      .Row("phantom", result.phantom)
      .Row("corrupt", result.corrupt)
      .Row("duplicates", result.duplicates,
           fmt::format("{} during a fault or within {:g} s after it",
                       WithThousands(result.duplicates_near_fault), AsMillis(aftermath) / 1000))
      .Optional("  without a fault", result.duplicates_without_fault)
      .Optional("late answers", result.late_answers, "2xx after the endpoint's timeout")
      .Row("early retries", result.early_retries)
      .Row("late retries", result.late_retries,
           result.late_retries > 0
               ? WithThousands(result.late_retries_near_fault) + " of them near a fault"
               : "")
      .Row("order inversions", result.inversions)
      .Optional("delivered after 5xx", result.delivered_after_5xx)
      .Optional("unknown dead letters", result.dead_unknown)
      .Optional("unknown pending", result.pending_unknown)
      .Optional("malformed lines", result.malformed_lines);
  AddAvailability(result.availability, out);
  AddFaults(result, out);
  Group(out, "latency")
      .Latency("sent to receipt", result.sent_to_receipt)
      .Latency("ack to receipt", result.acked_to_receipt);
  if (!result.examples.empty()) out += "\n";
  for (const std::string& example : result.examples) out += "  " + example + "\n";
  return out;
}

std::string AccountJson(const AccountResult& result, bool ok) {
  std::vector<std::string> recoveries;
  for (const Recovery& recovery : result.recoveries) {
    if (recoveries.size() == kRecoveriesToldMax) break;
    recoveries.push_back(JsonOf(recovery));
  }
  std::vector<std::string> examples(result.examples.size());
  for (size_t i = 0; i < examples.size(); ++i) AppendJsonString(result.examples[i], examples[i]);
  std::string out;
  {
    JsonLine line(out);
    line.Raw("ok", ok ? "true" : "false");
    AddCounts(result, line);
    AddTimes(result, line);
    line.Raw("recoveries", JsonList(recoveries)).Raw("examples", JsonList(examples));
  }
  return out;
}

}  // namespace relay
