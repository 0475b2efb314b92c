// relay-worker: only wiring.

#include "relay/daemon.h"
#include "workers/worker_process.h"

int main(int argc, char** argv) {
  relay::DaemonSpec spec;
  spec.name = "relay-worker";
  spec.purpose = "Reads events from Redis and delivers them to customers.";
  spec.files_key = "worker.in_flight_max";
  spec.files_max = [](relay::Settings& settings) -> int& { return settings.worker.in_flight_max; };
  // An attempt without a descriptor would count against its endpoint.
  spec.files_lowered = true;
  spec.make = [](const relay::DaemonParts& parts) { return relay::WorkerProcess::Create(parts); };
  return relay::RunDaemon(spec, argc, argv);
}
