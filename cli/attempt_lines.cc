#include "cli/attempt_lines.h"

#include <fmt/format.h>

#include "cli/escaped_text.h"
#include "cli/line_log.h"
#include "cli/table.h"

namespace relay {
namespace {

// Only the parts that there were.
std::string SplitText(const AttemptLogRecord& record) {
  std::string out = record.connection_reused ? "kept connection" : "";
  const AttemptTimes& times = record.times;
  for (const auto& [name, time] :
       {std::pair{"dns", times.dns}, std::pair{"connect", times.connect},
        std::pair{"tls", times.tls}, std::pair{"first byte", times.first_byte}}) {
    if (time.count() == 0) continue;
    out += (out.empty() ? "" : ", ") + fmt::format("{} {}", name, MillisText(time));
  }
  return out.empty() ? out : " (" + out + ")";
}

}  // namespace

std::string AttemptAnswerWord(const AttemptLogRecord& record) {
  if (record.status != 0) return std::to_string(record.status);
  return std::string(AttemptOutcomeName(record.outcome));
}

std::string MillisText(Micros time) {
  return fmt::format("{:.1f} ms", AsMillis(time));
}

std::string AttemptText(const AttemptLogRecord& record) {
  const std::string head =
      record.attempt == 0 ? std::string("no attempt") : fmt::format("attempt {}", record.attempt);
  std::string out =
      fmt::format("  {}  {}  {}", head, TimeText(record.at_ms), AttemptOutcomeName(record.outcome));
  if (record.status != 0) out += fmt::format("  status {}", record.status);
  if (record.attempt != 0) out += "  " + MillisText(record.times.total) + SplitText(record);
  out += "\n";
  if (!record.why.empty()) out += fmt::format("    why     {}\n", EscapedText(record.why));
  if (!record.answer.empty()) {
    out += fmt::format("    answer  {}{}\n", EscapedText(record.answer),
                       record.answer_cut ? " ... (cut)" : "");
  }
  if (record.fate == AttemptFate::kRetry) {
    out += fmt::format("    next    {}\n", TimeText(record.due_ms));
  } else if (record.fate == AttemptFate::kDead) {
    out += "    next    none: dead letter\n";
  }
  return out;
}

std::string AttemptJson(const LoggedAttempt& attempt, const std::string& endpoint_name) {
  const AttemptLogRecord& record = attempt.record;
  std::string out;
  {
    JsonLine line(out);
    line.Text("webhook_id", EscapedText(record.event_id)).Text("endpoint", endpoint_name);
    line.Number("attempt", record.attempt).Text("at", TimeText(record.at_ms));
    line.Text("outcome", AttemptOutcomeName(record.outcome)).Number("status", record.status);
    line.Text("fate", AttemptFateName(record.fate));
    line.Number("dns_us", record.times.dns.count());
    line.Number("connect_us", record.times.connect.count());
    line.Number("tls_us", record.times.tls.count());
    line.Number("first_byte_us", record.times.first_byte.count());
    line.Number("total_us", record.times.total.count());
    line.Raw("connection_reused", record.connection_reused ? "true" : "false");
    if (record.due_ms != 0) line.Text("next_at", TimeText(record.due_ms));
    if (!record.why.empty()) line.Text("why", EscapedText(record.why));
    line.Text("answer", EscapedText(record.answer));
    line.Raw("answer_cut", record.answer_cut ? "true" : "false");
  }
  return out;
}

std::string KeptText(const KeptPlace& place) {
  if (place.dead) return "dead letter since " + TimeText(place.at_ms);
  return fmt::format("retry due {}, attempts made {}", TimeText(place.at_ms), place.attempts);
}

std::string KeptJson(const std::string& event_id, const std::string& endpoint_name,
                     const KeptPlace& place) {
  std::string out;
  {
    JsonLine line(out);
    line.Text("webhook_id", EscapedText(event_id)).Text("endpoint", endpoint_name);
    line.Text("state", place.dead ? "dead" : "retry");
    line.Text(place.dead ? "died_at" : "due_at", TimeText(place.at_ms));
    if (!place.dead) line.Number("attempts", place.attempts);
  }
  return out;
}

}  // namespace relay
