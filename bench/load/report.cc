#include "bench/load/report.h"

#include <algorithm>
#include <cstdio>

namespace relay {

namespace {

int64_t MedianOf(std::vector<int64_t> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

std::string WithSeparators(int64_t number) {
  std::string digits = std::to_string(number);
  for (int at = static_cast<int>(digits.size()) - 3; at > (number < 0 ? 1 : 0); at -= 3) {
    digits.insert(static_cast<size_t>(at), ",");
  }
  return digits;
}

std::string Spread(const std::vector<int64_t>& values) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  std::string text = WithSeparators(MedianOf(values));
  if (values.size() > 1) {
    text += " (" + WithSeparators(*low) + " to " + WithSeparators(*high) + ")";
  }
  return text;
}

std::string Decimal(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%.2f", value);
  return text;
}

}  // namespace

void Results::Add(const Measurement& measurement, const SceneResult& round) {
  auto at = std::find_if(entries_.begin(), entries_.end(), [&measurement](const Entry& entry) {
    return entry.table == measurement.table && entry.row == measurement.row &&
           entry.contender == measurement.contender;
  });
  if (at == entries_.end()) {
    at = entries_.insert(entries_.end(),
                         {measurement.table, measurement.row, measurement.contender, {}});
  }
  for (const std::string& breach : round.breaches) at->series.failures.push_back(breach);
  if (!round.breaches.empty()) {
    clean_ = false;
    return;  // A run that lost or repeated something has no figures.
  }
  for (const auto& [name, value] : round.worst) at->series.figures[name].push_back(value);
}

const Series* Results::Find(const std::string& table, const std::string& row,
                            const std::string& contender) const {
  for (const Entry& entry : entries_) {
    if (entry.table == table && entry.row == row && entry.contender == contender) {
      return &entry.series;
    }
  }
  return nullptr;
}

int64_t Results::Median(const std::string& table, const std::string& row,
                        const std::string& contender, const std::string& figure) const {
  const Series* const series = Find(table, row, contender);
  return series && series->Has(figure) ? MedianOf(series->figures.at(figure)) : 0;
}

double Results::Ratio(const std::string& table, const std::string& row,
                      const std::string& contender, const std::string& other,
                      const std::string& figure) const {
  const Series* const ours = Find(table, row, contender);
  const Series* const theirs = Find(table, row, other);
  if (!ours || !theirs || !ours->Has(figure) || !theirs->Has(figure)) return 0;
  const std::vector<int64_t>& above = ours->figures.at(figure);
  const std::vector<int64_t>& below = theirs->figures.at(figure);
  std::vector<double> ratios;
  for (size_t i = 0; i < std::min(above.size(), below.size()); ++i) {
    if (below[i] > 0)
      ratios.push_back(static_cast<double>(above[i]) / static_cast<double>(below[i]));
  }
  if (ratios.empty()) return 0;
  std::sort(ratios.begin(), ratios.end());
  return ratios[ratios.size() / 2];
}

std::string Results::Tables() const {
  std::string text;
  std::string table;
  for (const Entry& entry : entries_) {
    if (entry.table != table) {
      table = entry.table;
      text += "\n### " + table +
              "\n\n| setting | contender | figure | median (lowest to highest) |\n"
              "|---|---|---|---|\n";
    }
    for (const std::string& failure : entry.series.failures) {
      text += "| " + entry.row + " | " + entry.contender + " | **failed** | " + failure + " |\n";
    }
    for (const auto& [name, values] : entry.series.figures) {
      text += "| " + entry.row + " | " + entry.contender + " | " + name + " | " + Spread(values) +
              " |\n";
    }
  }
  return text;
}

std::string Results::Lines() const {
  std::string text;
  for (const Entry& entry : entries_) {
    for (const auto& [name, values] : entry.series.figures) {
      const auto [low, high] = std::minmax_element(values.begin(), values.end());
      text += entry.table + "\t" + entry.row + "\t" + entry.contender + "\t" + name + "\t" +
              std::to_string(MedianOf(values)) + "\t" + std::to_string(*low) + "\t" +
              std::to_string(*high) + "\n";
    }
  }
  return text;
}

namespace {

// A line of the budgets: what is asked, and the figure beside it.
class BudgetLines {
 public:
  explicit BudgetLines(const Results& results) : results_(results) {
    text_ = "| what | budget | measured | |\n|---|---|---|---|\n";
  }

  void AtLeast(const std::string& what, double budget, double measured) {
    Line(what, "≥ " + Decimal(budget), Decimal(measured), measured, measured >= budget);
  }
  void AtMost(const std::string& what, const std::string& unit, double budget, double measured) {
    Line(what, "≤ " + Decimal(budget) + " " + unit, Decimal(measured) + " " + unit, measured,
         measured <= budget);
  }
  // A median in microseconds or bytes, shown in units of a thousand of them (or 1,024).
  void MedianAtMost(const std::string& what, const std::string& unit, double budget,
                    const std::string& table, const std::string& row, const std::string& contender,
                    const std::string& figure, double divisor) {
    const auto median = static_cast<double>(results_.Median(table, row, contender, figure));
    AtMost(what, unit, budget, median / divisor);
  }
  const std::string& text() const { return text_; }

 private:
  void Line(const std::string& what, const std::string& budget, const std::string& shown,
            double measured, bool met) {
    if (measured == 0) return;  // Not part of this run.
    text_ += "| " + what + " | " + budget + " | " + shown + " | " + (met ? "met" : "**missed**") +
             " |\n";
  }

  const Results& results_;
  std::string text_;
};

void IngestBudgets(const Results& results, BudgetLines& lines) {
  const std::string row = "64 connections";
  const auto ratio = [&](const char* ours, const char* theirs) {
    return results.Ratio("ingest", row, ours, theirs, "per_s");
  };
  lines.AtLeast("stored and acknowledged, `everysec` : nginx's constant answer", 0.7,
                ratio("relay everysec", "nginx"));
  lines.AtLeast("`always` : `everysec`", 0.45, ratio("relay always", "relay everysec"));
  lines.AtLeast("`everysec` : Fastify + XADD", 3, ratio("relay everysec", "Fastify + XADD"));
  lines.AtLeast("`everysec` : Fastify + BullMQ", 6, ratio("relay everysec", "Fastify + BullMQ"));
  constexpr double kMs = 1000;
  const std::string half = "half of its own most";
  lines.MedianAtMost("ack at half load, `everysec`, p50", "ms", 1, "half", half, "relay everysec",
                     "ack_p50_us", kMs);
  lines.MedianAtMost("ack at half load, `everysec`, p99", "ms", 5, "half", half, "relay everysec",
                     "ack_p99_us", kMs);
  lines.MedianAtMost("ack at half load, `always`, p99", "ms", 12, "half", half, "relay always",
                     "ack_p99_us", kMs);
}

void DeliveryBudgets(const Results& results, BudgetLines& lines) {
  const std::string row = "fan-out 3";
  lines.AtLeast("deliveries a second of one worker : the bare libcurl loop", 0.85,
                results.Ratio("delivery", row, "relay", "bare libcurl loop", "per_s"));
  lines.AtLeast("deliveries a second of one worker : BullMQ + undici", 2,
                results.Ratio("delivery", row, "relay", "BullMQ + undici", "per_s"));
  const std::string failing = "fan-out 3, 20 % answered 500";
  const int64_t healthy = results.Median("delivery", row, "relay", "per_s");
  if (healthy > 0) {
    const double attempts =
        static_cast<double>(results.Median("delivery", failing, "relay", "per_s"));
    constexpr double kAnsweredWell = 0.8;
    lines.AtLeast("delivered a second with 20 % failing : its own healthy rate", 0.6,
                  attempts * kAnsweredWell / static_cast<double>(healthy));
  }
  constexpr double kMs = 1000;
  const std::string paced = "1000 events/s x 3";
  lines.MedianAtMost("callback sent to receipt at 1,000 events/s, `everysec`, p50", "ms", 2, "path",
                     paced, "relay everysec", "sent_to_receipt_p50_us", kMs);
  lines.MedianAtMost("callback sent to receipt at 1,000 events/s, `everysec`, p99", "ms", 10,
                     "path", paced, "relay everysec", "sent_to_receipt_p99_us", kMs);
  lines.MedianAtMost("callback sent to receipt at 1,000 events/s, `always`, p50", "ms", 4, "path",
                     paced, "relay always", "sent_to_receipt_p50_us", kMs);
}

void ScaleBudgets(const Results& results, BudgetLines& lines) {
  for (const char* figure : {"broker_cpu_ns", "cpu_ns"}) {
    const auto few = static_cast<double>(results.Median("tenants", "10", "relay everysec", figure));
    const auto many =
        static_cast<double>(results.Median("tenants", "100000", "relay everysec", figure));
    const std::string who = std::string(figure) == "cpu_ns" ? "worker" : "broker";
    if (few > 0) {
      lines.AtMost("CPU time of the " + who + " an event, 100,000 tenants : 10", "x", 1.2,
                   many / few);
    }
  }
}

void ChangeBudget(BudgetLines& lines) {
  constexpr double kMs = 1000;
  lines.MedianAtMost("longest ack while a catalog of 100,000 tenants changes", "ms", 20, "tenants",
                     "100000", "relay everysec", "change_ack_max_us", kMs);
}

void MemoryBudgets(const Results& results, BudgetLines& lines) {
  constexpr double kKib = 1024;
  lines.MedianAtMost("broker at rest", "MiB", 30, "memory", "connections", "broker",
                     "broker_idle_kib", kKib);
  lines.MedianAtMost("broker, a plain connection", "KiB", 8, "memory", "connections", "broker",
                     "bytes_each", kKib);
  lines.MedianAtMost("worker at rest", "MiB", 40, "memory", "deliveries in flight", "worker",
                     "worker_idle_kib", kKib);
  lines.MedianAtMost("worker with 10,000 in flight", "MiB", 256, "memory", "deliveries in flight",
                     "worker", "worker_kib", kKib);
  const auto owed = static_cast<double>(
      results.Median("memory", "pending events", "redis", "owed_bytes_an_event"));
  const auto allowed = static_cast<double>(
      results.Median("memory", "pending events", "redis", "allowed_bytes_an_event"));
  if (allowed > 0)
    lines.AtMost("Redis, a pending event : what it may take", "x", 1, owed / allowed);
}

}  // namespace

std::string BudgetTable(const Results& results) {
  BudgetLines lines(results);
  IngestBudgets(results, lines);
  DeliveryBudgets(results, lines);
  ScaleBudgets(results, lines);
  ChangeBudget(lines);
  MemoryBudgets(results, lines);
  return lines.text();
}

}  // namespace relay
