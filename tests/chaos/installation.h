#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/loopback_http.h"
#include "tests/chaos/scene.h"
#include "tests/support/child_program.h"
#include "tests/support/redis_process.h"

namespace relay {

// How one of our programs is run.
struct ProgramOptions {
  // In front of it: faketime, nsenter, prlimit.
  std::vector<std::string> wrapper = {};
  // "NAME=value"; RELAY_<SECTION>_<KEY> changes its conf.
  std::vector<std::string> environment = {};
  // Where its admin listener is found: as its conf says.
  std::string admin_host = "127.0.0.1";
};

// One endpoint of the catalog.
struct ChaosEndpoint {
  std::string id;
  int port = 0;
  std::string more = "";  // Further TOML lines.
  std::string path = "/hook";
  std::string scheme_host = "http://127.0.0.1";
};

// What a program that ran to its end came to.
struct ProgramRun {
  int status = -1;  // -1: it did not end in time.
  std::string output;
};

// A whole relay on this machine: a private Redis, and the real brokers, workers, receivers and load
// around it, each a process that the scenario may kill, freeze and start again. All files are in
// the scene's folder. Tenant `acme`, source path `demo`, key `demo-key`.
//
// A program that does not start or does not become ready ends the round (Scene::Abandon): whatever
// a scenario does, a relay that does not come back is a breach.
class Installation {
 public:
  struct Options {
    std::string durability = "always";
    std::string maxmemory = "512mb";
    int credit = 500;                  // Entries that a worker holds: bounds what a crash repeats.
    std::string conf = "";             // Further lines of relay.toml: whole sections.
    RedisProcess::Options redis = {};  // Its appendfsync and maxmemory follow from the above.
  };

  Installation(Scene& scene, Options options);
  explicit Installation(Scene& scene) : Installation(scene, Options{}) {}
  ~Installation();

  RedisProcess& redis() { return *redis_; }
  // Starts Redis again and waits until it answers.
  void StartRedis();
  std::string conf_path() const { return folder_ + "/relay.toml"; }
  std::string path(const std::string& name) const { return folder_ + "/" + name; }

  // ---- Brokers and workers, by name ("broker-1", "worker-2")

  void StartBroker(const std::string& name, ProgramOptions options = {});
  void StartWorker(const std::string& name, ProgramOptions options = {});
  // Starts one that has been started before, as it was; does not wait.
  void StartAgain(const std::string& name);
  // Waits until /readyz says yes.
  void AwaitReady(const std::string& name, Millis patience = Seconds(20));
  bool Ready(const std::string& name);
  void Kill(const std::string& name) { program(name).Kill9(); }
  ChildProgram& program(const std::string& name);
  // A sum over the label sets of a series of its /metrics, or over those that begin as given
  // (`name{label="value"`); 0 when it cannot be asked.
  double Metric(const std::string& name, const std::string& series);
  int admin_port(const std::string& name);
  // No broker and no worker has ended by itself.
  void ExpectAllRunning();
  // Names of all brokers and workers.
  std::vector<std::string> programs() const;
  // What a program has printed since its last start.
  std::string Output(const std::string& name) { return program(name).Output(); }

  int broker_port() const { return broker_port_; }
  std::string url() const;

  // ---- Receivers, catalog, load

  // `relayctl sink`; returns its port. It checks signatures made with EndpointOf() of its name.
  int StartSink(const std::string& name, std::vector<std::string> options = {},
                const ProgramOptions& how = {});
  ChildProgram& sink(const std::string& name) { return *sinks_.at(name); }
  // A log of received requests that verify is to read, too.
  void AddReceivedLog(const std::string& path) { received_logs_.push_back(path); }
  static std::string SecretOf(const std::string& name);
  // The TOML line by which an endpoint signs with it.
  static std::string SigningOf(const std::string& name);
  // The TOML lines of an endpoint whose sink has this name: its secret, and a schedule of retries
  // that a round has time for.
  static std::string EndpointOf(const std::string& sink);
  // The schedule alone.
  static std::string RetryOften();
  void Apply(const std::vector<ChaosEndpoint>& endpoints);
  // A sink and an endpoint of the same name for each; returns the endpoints, applied.
  std::vector<ChaosEndpoint> StartSinksAndApply(const std::vector<std::string>& names,
                                                const std::string& more = "in_flight_max = 100");

  ProgramRun Relayctl(std::vector<std::string> arguments, Millis patience = Seconds(60));
  // The same by the program as it is shipped, whatever defect is planted: for what judges.
  ProgramRun SoundRelayctl(std::vector<std::string> arguments, Millis patience = Seconds(60));
  std::unique_ptr<ChildProgram> RelayctlBeside(std::vector<std::string> arguments);
  // `relayctl simulate tencent-live` at our broker, beside the scenario; all write one log.
  std::unique_ptr<ChildProgram> Load(const std::vector<std::string>& options);
  std::string sent_log() const { return path("sent.jsonl"); }
  // Waits for its end, which must come. A hunt glances at the books meanwhile.
  std::string AwaitLoad(ChildProgram& load, Millis patience);
  // Lines in a sink's log.
  int Received(const std::string& sink) const;

  // ---- The state of the work

  // A number of the last line of `relayctl status --json`; -1 when it cannot be had.
  int64_t Status(const std::string& name);
  // Waits until nothing is unsettled, but for what workers cannot decode, and nothing pending, for
  // as long as that makes progress at least every `stuck`.
  bool Drained(Millis stuck = Seconds(20));
  std::string catalog_path() const { return path("catalog.toml"); }
  std::vector<std::string> received_logs() const { return received_logs_; }
  Scene& scene() { return scene_; }

 private:
  struct Program {
    std::string binary;
    ProgramOptions options;
    std::unique_ptr<ChildProgram> child;
    int launches = 0;
    int admin_port = 0;  // 0: not known since the last start.
  };

  // Entries that a power cut has left with holes; they stay for the operator to see.
  int64_t Undecodable();
  LoopbackAnswer AskAdmin(const std::string& name, const std::string& path);
  std::string Binary(const std::string& name) const;
  void WriteConf();
  void ReserveBrokerPort();
  void Launch(const std::string& name, Program& program);
  std::string NewOutput(const std::string& stem);

  Scene& scene_;
  const Options options_;
  const std::string folder_;
  std::unique_ptr<RedisProcess> redis_;
  int reserved_socket_ = -1;  // Keeps the brokers' port ours while no broker listens.
  int broker_port_ = 0;
  int outputs_ = 0;
  std::map<std::string, Program> programs_;
  std::map<std::string, std::unique_ptr<ChildProgram>> sinks_;
  std::vector<std::string> received_logs_;
};

}  // namespace relay
