#include "bench/load/ingest_server.h"

#include <utility>

#include "bench/load/bench_options.h"
#include "bench/load/nginx.h"
#include "bench/load/redis_view.h"
#include "tests/chaos/installation.h"
#include "tests/chaos/process_facts.h"

namespace relay {

namespace {

constexpr Millis kStartPatience{20000};

std::string UrlOf(int port, const std::string& path) {
  return "http://127.0.0.1:" + std::to_string(port) + path;
}

class RelayServer : public IngestServer {
 public:
  RelayServer(Scene& scene, const IngestSetting& setting, const std::string& durability)
      : scene_(scene), relay_(scene, BenchOptions(durability)) {
    relay_.Apply({{"nobody", FreeLoopbackPort(), ""}});
    for (int i = 1; i <= setting.processes; ++i) {
      relay_.StartBroker("broker-" + std::to_string(i));
    }
  }
  std::string url() override { return relay_.url(); }
  std::optional<int64_t> Stored() override { return RedisView(scene_, relay_.redis()).Entries(); }
  Millis CpuTime() override {
    Millis sum{0};
    for (const std::string& name : relay_.programs()) sum += CpuTimeOf(relay_.program(name).pid());
    return sum;
  }

 private:
  Scene& scene_;
  Installation relay_;
};

class NginxServer : public IngestServer {
 public:
  NginxServer(Scene& scene, const IngestSetting& setting)
      : nginx_(scene, {.processes = setting.processes}) {}
  std::string url() override { return UrlOf(nginx_.port(), "/in/demo"); }
  Millis CpuTime() override { return nginx_.CpuTime(); }

 private:
  Nginx nginx_;
};

// A program that takes `--port N` and prints "ready" when it serves.
class OtherServer : public IngestServer {
 public:
  OtherServer(Scene& scene, std::vector<std::string> command, std::unique_ptr<RedisProcess> redis)
      : scene_(scene), port_(FreeLoopbackPort()), redis_(std::move(redis)) {
    command.insert(command.end(), {"--port", std::to_string(port_)});
    if (redis_) command.insert(command.end(), {"--redis", redis_->socket_path()});
    program_ = std::make_unique<ChildProgram>(std::move(command), scene.folder() + "/server.out");
    if (!program_->WaitForOutput("ready", kStartPatience)) {
      scene_.Abandon("a server does not start: " + program_->Output());
    }
  }
  std::string url() override { return UrlOf(port_, "/in/demo"); }
  std::optional<int64_t> Stored() override {
    if (!redis_) return std::nullopt;
    RedisView view(scene_, *redis_);
    return view.Length("events") + view.ListLength("bull:events:wait");
  }
  Millis CpuTime() override { return CpuTimeOf(program_->pid()); }

 private:
  Scene& scene_;
  const int port_;
  std::unique_ptr<RedisProcess> redis_;
  std::unique_ptr<ChildProgram> program_;
};

}  // namespace

std::unique_ptr<IngestServer> StartRelay(Scene& scene, const IngestSetting& setting,
                                         const std::string& durability) {
  return std::make_unique<RelayServer>(scene, setting, durability);
}

std::unique_ptr<IngestServer> StartNginx(Scene& scene, const IngestSetting& setting) {
  return std::make_unique<NginxServer>(scene, setting);
}

std::unique_ptr<IngestServer> StartEvhttp(Scene& scene, const IngestSetting&) {
  return std::make_unique<OtherServer>(
      scene, std::vector<std::string>{RELAY_BIN_DIR "/evhttp_constant"}, nullptr);
}

std::unique_ptr<IngestServer> StartFastify(Scene& scene, const IngestSetting&,
                                           const std::string& script) {
  RedisProcess::Options options;
  options.maxmemory = BenchOptions().maxmemory;
  auto redis = std::make_unique<RedisProcess>(options);
  scene.Require(redis->Start(), "Redis does not start");
  return std::make_unique<OtherServer>(
      scene, std::vector<std::string>{"node", kRoomToBeYoung, RELAY_YARDSTICKS "/node/" + script},
      std::move(redis));
}

}  // namespace relay
