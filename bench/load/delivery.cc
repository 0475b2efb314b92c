// How many deliveries a second one worker makes, beside a bare libcurl loop that posts the same
// bytes and what others would deliver with. The receivers are the same for all: an nginx that
// answers at once.

#include <utility>

#include "bench/load/bench_options.h"
#include "bench/load/measurement.h"
#include "bench/load/receivers.h"
#include "tests/chaos/books.h"
#include "tests/chaos/process_facts.h"

namespace relay {

namespace {

// Of a delivery of simulate's callbacks: what the bare loop sends.
constexpr const char* kBodyBytes = "480";

struct DeliverySetting {
  int fan_out = 3;
  int failing_percent = 0;
  bool tls = false;
  int64_t requests = 120000;
};

Nginx::Options ReceiversOf(const DeliverySetting& setting) {
  return {.ports = setting.fan_out, .failing_percent = setting.failing_percent, .tls = setting.tls};
}

// All that is to be delivered is stored before the worker starts.
void MeasureWorker(Scene& scene, const DeliverySetting& setting) {
  Nginx receivers(scene, ReceiversOf(setting));
  Installation::Options options = BenchOptions();
  if (setting.tls) options.conf = "[delivery]\ntls_ca = \"" + receivers.pem() + "\"\n";
  Installation relay(scene, options);
  relay.Apply(EndpointsAt(receivers, setting.fan_out, setting.tls));
  relay.StartBroker("broker");
  const int64_t events = setting.requests / setting.fan_out;
  Preload(relay, events);
  relay.StartWorker("worker");
  const pid_t worker = relay.program("worker").pid();
  MeasurePace(scene, receivers, events * setting.fan_out, [worker] { return CpuTimeOf(worker); });
  ExpectDelivered(relay, receivers, events * setting.fan_out, setting.failing_percent > 0);
}

std::vector<std::string> UrlsOf(const Nginx& receivers, const DeliverySetting& setting) {
  std::vector<std::string> urls;
  for (int i = 0; i < setting.fan_out; ++i) {
    urls.push_back((setting.tls ? "https://127.0.0.1:" : "http://127.0.0.1:") +
                   std::to_string(receivers.port(i)) + "/hook");
  }
  return urls;
}

void MeasureBareLoop(Scene& scene, const DeliverySetting& setting) {
  Nginx receivers(scene, ReceiversOf(setting));
  const int64_t each = setting.requests / setting.fan_out;
  std::vector<std::string> command = {RELAY_BIN_DIR "/curl_poster",
                                      "--body-bytes",
                                      kBodyBytes,
                                      "--count",
                                      std::to_string(each),
                                      "--in-flight",
                                      std::to_string(kInFlightOfEndpoint)};
  if (setting.tls) command.insert(command.end(), {"--ca", receivers.pem()});
  for (const std::string& url : UrlsOf(receivers, setting)) {
    command.insert(command.end(), {"--to", url});
  }
  ChildProgram poster(command, scene.folder() + "/poster.out");
  MeasurePace(scene, receivers, each * setting.fan_out,
              [&poster] { return CpuTimeOf(poster.pid()); });
  scene.Expect(poster.Wait(Seconds(20)) == 0, "curl_poster: " + poster.Output());
  scene.Expect(Account(poster.Output()).Number("failures") == 0, poster.Output());
}

void MeasureBullMq(Scene& scene, const DeliverySetting& setting) {
  Nginx receivers(scene, ReceiversOf(setting));
  RedisProcess::Options options;
  options.maxmemory = BenchOptions().maxmemory;
  RedisProcess redis(options);
  scene.Require(redis.Start(), "Redis does not start");
  const int64_t each = setting.requests / setting.fan_out;
  const std::vector<std::string> urls = UrlsOf(receivers, setting);
  std::vector<std::string> preload = {"node",    RELAY_YARDSTICKS "/node/bullmq_preload.js",
                                      "--redis", redis.socket_path(),
                                      "--bytes", kBodyBytes,
                                      "--count", std::to_string(each)};
  preload.insert(preload.end(), urls.begin(), urls.end());
  Run(scene, preload, Seconds(120));
  ChildProgram worker(
      {"node", kRoomToBeYoung, RELAY_YARDSTICKS "/node/bullmq_worker.js", "--redis",
       redis.socket_path(), "--concurrency", std::to_string(kInFlightOfEndpoint * setting.fan_out)},
      scene.folder() + "/bullmq.out");
  MeasurePace(scene, receivers, each * setting.fan_out,
              [&worker] { return CpuTimeOf(worker.pid()); });
}

using Deliver = void (*)(Scene& scene, const DeliverySetting& setting);

void Add(const std::string& row, const DeliverySetting& setting,
         const std::vector<std::pair<std::string, Deliver>>& contenders,
         std::vector<Measurement>& measurements) {
  for (const auto& [name, deliver] : contenders) {
    measurements.push_back({"delivery", row, name, [setting, deliver = deliver](Scene& scene) {
                              deliver(scene, setting);
                            }});
  }
}

}  // namespace

std::vector<Measurement> DeliveryMeasurements(BenchSize size) {
  const std::pair<std::string, Deliver> worker{"relay", &MeasureWorker};
  const std::pair<std::string, Deliver> loop{"bare libcurl loop", &MeasureBareLoop};
  std::vector<Measurement> measurements;
  if (size == BenchSize::kQuick) {
    Add("fan-out 3", {.requests = 60000}, {worker, loop}, measurements);
    return measurements;
  }
  Add("fan-out 3", {}, {worker, loop, {"BullMQ + undici", &MeasureBullMq}}, measurements);
  Add("fan-out 1", {.fan_out = 1}, {worker, loop}, measurements);
  Add("fan-out 10", {.fan_out = 10}, {worker, loop}, measurements);
  Add("fan-out 3, TLS", {.tls = true}, {worker, loop}, measurements);
  for (const int percent : {2, 20}) {
    Add("fan-out 3, " + std::to_string(percent) + " % answered 500", {.failing_percent = percent},
        {worker}, measurements);
  }
  return measurements;
}

}  // namespace relay
