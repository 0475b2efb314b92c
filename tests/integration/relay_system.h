#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "relay/clock.h"
#include "tests/support/child_program.h"
#include "tests/support/redis_process.h"

namespace relay {

// What one run of relayctl came to.
struct Ran {
  int status = -1;  // -1: it did not end in time.
  std::string output;
};

// One endpoint of the catalog that a test applies.
struct EndpointSpec {
  std::string id;
  int port = 0;
  std::string more;  // Further TOML lines of the endpoint.
};

// The whole installation of one test: a private Redis and the real programs around it, on loopback
// ports that the kernel picks, with all files in one temporary folder. Tenant `acme`, source path
// `demo`, key `demo-key`, as in the demo.
class RelaySystem {
 public:
  // `allow_loopback` opens the address guard for the sinks of the test.
  explicit RelaySystem(const std::string& durability = "everysec", bool allow_loopback = true);
  ~RelaySystem();

  RedisProcess& redis() { return redis_; }
  const std::string& folder() const { return folder_; }
  std::string conf_path() const { return folder_ + "/relay.toml"; }

  // Starts one more broker or worker and waits until it is ready.
  ChildProgram& StartBroker();
  ChildProgram& StartWorker();
  // Starts a worker without waiting: for tests in which it cannot become ready.
  ChildProgram& LaunchWorker();
  // Starts `relayctl sink` for endpoint `name` on `port` (0: a free one) and returns its port. The
  // same name again appends to the same log.
  int StartSink(const std::string& name, const std::vector<std::string>& options = {},
                int port = 0);
  ChildProgram& sink(const std::string& name) { return *sinks_.at(name); }
  int broker_port() const { return broker_port_; }
  int broker_admin_port() const { return broker_admin_port_; }
  int worker_admin_port() const { return worker_admin_port_; }
  std::string url() const;
  std::string log_path(const std::string& name) const { return folder_ + "/" + name + ".jsonl"; }

  std::string Catalog(const std::vector<EndpointSpec>& endpoints) const;
  // Applies a catalog with these endpoints; fails the test when relayctl does not take it.
  void Apply(const std::vector<EndpointSpec>& endpoints);
  Ran Relayctl(std::vector<std::string> arguments, Millis patience = Seconds(60));
  std::unique_ptr<ChildProgram> RelayctlBeside(std::vector<std::string> arguments);
  // Sends callbacks to the broker; the log is log_path("sent").
  Ran Simulate(const std::vector<std::string>& options);
  // The same, on its own while the test goes on.
  std::unique_ptr<ChildProgram> SimulateBeside(const std::vector<std::string>& options);
  // True when every accepted event is settled and no delivery is pending, before `patience` ends.
  bool WaitUntilDrained(Millis patience = Seconds(60));
  // relayctl verify over the logs of the named sinks (all when empty), against the last catalog.
  Ran Verify(const std::vector<std::string>& options = {});
  Ran Fsck() { return Relayctl({"fsck"}); }
  // Lines in a sink's log.
  int Received(const std::string& name) const;

 private:
  ChildProgram& Launch(const std::string& program);

  std::string folder_;
  RedisProcess redis_;
  int broker_port_ = 0;
  int broker_admin_port_ = 0;
  int worker_admin_port_ = 0;
  int launched_ = 0;
  int ran_ = 0;
  std::map<std::string, std::unique_ptr<ChildProgram>> sinks_;
  std::vector<std::unique_ptr<ChildProgram>> programs_;
};

// The accountant finds nothing lost, invented or damaged, and the books in Redis are exact.
void ExpectNothingLost(RelaySystem& relay, const std::vector<std::string>& verify_options = {});

// `GET path` on a loopback port; the answer with its head, empty when there was none.
std::string HttpGet(int port, const std::string& path);
// Sends `bytes` to a loopback port and returns all that comes back until the other side closes or
// `patience` ends.
std::string SendRaw(int port, const std::string& bytes, Millis patience = Seconds(5));
// Whether a loopback port could be listened on just now.
bool PortIsFree(int port);
// A signed callback for source `demo` as a whole HTTP request that asks to be closed.
std::string SignedCallback(const std::string& stream, const std::string& sequence);

}  // namespace relay
