#pragma once

#include <string>
#include <vector>

#include "tests/chaos/scenario_table.h"

namespace relay {

// One run of whole programs that yields figures: a contender under one setting. What a table puts
// side by side is measured in turn, round by round, so that a ratio compares runs that had the same
// machine.
//
// `run` has a Scene (tests/chaos/scene.h) to itself: it puts its figures there by Worst(), with
// their unit in the name, and by Expect() what makes it a failed run: anything lost or repeated.
struct Measurement {
  std::string table;      // "ingest": what is held against each other stands in one table.
  std::string row;        // The setting: "64 connections, 0.4 KB".
  std::string contender;  // "nginx", "relay everysec".
  std::function<void(Scene& scene)> run;
};

enum class BenchSize { kQuick, kFull };

// All measurements of a size, in the order of the report.
std::vector<Measurement> Measurements(BenchSize size);

std::vector<Measurement> IngestMeasurements(BenchSize size);
std::vector<Measurement> DeliveryMeasurements(BenchSize size);
std::vector<Measurement> EndToEndMeasurements(BenchSize size);
std::vector<Measurement> ScaleMeasurements();
std::vector<Measurement> MemoryMeasurements();
std::vector<Measurement> CostMeasurements();

}  // namespace relay
