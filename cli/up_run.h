#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/supervisor.h"
#include "cli/up_demo.h"
#include "cli/up_plan.h"
#include "relay/catalog_store.h"
#include "relay/event_loop.h"
#include "relay/redis_connection.h"
#include "relay/secret_box.h"

namespace relay {

// One run of `relayctl up`, from the first child to the last: Redis, catalog, sinks, brokers,
// workers, the demo event, then a status line until somebody ends it; at last everything is stopped
// in order. Each step is told on stdout with the time it took.
//
// Before it is ready, a child that ends ends the run, with what it said last; afterwards it is
// started again.
class UpRun {
 public:
  UpRun(SystemLoop& loop, UpPlan plan, UpOptions options);
  ~UpRun();

  // Runs the loop until all is over; returns the ExitCode.
  int Run();

 private:
  enum class Step { kRedis, kCatalog, kPrograms, kDemo, kServing, kStopping };

  void OnTick();
  void AwaitRedis();
  void ApplyCatalog();
  void OnApplied(Result<CatalogStore::Applied> applied);
  void OnCatalog(Result<CatalogPtr> catalog);
  void OnCatalogFound(Result<CatalogPtr> catalog);
  void StartPrograms();
  void AwaitPrograms();
  void OnReady();
  void AwaitDemo();
  void AskWhenRetriesAreDue();
  void OnDue(uint64_t endpoint, Result<RedisValue> reply);
  void Serve();
  void AskCounters();
  void OnCounters(Result<RedisValue> reply, bool last);

  void Enter(Step step);
  // One line of the report: what, and how long the present step has taken.
  void Tell(const std::string& what, const std::string& text);
  void OnDeath(const Supervisor::Death& death);
  void OnInterrupt(int code);
  void Start(ChildSpec spec, ExitCode on_failure);
  void Fail(int code, const std::string& text);
  void Stop(int code);
  Micros Elapsed(MonoTime since) const;

  SystemLoop& loop_;
  const UpPlan plan_;
  const UpOptions options_;
  const bool terminal_;
  std::unique_ptr<Log> log_;
  Metrics metrics_;
  Random random_;

  Step step_ = Step::kRedis;
  MonoTime begun_;
  MonoTime step_begun_;
  int code_ = 0;
  std::optional<SecretBox> box_;
  std::unique_ptr<RedisConnection> redis_;
  std::unique_ptr<CatalogStore> store_;
  CatalogPtr catalog_;
  const Tenant* demo_tenant_ = nullptr;  // Of `catalog_`; null without the demo.
  const char* ready_path_ = "/readyz";
  size_t ready_programs_ = 0;  // Of plan_.admin, from the front.
  std::string last_reason_;    // Why the next one is not ready.
  std::optional<DemoEvent> demo_;
  bool summary_told_ = false;
  size_t due_asked_ = 0;  // Questions to Redis about due times that are not answered.
  std::map<uint64_t, int64_t> due_us_;
  std::map<std::string, int64_t> counters_;
  std::unique_ptr<Timer> tick_;
  std::unique_ptr<Supervisor> supervisor_;
  CallScope scope_;
};

}  // namespace relay
