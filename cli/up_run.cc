#include "cli/up_run.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <charconv>
#include <csignal>
#include <cstdio>
#include <utility>

#include "cli/command.h"
#include "cli/loopback_http.h"
#include "cli/progress.h"
#include "relay/redis_scripts.h"
#include "relay/stream_layout.h"

namespace relay {

namespace {

constexpr Millis kTick{10};
constexpr Millis kStatusTick{1000};
// Each step before "ready" has this long; Redis may have to load a large file.
constexpr Millis kStepPatience{60000};
// The failing endpoint of the demo recovers after 1 s and 5 s, each with jitter.
constexpr Millis kDemoPatience{30000};
constexpr Millis kAskPatience{500};
constexpr const char* kCounterNames[] = {"settled", "fan", "ok", "dead", "dropped"};

// The whole number that `text` begins with; 0 when it begins with none, as a counter's absence.
int64_t NumberOf(const std::string& text) {
  int64_t number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

// What the run exits with when a child ended too early: what a program of ours exits with means the
// same here.
int CodeFor(const Supervisor::Death& death) {
  if (death.spec.name == kRedisName) return kExitRedis;
  const bool told = WIFEXITED(death.wait_status) && WEXITSTATUS(death.wait_status) != 0;
  return told ? WEXITSTATUS(death.wait_status) : int{kExitCheckFailed};
}

}  // namespace

UpRun::UpRun(SystemLoop& loop, UpPlan plan, UpOptions options)
    : loop_(loop),
      plan_(std::move(plan)),
      options_(std::move(options)),
      terminal_(isatty(STDOUT_FILENO) != 0),
      log_(Log::Silent()),
      random_(Random::FromSystem()),
      begun_(loop.clock().Now()),
      step_begun_(begun_),
      tick_(loop.NewTimer([this] { OnTick(); })),
      supervisor_(std::make_unique<Supervisor>(
          loop, [this](const Supervisor::Death& death) { OnDeath(death); })) {
  for (const auto& [number, code] :
       {std::pair(SIGINT, int{kExitInterrupted}), std::pair(SIGTERM, int{kExitOk}),
        std::pair(SIGHUP, int{kExitOk})}) {
    loop_.OnSignal(number, [this, here = scope_.watch(), code = code] {
      if (!here.gone()) OnInterrupt(code);
    });
  }
}

UpRun::~UpRun() = default;

int UpRun::Run() {
  RedisConnectionOptions options;
  options.name = "up";
  options.address.unix_path = plan_.socket_path();
  options.scripts = AllScripts();
  auto redis = RedisConnection::Create(loop_, options, random_, *log_, metrics_);
  auto box = SecretBox::FromKeyFile(plan_.settings.secrets.key_file);
  if (!redis.ok()) return Complain(kExitRedis, redis.status());
  if (!box.ok()) return Complain(kExitConf, box.status());
  box_.emplace(*std::move(box));
  Start(RedisChild(plan_), kExitRedis);
  redis_ = *std::move(redis);
  store_ = std::make_unique<CatalogStore>(loop_, *redis_, *box_, *log_);
  tick_->Arm(Micros(0));
  loop_.Run();
  return code_;
}

void UpRun::OnTick() {
  if (step_ == Step::kStopping) return;
  tick_->Arm(step_ == Step::kServing ? kStatusTick : kTick);
  if (step_ < Step::kDemo && Elapsed(step_begun_) > kStepPatience) {
    Fail(step_ == Step::kRedis ? kExitRedis : kExitCheckFailed,
         "not ready after " + FormatDuration(kStepPatience) + ": " + last_reason_);
    return;
  }
  switch (step_) {
    case Step::kRedis:
      return AwaitRedis();
    case Step::kCatalog:
      return;  // OnCatalog() goes on.
    case Step::kPrograms:
      return AwaitPrograms();
    case Step::kDemo:
      return AwaitDemo();
    case Step::kServing:
      return Serve();
    case Step::kStopping:
      return;
  }
}

// ---- The steps, in their order

void UpRun::AwaitRedis() {
  last_reason_ = redis_->last_error();
  if (!redis_->up()) return;
  Tell("redis", fmt::format("unix:{}", plan_.socket_path()));
  Enter(Step::kCatalog);
  if (options_.demo) {
    ApplyCatalog();
  } else {
    store_->Load([this](Result<CatalogPtr> catalog) { OnCatalogFound(std::move(catalog)); });
  }
}

void UpRun::OnCatalogFound(Result<CatalogPtr> catalog) {
  if (step_ != Step::kCatalog) return;
  if (!catalog.ok()) {
    Fail(kExitRedis, "cannot read the catalog: " + catalog.status().text());
    return;
  }
  const uint64_t version = (*catalog)->version();
  // Without a catalog the programs run and are not ready: that is for the operator to mend.
  ready_path_ = version > 0 ? "/readyz" : "/healthz";
  Tell("catalog", version > 0 ? fmt::format("version {}", version)
                              : "none yet: callbacks are answered 503 until one is applied");
  StartPrograms();
}

void UpRun::ApplyCatalog() {
  Result<Catalog> catalog = DemoCatalog(plan_);
  if (!catalog.ok()) {
    Fail(kExitConf, catalog.status().text());
    return;
  }
  store_->Apply(*std::move(catalog), std::nullopt,
                [this](Result<CatalogStore::Applied> applied) { OnApplied(std::move(applied)); });
}

void UpRun::OnApplied(Result<CatalogStore::Applied> applied) {
  if (!applied.ok()) {
    Fail(kExitRedis, "cannot apply the demo catalog: " + applied.status().text());
    return;
  }
  store_->Load([this](Result<CatalogPtr> catalog) { OnCatalog(std::move(catalog)); });
}

void UpRun::OnCatalog(Result<CatalogPtr> catalog) {
  if (step_ != Step::kCatalog) return;
  if (!catalog.ok()) {
    Fail(kExitRedis, "cannot read the catalog back: " + catalog.status().text());
    return;
  }
  catalog_ = *std::move(catalog);
  demo_tenant_ = catalog_->Tenants().front();
  Tell("catalog",
       fmt::format("version {}: source demo, {} endpoints of tenant {}", catalog_->version(),
                   demo_tenant_->endpoints.size(), demo_tenant_->id));
  StartPrograms();
}

void UpRun::StartPrograms() {
  Enter(Step::kPrograms);
  for (size_t i = 0; i < plan_.sinks.size(); ++i) {
    std::vector<std::string> secrets;
    if (demo_tenant_ && i < demo_tenant_->endpoints.size()) {
      secrets = SinkSecrets(demo_tenant_->endpoints[i]);
    }
    Start(SinkChild(plan_, i, secrets), kExitPortOrFolder);
  }
  for (int i = 0; i < plan_.brokers; ++i) Start(BrokerChild(plan_, i), kExitCheckFailed);
  for (int i = 0; i < plan_.workers; ++i) Start(WorkerChild(plan_, i), kExitCheckFailed);
}

void UpRun::AwaitPrograms() {
  while (ready_programs_ < plan_.admin.size()) {
    const SocketAddress& admin = plan_.admin[ready_programs_];
    const auto answer = AskLoopback(admin, "GET", ready_path_, "", kAskPatience);
    if (!answer.ok() || answer->status != 200) {
      last_reason_ = answer.ok() ? answer->body : answer.status().text();
      return;
    }
    const bool broker = static_cast<int>(ready_programs_) < plan_.brokers;
    Tell(broker ? "broker" : "worker",
         broker ? fmt::format("http://{}/in/<source>, admin {}",
                              plan_.settings.broker.listen.front(), admin.ToString())
                : fmt::format("admin {}", admin.ToString()));
    ++ready_programs_;
  }
  for (size_t i = 0; i < plan_.sinks.size(); ++i) {
    const auto answer = AskLoopback(plan_.sinks[i], "GET", "/", "", kAskPatience);
    last_reason_ = "sink: " + answer.status().text();
    if (!answer.ok()) return;
  }
  if (!plan_.sinks.empty()) {
    Tell("sinks",
         fmt::format("http://{} to {}", plan_.sinks.front().ToString(), plan_.sinks.back().port));
  }
  OnReady();
}

void UpRun::OnReady() {
  std::printf("ready in %lld ms\n", static_cast<long long>(Elapsed(begun_).count() / 1000));
  std::fflush(stdout);
  if (!options_.demo || plan_.brokers == 0) {
    Enter(Step::kServing);
    return;
  }
  Enter(Step::kDemo);
  demo_.emplace(plan_, *demo_tenant_, loop_.clock());
  if (Status sent = demo_->Send(); !sent.ok()) Fail(kExitCheckFailed, sent.text());
}

void UpRun::AwaitDemo() {
  demo_->Look();
  const bool over = Elapsed(step_begun_) > kDemoPatience;
  // Without workers nothing will come: the acceptance is all there is to tell.
  const bool complete = demo_->attempted_everywhere() || plan_.workers == 0 || over;
  if (!complete) return;
  if (!summary_told_ && due_us_.size() < demo_->Failing().size() && !over) {
    if (due_asked_ == 0) AskWhenRetriesAreDue();
    return;
  }
  if (!std::exchange(summary_told_, true)) {
    std::printf("%s\n", demo_->Summary(due_us_).c_str());
    std::fflush(stdout);
  }
  if (!options_.once) {
    Enter(Step::kServing);
    return;
  }
  if (demo_->arrived_everywhere()) {
    Tell("demo", "all endpoints have the event");
    Stop(kExitOk);
  } else if (over) {
    Fail(kExitCheckFailed, "the demo event is not everywhere: " + demo_->Missing());
  }
}

// The retry of an endpoint stands in one partition; which one does not matter here.
void UpRun::AskWhenRetriesAreDue() {
  for (const uint64_t endpoint : demo_->Failing()) {
    for (const PartitionKeys& keys : AllPartitionKeys(plan_.settings.redis.partitions)) {
      ++due_asked_;
      redis_->Send(
          RedisCommand("ZRANGE").Arg(keys.Retries(endpoint)).Arg(0).Arg(0).Arg("WITHSCORES"),
          scope_,
          [this, endpoint](Result<RedisValue> reply) { OnDue(endpoint, std::move(reply)); });
    }
  }
}

void UpRun::OnDue(uint64_t endpoint, Result<RedisValue> reply) {
  --due_asked_;
  if (!reply.ok() || reply->items.size() != 2) return;
  due_us_[endpoint] = DueOfScore(NumberOf(reply->items[1].text)) * 1000;
}

void UpRun::Serve() {
  if (terminal_) AskCounters();
}

void UpRun::AskCounters() {
  counters_.clear();
  const std::vector<PartitionKeys> all = AllPartitionKeys(plan_.settings.redis.partitions);
  for (size_t i = 0; i < all.size(); ++i) {
    RedisCommand command("HMGET");
    command.Arg(all[i].counters);
    for (const char* name : kCounterNames) command.Arg(name);
    const bool last = i + 1 == all.size();
    redis_->Send(command, scope_,
                 [this, last](Result<RedisValue> reply) { OnCounters(std::move(reply), last); });
  }
}

void UpRun::OnCounters(Result<RedisValue> reply, bool last) {
  if (step_ != Step::kServing) return;
  if (!reply.ok()) {
    std::printf("\r\033[Kredis is away");
    std::fflush(stdout);
    return;
  }
  for (size_t i = 0; i < reply->items.size(); ++i) {
    counters_[kCounterNames[i]] += NumberOf(reply->items[i].text);
  }
  if (!last) return;
  const int64_t pending =
      counters_["fan"] - counters_["ok"] - counters_["dead"] - counters_["dropped"];
  std::printf("\r\033[K%s events settled · %s delivered · %s to retry · %s dead  (Ctrl-C stops)",
              WithThousands(counters_["settled"]).c_str(), WithThousands(counters_["ok"]).c_str(),
              WithThousands(pending).c_str(), WithThousands(counters_["dead"]).c_str());
  std::fflush(stdout);
}

// ---- Telling, failing, stopping

void UpRun::Enter(Step step) {
  step_ = step;
  step_begun_ = loop_.clock().Now();
  if (step != Step::kServing) return;
  const std::string conf = " --config " + plan_.settings_path();
  const char* relayctl = plan_.relayctl.c_str();
  if (options_.demo) {
    std::printf(
        "try:  %s simulate tencent-live --to http://%s/in/demo --key demo-key --count 1000\n",
        relayctl, plan_.settings.broker.listen.front().c_str());
  } else {
    std::printf("try:  %s apply catalog.toml%s\n", relayctl, conf.c_str());
  }
  std::printf("      %s status%s\n      %s dlq list%s\n", relayctl, conf.c_str(), relayctl,
              conf.c_str());
  if (!plan_.sinks.empty()) std::printf("      tail -f %s\n", plan_.sink_log(0).c_str());
  std::fflush(stdout);
}

void UpRun::Tell(const std::string& what, const std::string& text) {
  std::printf("%-8s %s  (%lld ms)\n", what.c_str(), text.c_str(),
              static_cast<long long>(Elapsed(step_begun_).count() / 1000));
  std::fflush(stdout);
}

void UpRun::OnDeath(const Supervisor::Death& death) {
  const std::string how = death.spec.name + " ended (" + DescribeEnd(death.wait_status) + ")";
  if (step_ == Step::kServing) {
    std::fprintf(stderr, "%s%s; it is started again in %lld ms, its log is %s\n",
                 terminal_ ? "\r\033[K" : "", how.c_str(),
                 static_cast<long long>(death.restart_in.count()), death.spec.log_file.c_str());
    return;
  }
  Fail(CodeFor(death), how + ":\n" + TailOf(death.spec.log_file));
}

void UpRun::OnInterrupt(int code) {
  if (step_ == Step::kStopping) {
    supervisor_->KillAll();  // Asked twice: at once.
    return;
  }
  std::printf("%sstopping: workers finish what they have begun\n", terminal_ ? "\r\033[K" : "");
  std::fflush(stdout);
  Stop(code);
}

void UpRun::Start(ChildSpec spec, ExitCode on_failure) {
  if (step_ == Step::kStopping) return;
  if (Status started = supervisor_->Start(std::move(spec)); !started.ok()) {
    Fail(on_failure, started.text());
  }
}

void UpRun::Fail(int code, const std::string& text) {
  if (step_ == Step::kStopping) return;
  Complain(static_cast<ExitCode>(code), text);
  Stop(code);
}

void UpRun::Stop(int code) {
  code_ = code;
  step_ = Step::kStopping;
  tick_->Cancel();
  supervisor_->Stop([this] { loop_.Stop(); });
}

Micros UpRun::Elapsed(MonoTime since) const {
  return loop_.clock().Now() - since;
}

}  // namespace relay
