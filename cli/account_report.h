#pragma once

#include "cli/account.h"

namespace relay {

// What is told of the times that recoveries took; absent where no fault has one.
struct RecoverySummary {
  std::optional<Micros> median;
  std::optional<Micros> longest;
  std::optional<Micros> first_accepted_longest;
  std::optional<Micros> first_delivered_longest;
  int64_t unrecovered = 0;  // Deliveries went on, and not at their usual speed.
};
RecoverySummary SummaryOf(const std::vector<Recovery>& recoveries);

// An account as tables for a person to read.
std::string AccountTable(const AccountResult& result, Micros aftermath);

// An account as one line of JSON; `ok` is the verdict that the exit code gives. Of the recoveries
// it tells the first 1,000.
std::string AccountJson(const AccountResult& result, bool ok);

}  // namespace relay
