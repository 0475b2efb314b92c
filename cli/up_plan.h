#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/child_process.h"
#include "cli/command.h"
#include "relay/settings.h"
#include "relay/status.h"
#include "relay/transport.h"

namespace relay {

// What `relayctl up` was asked for.
struct UpOptions {
  bool demo = false;
  bool once = false;   // End when the demo event has arrived everywhere.
  std::string folder;  // --data; empty: a temporary one, removed at the end.
  int base_port = 0;   // 0: the ports of conf.
  int brokers = 1;
  int workers = 1;
  int sinks = -1;  // -1: three with --demo, else none.
};

// Everything that follows from the options before anything is started: folders, ports, conf, the
// command line of each child.
struct UpPlan {
  std::string folder;
  std::string programs;     // Where relay-broker and relay-worker are: beside relayctl.
  std::string conf_folder;  // Where redis.conf and catalog.demo.toml are.
  std::string relayctl;     // This program.
  Settings settings;        // Of this run; written to settings_path().
  std::vector<std::string> environment;  // Of the children.
  int brokers = 0;
  int workers = 0;
  std::vector<SocketAddress> sinks;
  std::vector<SocketAddress> listen;  // Of all brokers together.
  std::vector<SocketAddress> admin;   // Of each broker, then of each worker.

  std::string settings_path() const { return folder + "/relay.toml"; }
  std::string socket_path() const { return folder + "/redis.sock"; }
  std::string sink_log(size_t index) const {
    return folder + "/sink-" + std::to_string(index + 1) + ".jsonl";
  }
  std::string log_of(const std::string& name) const { return folder + "/" + name + ".log"; }
  // Every address that must be free.
  std::vector<SocketAddress> Addresses() const;
};

// The number that the index-th broker or worker gets by --instance: 0, 2, 3, ... Instance 1 is left
// out because its admin ports (ten above the first ones) would be those of the sinks.
int InstanceNumber(int index);

// Works out the plan and starts nothing. `settings` are those of --config, or the defaults;
// `folder` is where everything goes. InvalidArgument says which address cannot be used.
Result<UpPlan> MakeUpPlan(const UpOptions& options, Settings settings, const std::string& folder);

inline constexpr const char* kRedisName = "redis-server";

// The children, in the order in which they are started. `secrets` are the options that let the
// index-th sink verify what it gets.
ChildSpec RedisChild(const UpPlan& plan);
ChildSpec BrokerChild(const UpPlan& plan, int index);
ChildSpec WorkerChild(const UpPlan& plan, int index);
ChildSpec SinkChild(const UpPlan& plan, size_t index, const std::vector<std::string>& secrets);

// Writes redis.conf, relay.toml and, at the first time, the key of the secrets.
Status WriteUpFiles(const UpPlan& plan);

}  // namespace relay
