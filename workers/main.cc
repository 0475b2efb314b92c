// relay-worker: only wiring.

#include "relay/daemon.h"
#include "workers/worker_process.h"

int main(int argc, char** argv) {
  relay::DaemonSpec spec;
  spec.name = "relay-worker";
  spec.purpose = "Reads events from Redis and delivers them to customers.";
  spec.files_key = "worker.in_flight_max";
  spec.files_max = [](const relay::Settings& settings) { return settings.worker.in_flight_max; };
  spec.make = [](const relay::DaemonParts& parts) { return relay::WorkerProcess::Create(parts); };
  return relay::RunDaemon(spec, argc, argv);
}
