#include "workers/worker_process.h"

#include <unistd.h>

#include <array>
#include <utility>

namespace relay {

namespace {

constexpr Millis kLookAgain{100};
// Instance K of a program on one host listens on its admin port plus 10 K.

std::string HostName() {
  std::array<char, 256> name{};
  return gethostname(name.data(), name.size() - 1) == 0 ? std::string(name.data()) : "unknown";
}

Result<std::unique_ptr<RedisConnection>> Connect(SystemLoop& loop, const Settings& settings,
                                                 const std::string& name, Random& random, Log& log,
                                                 Metrics& metrics) {
  Result<RedisConnectionOptions> options = MakeRedisOptions(settings.redis, name);
  if (!options.ok()) return options.status();
  options->scripts = AllScripts();
  return RedisConnection::Create(loop, *std::move(options), random, log, metrics);
}

CurlHttpClient::Limits ClientLimits(const Settings& settings) {
  CurlHttpClient::Limits limits;
  limits.connect_timeout = settings.delivery.connect_timeout;
  limits.answer_max = static_cast<size_t>(settings.delivery.answer_max);
  limits.connections_kept_max = settings.worker.in_flight_max;
  limits.tls_ca = settings.delivery.tls_ca;
  return limits;
}

}  // namespace

Result<std::unique_ptr<Daemon>> WorkerProcess::Create(const DaemonParts& parts) {
  const auto& [loop, settings, instance, random, log, metrics] = parts;
  Result<SecretBox> box = SecretBox::FromKeyFile(settings.secrets.key_file);
  if (!box.ok()) return box.status();
  Result<AddressGuard> guard = AddressGuard::Create(settings.guard, OwnAddresses());
  if (!guard.ok()) return guard.status();
  Connections connections;
  for (auto [name, connection] : {std::pair{"worker", &connections.commands},
                                  std::pair{"worker-reader", &connections.reader}}) {
    auto made = Connect(loop, settings, name, random, log, metrics);
    if (!made.ok()) return made.status();
    *connection = *std::move(made);
  }
  return std::unique_ptr<Daemon>(new WorkerProcess(loop, settings, instance, random, log, metrics,
                                                   *std::move(box), *std::move(guard),
                                                   std::move(connections)));
}

WorkerProcess::WorkerProcess(SystemLoop& loop, const Settings& settings, int instance,
                             Random& random, Log& log, Metrics& metrics, SecretBox box,
                             AddressGuard guard, Connections connections)
    : loop_(loop),
      settings_(settings),
      instance_(instance),
      log_(log),
      box_(std::move(box)),
      guard_(std::move(guard)),
      connections_(std::move(connections)),
      safety_(loop, *connections_.commands, settings.redis.durability),
      installation_(loop, *connections_.commands,
                    {.schema_version = kSchemaVersion,
                     .partitions = settings.redis.partitions,
                     .secret_key_id = box_.key_id()}),
      catalogs_(loop, *connections_.commands, box_, log),
      resolver_(loop, guard_),
      http_(loop, ClientLimits(settings)),
      attempts_(loop, http_, resolver_, guard_, settings_.delivery, random),
      worker_({.loop = loop,
               .redis = *connections_.commands,
               .reader = *connections_.reader,
               .catalogs = catalogs_,
               .attempts = attempts_,
               .random = random,
               .log = log,
               .metrics = metrics,
               .memory_share = [this] { return safety_.memory_share(); }},
              settings_, random.Hex(16),
              HostName() + "/" + std::to_string(instance) + "/" + std::to_string(getpid())),
      admin_(loop, metrics, [this] { return NotReady(); }),
      start_timer_(loop.NewTimer([this] { StartWhenReady(); })) {
  safety_.WatchMemoryFrom(settings_.broker.shed_at);
  start_timer_->Arm(Micros(0));
}

Status WorkerProcess::Listen() {
  return admin_.ListenAsInstance(settings_.worker.admin_listen, instance_, log_);
}

void WorkerProcess::StartWhenReady() {
  if (draining_) return;
  if (!safety_.safe() || !installation_.agreed()) return start_timer_->Arm(kLookAgain);
  started_ = true;
  log_.Info("started", "Redis is safe, work begins");
  worker_.Start();
}

void WorkerProcess::Drain() {
  // Whoever asks twice does not want to wait: what is in flight comes again, elsewhere.
  if (std::exchange(draining_, true) || !started_) return loop_.Stop();
  worker_.Drain([this, watch = scope_.watch()] {
    if (!watch.gone()) loop_.Stop();
  });
}

std::vector<std::string> WorkerProcess::NotReady() const {
  std::vector<std::string> reasons;
  if (!connections_.commands->up()) {
    reasons.push_back("Redis is away: " + connections_.commands->last_error());
    return reasons;
  }
  for (const ReadinessProblem& problem : safety_.problems()) reasons.push_back(ToLine(problem));
  for (const ReadinessProblem& problem : installation_.problems()) {
    reasons.push_back(ToLine(problem));
  }
  for (std::string& reason : worker_.NotReady()) reasons.push_back(std::move(reason));
  return reasons;
}

}  // namespace relay
