#include "bench/load/measurement.h"

#include <iterator>

namespace relay {

namespace {

void Append(std::vector<Measurement> more, std::vector<Measurement>& all) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

}  // namespace

std::vector<Measurement> Measurements(BenchSize size) {
  std::vector<Measurement> all = IngestMeasurements(size);
  Append(DeliveryMeasurements(size), all);
  Append(EndToEndMeasurements(size), all);
  if (size == BenchSize::kQuick) return all;
  Append(ScaleMeasurements(), all);
  Append(MemoryMeasurements(), all);
  Append(CostMeasurements(), all);
  return all;
}

}  // namespace relay
