#pragma once

#include <map>
#include <string>
#include <vector>

#include "bench/load/measurement.h"

namespace relay {

// What all rounds of a measurement yielded.
struct Series {
  std::map<std::string, std::vector<int64_t>> figures;  // By name, one a round.
  std::vector<std::string> failures;

  bool Has(const std::string& figure) const { return figures.contains(figure); }
};

// The figures of a whole run, and what may be said of them.
class Results {
 public:
  void Add(const Measurement& measurement, const SceneResult& round);
  const Series* Find(const std::string& table, const std::string& row,
                     const std::string& contender) const;
  bool clean() const { return clean_; }

  // 0 when there is none.
  int64_t Median(const std::string& table, const std::string& row, const std::string& contender,
                 const std::string& figure) const;
  // The median of the ratios of each round: both of one round had the same machine. 0 when a
  // contender is missing.
  double Ratio(const std::string& table, const std::string& row, const std::string& contender,
               const std::string& other, const std::string& figure) const;

  // Markdown: for each table its rows and contenders with the median of each figure and, in
  // brackets, its lowest and highest.
  std::string Tables() const;
  // One figure a line, tab-separated: table, row, contender, figure, median, lowest, highest. For
  // plots, and for later runs to be held against.
  std::string Lines() const;

 private:
  struct Entry {
    std::string table;
    std::string row;
    std::string contender;
    Series series;
  };

  std::vector<Entry> entries_;  // In the order in which they were first measured.
  bool clean_ = true;
};

// The budgets that a run can be held to, each with what was measured: Markdown.
std::string BudgetTable(const Results& results);

}  // namespace relay
