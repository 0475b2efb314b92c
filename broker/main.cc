// relay-broker: only wiring.

#include "broker/broker.h"
#include "relay/daemon.h"

int main(int argc, char** argv) {
  relay::DaemonSpec spec;
  spec.name = "relay-broker";
  spec.purpose = "Takes callbacks, stores them in Redis, acknowledges them.";
  spec.files_key = "broker.connections_max";
  spec.files_max = [](relay::Settings& settings) -> int& {
    return settings.broker.connections_max;
  };
  spec.make = [](const relay::DaemonParts& parts) { return relay::Broker::Create(parts); };
  return relay::RunDaemon(spec, argc, argv);
}
