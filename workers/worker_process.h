#pragma once

#include <memory>
#include <string>
#include <vector>

#include "relay/admin_listener.h"
#include "relay/catalog_store.h"
#include "relay/daemon.h"
#include "relay/event_loop.h"
#include "relay/installation.h"
#include "relay/log.h"
#include "relay/metrics.h"
#include "relay/random.h"
#include "relay/redis_connection.h"
#include "relay/redis_safety.h"
#include "relay/secret_box.h"
#include "relay/settings.h"
#include "workers/address_guard.h"
#include "workers/attempt.h"
#include "workers/http_client.h"
#include "workers/resolver.h"
#include "workers/worker.h"

namespace relay {

// One worker process: a Worker on real connections, and what an operator sees of it.
//
// It begins to work when Redis has been found safe and the installation agrees with ours; before
// that, and whenever something is missing later, /readyz says what.
//
// What is given to Create() outlives it. Loop thread only.
class WorkerProcess final : public Daemon {
 public:
  // InvalidArgument or NotFound when conf cannot be followed (key file, addresses, guard).
  static Result<std::unique_ptr<Daemon>> Create(const DaemonParts& parts);

  Status Listen() override;
  // Gives everything back, then stops the loop; asked a second time, stops it at once.
  void Drain() override;

 private:
  struct Connections {
    std::unique_ptr<RedisConnection> commands;
    std::unique_ptr<RedisConnection> reader;
  };

  WorkerProcess(SystemLoop& loop, const Settings& settings, int instance, Random& random, Log& log,
                Metrics& metrics, SecretBox box, AddressGuard guard, Connections connections);

  void StartWhenReady();
  std::vector<std::string> NotReady() const;

  SystemLoop& loop_;
  const Settings settings_;
  const int instance_;
  Log& log_;
  const SecretBox box_;
  const AddressGuard guard_;
  Connections connections_;
  RedisSafety safety_;
  Installation installation_;
  CatalogStore catalogs_;
  AresResolver resolver_;
  CurlHttpClient http_;
  Attempts attempts_;
  Worker worker_;
  AdminListener admin_;
  bool started_ = false;
  bool draining_ = false;
  std::unique_ptr<Timer> start_timer_;
  CallScope scope_;
};

}  // namespace relay
