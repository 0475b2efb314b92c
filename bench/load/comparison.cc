#include "bench/load/comparison.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>

namespace relay {

namespace {

constexpr double kHeldAt = 0.95;
constexpr const char* kFigure = "per_s";

struct Pair {
  const char* table;
  const char* row;
  const char* ours;
  const char* yardstick;
};

// Not `always`: its rate is that of the disk's syncs, which no yardstick shares.
constexpr std::array<Pair, 2> kPairs = {{
    {"ingest", "64 connections", "relay everysec", "nginx"},
    {"delivery", "fan-out 3", "relay", "bare libcurl loop"},
}};

double RatioOf(const Results& results, const Pair& pair) {
  return results.Ratio(pair.table, pair.row, pair.ours, pair.yardstick, kFigure);
}

// What its line begins with, up to the number.
std::string HeadOf(const Pair& pair) {
  return std::string(pair.table) + "\t" + pair.row + "\t" + pair.ours + " : " + pair.yardstick +
         "\tratio\t";
}

}  // namespace

std::string RatioLines(const Results& results) {
  std::string text;
  for (const Pair& pair : kPairs) {
    const std::string thousandths = std::to_string(std::lround(RatioOf(results, pair) * 1000));
    text += HeadOf(pair) + thousandths + "\t" + thousandths + "\t" + thousandths + "\n";
  }
  return text;
}

Comparison HoldAgainst(const Results& results, const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string before{std::istreambuf_iterator<char>(file), {}};
  Comparison comparison;
  comparison.text = "| rate : yardstick | before | now | |\n|---|---|---|---|\n";
  for (const Pair& pair : kPairs) {
    const std::string head = HeadOf(pair);
    const size_t at = before.find(head);
    const double now = RatioOf(results, pair);
    if (at == std::string::npos || now == 0) continue;
    const double was = std::strtod(before.c_str() + at + head.size(), nullptr) / 1000;
    const bool held = now >= kHeldAt * was;
    comparison.held = comparison.held && held;
    char line[200];
    std::snprintf(line, sizeof(line), "| %s, %s : %s | %.2f | %.2f | %s |\n", pair.ours, pair.row,
                  pair.yardstick, was, now, held ? "held" : "**slower**");
    comparison.text += line;
  }
  return comparison;
}

}  // namespace relay
