#pragma once

#include <memory>
#include <string>
#include <vector>

#include "broker/admission.h"
#include "broker/held_quota.h"
#include "broker/ingress.h"
#include "broker/refusal_log.h"
#include "relay/admin_listener.h"
#include "relay/catalog_store.h"
#include "relay/daemon.h"
#include "relay/event_loop.h"
#include "relay/http_server.h"
#include "relay/installation.h"
#include "relay/log.h"
#include "relay/metrics.h"
#include "relay/random.h"
#include "relay/redis_connection.h"
#include "relay/redis_safety.h"
#include "relay/secret_box.h"
#include "relay/settings.h"
#include "relay/status.h"

namespace relay {

// One broker process: listens for callbacks, stores them in Redis, acknowledges. It keeps no state
// but what is in flight, so any number of them may share a port.
//
// It takes callbacks while it is ready: Redis is there and as safe as conf says, the installation
// agrees with ours, and there is a catalog. Otherwise it stays up, answers 503, and says at /readyz
// what is missing.
//
// What is given to Create() outlives it. Loop thread only.
class Broker final : public Daemon {
 public:
  // So long after its start it leaves all callbacks to the other brokers of its port unless it is
  // ready before: one that is about to be has no reason to refuse any.
  static constexpr Millis kStartQuiet{1000};
  // What is in flight at SIGTERM has this long to be answered.
  static constexpr Millis kDrain{4500};

  // InvalidArgument or NotFound when conf cannot be followed (key file, addresses).
  static Result<std::unique_ptr<Daemon>> Create(const DaemonParts& parts);
  ~Broker() override;

  Status Listen() override;
  // Stops accepting, answers what is in flight, then stops the loop, after kDrain at the latest.
  void Drain() override;

 private:
  // Everything that speaks to Redis, in the order of construction.
  struct Connections {
    std::unique_ptr<RedisConnection> control;  // Catalog, safety, refusals, quotas.
    std::vector<std::unique_ptr<RedisConnection>> stores;

    std::vector<RedisClient*> store_clients() const;
  };

  Broker(SystemLoop& loop, const Settings& settings, int instance, Log& log, Metrics& metrics,
         SecretBox box, Connections connections);

  std::vector<std::string> NotReady() const;
  void OnTick();
  void UpdateReadiness();
  void StartAccepting();
  void OnSnapshot(const CatalogPtr& catalog);
  void OnRequest(HttpExchange exchange);
  void OnAnswer(Ingress::Ticket ticket, const HttpAnswer& answer);
  void OnDrainTick();

  SystemLoop& loop_;
  const Settings settings_;
  const int instance_;
  Log& log_;
  Gauge& catalog_version_;
  Gauge& ready_gauge_;

  const SecretBox box_;
  Connections connections_;
  RedisSafety safety_;
  Installation installation_;
  CatalogStore catalog_store_;
  Admission admission_;
  HeldQuota held_quota_;
  RefusalLog refusals_;
  Ingress ingress_;
  HttpServer server_;
  AdminListener admin_;

  // Requests whose events are on their way to Redis, by ticket, and the tickets that are free.
  std::vector<HttpExchange> exchanges_;
  std::vector<Ingress::Ticket> free_tickets_;

  bool ready_ = false;
  std::string last_reason_;  // The first reason in the log, so that each change stands there once.
  std::unique_ptr<Timer> tick_;
  std::unique_ptr<Timer> start_quiet_;  // Armed from Listen() until callbacks are accepted.
  std::unique_ptr<Timer> drain_tick_;
  MonoTime drain_until_;
  CallScope scope_;
};

}  // namespace relay
