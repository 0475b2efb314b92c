#include "broker/broker.h"

#include <utility>

#include "relay/redis_scripts.h"
#include "relay/stream_layout.h"

namespace relay {
namespace {

// How often readiness is looked at, and the memory of Redis taken over into the admission.
constexpr Millis kTick{100};
constexpr Millis kDrainTick{10};
// Each instance on a host has its own admin port.

HttpLimits LimitsOf(const Settings::Broker& conf) {
  HttpLimits limits;
  limits.connections_max = conf.connections_max;
  limits.per_ip_max = conf.per_ip_max;
  limits.head_bytes_max = static_cast<size_t>(conf.head_max);
  limits.headers_max = conf.headers_max;
  limits.body_bytes_max = static_cast<size_t>(conf.body_max);
  limits.head_deadline = conf.head_deadline;
  limits.body_rate_min = conf.body_rate_min;
  limits.idle = conf.idle;
  return limits;
}

Admission::Limits AdmissionLimitsOf(const Settings& settings) {
  const Settings::Broker& conf = settings.broker;
  // Half of the deadline, so that what is let in is answered before it.
  return {conf.in_flight_max, conf.in_flight_bytes, settings.redis.command_deadline / 2,
          conf.shed_at, conf.refuse_at};
}

Result<std::unique_ptr<RedisConnection>> Connect(SystemLoop& loop, const Settings& settings,
                                                 const std::string& name,
                                                 std::vector<const RedisScript*> scripts,
                                                 Random& random, Log& log, Metrics& metrics) {
  Result<RedisConnectionOptions> options = MakeRedisOptions(settings.redis, name);
  if (!options.ok()) return options.status();
  options->scripts = std::move(scripts);
  return RedisConnection::Create(loop, std::move(options).value(), random, log, metrics);
}

}  // namespace

std::vector<RedisClient*> Broker::Connections::store_clients() const {
  std::vector<RedisClient*> clients;
  for (const auto& store : stores) clients.push_back(store.get());
  return clients;
}

Result<std::unique_ptr<Daemon>> Broker::Create(const DaemonParts& parts) {
  const auto& [loop, settings, instance, random, log, metrics] = parts;
  Result<SecretBox> box = SecretBox::FromKeyFile(settings.secrets.key_file);
  if (!box.ok()) return box.status();
  Connections connections;
  auto control = Connect(loop, settings, "broker-control", AllScripts(), random, log, metrics);
  if (!control.ok()) return control.status();
  connections.control = std::move(control).value();
  for (int i = 0; i < settings.redis.connections; ++i) {
    auto store =
        Connect(loop, settings, "broker-store-" + std::to_string(i), {}, random, log, metrics);
    if (!store.ok()) return store.status();
    connections.stores.push_back(std::move(store).value());
  }
  return std::unique_ptr<Daemon>(new Broker(loop, settings, instance, log, metrics,
                                            std::move(box).value(), std::move(connections)));
}

Broker::Broker(SystemLoop& loop, const Settings& settings, int instance, Log& log, Metrics& metrics,
               SecretBox box, Connections connections)
    : loop_(loop),
      settings_(settings),
      instance_(instance),
      log_(log),
      catalog_version_(metrics.GetGauge("relay_catalog_version", "Version of the catalog in use")),
      ready_gauge_(metrics.GetGauge("relay_ready", "1 while callbacks are taken")),
      box_(std::move(box)),
      connections_(std::move(connections)),
      safety_(loop, *connections_.control, settings.redis.durability),
      installation_(loop, *connections_.control,
                    {kSchemaVersion, settings.redis.partitions, box_.key_id()}),
      catalog_store_(loop, *connections_.control, box_, log),
      admission_(loop.clock(), AdmissionLimitsOf(settings), metrics),
      held_quota_(loop, *connections_.control, settings.redis.partitions, admission_),
      refusals_(loop.clock(), *connections_.control, metrics),
      ingress_(
          loop, connections_.store_clients(), settings.redis.partitions, admission_, held_quota_,
          refusals_, metrics,
          [this](Ingress::Ticket ticket, const HttpAnswer& answer) { OnAnswer(ticket, answer); }),
      server_(
          loop, LimitsOf(settings.broker),
          [this](HttpExchange exchange) { OnRequest(std::move(exchange)); },
          [this](std::string_view reason, int status) {
            ingress_.NoteServerRefusal(reason, status);
          }),
      admin_(loop, metrics, [this] { return NotReady(); }),
      tick_(loop.NewTimer([this] { OnTick(); })),
      start_quiet_(loop.NewTimer([this] { StartAccepting(); })),
      drain_tick_(loop.NewTimer([this] { OnDrainTick(); })) {
  catalog_store_.Watch([this](const CatalogPtr& catalog) { OnSnapshot(catalog); });
  safety_.WatchProblems(scope_, [this] { UpdateReadiness(); });
  connections_.control->WatchState(scope_, [this] { UpdateReadiness(); });
  // Below half of the line even a second of a heavy load stays under it.
  safety_.WatchMemoryFrom(settings.broker.refuse_at / 2);
  tick_->Arm(kTick);
}

Broker::~Broker() = default;

Status Broker::Listen() {
  for (const std::string& text : settings_.broker.listen) {
    const Result<SocketAddress> address = SocketAddress::Parse(text);
    if (!address.ok()) return address.status();
    if (Status status = server_.Bind(*address); !status.ok()) return status;
    log_.Info("listening", "callbacks are taken here",
              {{"address", address->ToString()}, {"port", server_.port()}});
  }
  start_quiet_->Arm(kStartQuiet);
  return admin_.ListenAsInstance(settings_.broker.admin_listen, instance_, log_);
}

void Broker::StartAccepting() {
  start_quiet_->Cancel();
  if (const Status status = server_.StartAccepting(); !status.ok()) {
    log_.Error("not_listening", status.text());
    loop_.Stop();
  }
}

std::vector<std::string> Broker::NotReady() const {
  std::vector<std::string> reasons;
  if (!connections_.control->up()) {
    const std::string& why = connections_.control->last_error();
    reasons.push_back("Redis is away" + (why.empty() ? "" : ": " + why));
    return reasons;  // Everything else follows from it.
  }
  for (const auto& store : connections_.stores) {
    if (!store->up()) {
      reasons.push_back("a connection for events to Redis is not up: " + store->last_error());
      break;
    }
  }
  for (const ReadinessProblem& problem : safety_.problems()) reasons.push_back(ToLine(problem));
  for (const ReadinessProblem& problem : installation_.problems()) {
    reasons.push_back(ToLine(problem));
  }
  if (catalog_store_.snapshot()->version() == 0) {
    reasons.push_back("There is no catalog yet. Fix: relayctl apply FILE");
  }
  return reasons;
}

void Broker::OnTick() {
  tick_->Arm(kTick);
  UpdateReadiness();
}

void Broker::UpdateReadiness() {
  // Before the first callback is taken: a broker that starts on a full Redis must know.
  admission_.SetMemoryShare(safety_.memory_share());
  const std::vector<std::string> reasons = NotReady();
  const bool ready = reasons.empty();
  ingress_.SetReady(ready);
  ready_gauge_.Set(ready ? 1 : 0);
  if (ready && start_quiet_->armed()) StartAccepting();
  if (ready && !ready_) log_.Info("ready", "callbacks are taken");
  if (!ready && reasons.front() != last_reason_) {
    log_.Warning("not_ready", "callbacks are answered 503", {{"reason", reasons.front()}});
  }
  last_reason_ = ready ? "" : reasons.front();
  ready_ = ready;
}

void Broker::OnSnapshot(const CatalogPtr& catalog) {
  ingress_.SetCatalog(catalog);
  catalog_version_.Set(static_cast<double>(catalog->version()));
  log_.Info("catalog", "a catalog is in force",
            {{"version", catalog->version()},
             {"sources", catalog->sources().size()},
             {"tenants", catalog->tenant_count()}});
  UpdateReadiness();
}

void Broker::OnRequest(HttpExchange exchange) {
  if (free_tickets_.empty()) {
    free_tickets_.push_back(static_cast<Ingress::Ticket>(exchanges_.size()));
    exchanges_.emplace_back();
  }
  const Ingress::Ticket ticket = free_tickets_.back();
  const std::optional<HttpAnswer> answer =
      ingress_.Take(ticket, exchange.request(), [&exchange] { return exchange.peer(); });
  if (answer) {
    exchange.Answer(*answer);
    return;
  }
  free_tickets_.pop_back();
  exchanges_[ticket] = std::move(exchange);
}

void Broker::OnAnswer(Ingress::Ticket ticket, const HttpAnswer& answer) {
  // The client may have gone; its event is stored all the same.
  if (exchanges_[ticket].open()) exchanges_[ticket].Answer(answer);
  exchanges_[ticket] = HttpExchange();
  free_tickets_.push_back(ticket);
}

void Broker::Drain() {
  if (drain_tick_->armed()) return;
  start_quiet_->Cancel();
  log_.Info("draining", "no new connections; what is in flight is answered",
            {{"in_flight", server_.in_flight()}});
  server_.StopAccepting();
  drain_until_ = loop_.clock().Now() + kDrain;
  drain_tick_->Arm(kDrainTick);
}

void Broker::OnDrainTick() {
  // Answers may wait in connections that are not closed yet, so those are waited for.
  const bool late = loop_.clock().Now() >= drain_until_;
  if (server_.connections() > 0 && !late) {
    drain_tick_->Arm(kDrainTick);
    return;
  }
  log_.Info("stopped", late ? "some connections were cut" : "everything is answered");
  loop_.Stop();
}

}  // namespace relay
