// How many callbacks a second are stored and acknowledged, beside what answers without storing and
// what others would store with.

#include <algorithm>
#include <utility>

#include "bench/load/ingest_server.h"
#include "bench/load/measurement.h"
#include "bench/load/wrk.h"

namespace relay {

namespace {

using StartServer =
    std::function<std::unique_ptr<IngestServer>(Scene& scene, const IngestSetting& setting)>;

struct Contender {
  std::string name;
  StartServer start;
};

Contender Relay(const std::string& durability) {
  return {"relay " + durability, [durability](Scene& scene, const IngestSetting& setting) {
            return StartRelay(scene, setting, durability);
          }};
}

Contender Fastify(const std::string& name, const std::string& script) {
  return {name, [script](Scene& scene, const IngestSetting& setting) {
            return StartFastify(scene, setting, script);
          }};
}

// What was acknowledged is there, and nothing twice: beyond it only what was on its way when the
// load was cut off.
void Account(Scene& scene, IngestServer& server, int64_t answered, int64_t cut_off_most) {
  const std::optional<int64_t> stored = server.Stored();
  if (!stored) return;
  scene.Worst("acknowledged", answered);
  scene.Worst("stored", *stored);
  scene.Expect(*stored >= answered && *stored <= answered + cut_off_most,
               std::to_string(answered) + " acknowledged, " + std::to_string(*stored) + " stored");
}

void Measure(Scene& scene, const IngestSetting& setting, Seconds time, const StartServer& start) {
  const auto server = start(scene, setting);
  WrkLoad load{server->url(), setting.connections, setting.body_bytes, time};
  const WrkRun first = WarmUpWithWrk(scene, load);
  const Millis cpu = server->CpuTime();
  const WrkRun run = MeasureWithWrk(scene, load);
  scene.Expect(first.failed + run.failed == 0,
               std::to_string(first.failed + run.failed) + " callbacks were not acknowledged");
  scene.Worst("cpu_ns",
              (server->CpuTime() - cpu).count() * 1'000'000 / std::max<int64_t>(1, run.answered));
  Account(scene, *server, first.answered + run.answered, 2 * setting.connections);
}

struct Row {
  std::string name;
  IngestSetting setting;
  Seconds time{4};
};

void AddRow(const Row& row, const std::vector<Contender>& contenders,
            std::vector<Measurement>& measurements) {
  for (const Contender& contender : contenders) {
    measurements.push_back({"ingest", row.name, contender.name, [row, contender](Scene& scene) {
                              Measure(scene, row.setting, row.time, contender.start);
                            }});
  }
}

}  // namespace

std::vector<Measurement> IngestMeasurements(BenchSize size) {
  const Contender nginx{"nginx", &StartNginx};
  std::vector<Contender> all = {
      nginx, Relay("everysec"), Relay("always"), {"evhttp", &StartEvhttp}};
  std::vector<Measurement> measurements;
  if (size == BenchSize::kQuick) {
    AddRow({"64 connections", {}, Seconds(3)}, all, measurements);
    return measurements;
  }
  all.push_back(Fastify("Fastify + XADD", "fastify_xadd.js"));
  all.push_back(Fastify("Fastify + BullMQ", "fastify_bullmq.js"));
  AddRow({"64 connections", {}}, all, measurements);

  // From there, one factor at a time.
  const std::vector<Contender> few = {nginx, Relay("everysec"), Relay("always")};
  for (const int connections : {16, 256, 1024}) {
    AddRow({std::to_string(connections) + " connections", {.connections = connections}}, few,
           measurements);
  }
  AddRow({"4 KB", {.body_bytes = 4096}}, few, measurements);
  AddRow({"64 KB", {.body_bytes = 65536}, Seconds(2)}, few, measurements);
  AddRow({"two processes", {.processes = 2}}, few, measurements);
  return measurements;
}

}  // namespace relay
