#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "relay/call_scope.h"
#include "relay/catalog.h"
#include "relay/event_loop.h"
#include "relay/log.h"
#include "relay/redis_client.h"
#include "relay/secret_box.h"
#include "relay/status.h"

namespace relay {

// What `relayctl endpoint` and the worker (after a 410) change of an endpoint at run time.
enum class EndpointChange { kPause, kResume, kDisable, kEnable };

// The catalog in Redis, and this process's snapshot of it.
//
// Redis holds version, document and the next free endpoint number in one hash, the state that the
// run time sets in a second, and announces every change in a small stream. A snapshot is read
// whole, parsed aside and swapped whole; while Redis is away or holds something unreadable, the
// last good snapshot stays in force. Secrets are sealed by `box` on their way in and opened on
// their way out.
//
// `loop`, `redis`, `box` and `log` outlive the store. `redis` has the scripts of CatalogScripts().
// Callbacks come once each, never from inside the call that took them, and not after the store is
// gone. Loop thread only.
class CatalogStore {
 public:
  using OnCatalog = std::function<void(Result<CatalogPtr>)>;
  using OnSnapshot = std::function<void(CatalogPtr)>;

  struct Applied {
    uint64_t version = 0;
    bool changed = false;  // False: Redis held the same content already; nothing was written.
  };
  using OnApplied = std::function<void(Result<Applied>)>;
  using OnState = std::function<void(Result<EndpointRuntimeState>)>;

  CatalogStore(EventLoop& loop, RedisClient& redis, const SecretBox& box, Log& log);
  ~CatalogStore();

  // The newest snapshot that was read; never null: an empty one of version 0 until the first Load,
  // and when nothing was ever applied.
  const CatalogPtr& snapshot() const { return snapshot_; }

  // Reads what Redis has now. A snapshot that differs from the present one goes to the watcher too,
  // before `on_catalog`.
  void Load(OnCatalog on_catalog);

  // Polls the change stream every kPollInterval from now on, loads when something changed or the
  // connection came back, and calls `on_snapshot` after each swap. Where only `runtime` differs the
  // version stays the same. One watcher.
  void Watch(OnSnapshot on_snapshot);

  // Gives a snapshot of at least `version`, loading at once when the held one is older; calls that
  // wait meanwhile share one load. When Redis itself has nothing so new (it lost its last writes in
  // a crash) the newest there is comes: nothing newer ever will.
  void EnsureVersion(uint64_t version, OnCatalog on_catalog);

  // Makes `desired` the catalog. Endpoint numbers are kept by tenant and endpoint id; new endpoints
  // get numbers that were never used. Conflict, and nothing written, when Redis holds another
  // version than `expected_version`; without one, a version written in between is read and the
  // change made again on top of it. One Apply at a time.
  void Apply(Catalog desired, std::optional<uint64_t> expected_version, OnApplied on_applied);

  // Changes the run-time state of an endpoint in one step and announces it. What is already so is
  // left alone with its reason and time, and not announced again.
  void SetEndpointState(uint64_t number, EndpointChange change, const std::string& reason,
                        OnState on_state);

  static constexpr Millis kPollInterval{250};
  static constexpr int kApplyAttemptsMax = 5;

 private:
  struct Reading;
  struct Applying;

  void ReadHeads();
  void OnChangeId(Result<RedisValue> reply);
  void OnRuntime(Result<RedisValue> reply);
  void OnVersion(Result<RedisValue> reply);
  void OnDocument(Result<RedisValue> reply);
  Status Adopt(CatalogPtr next);
  void FinishReading(const Status& status);
  void Poll();
  void OnPolled(Result<RedisValue> reply);
  void OnConnectionChange();
  void WriteDesired();
  void OnWritten(Result<RedisValue> reply);
  void FinishApplying(Result<Applied> result);
  void Later(std::function<void()> call);

  EventLoop& loop_;
  RedisClient& redis_;
  const SecretBox& box_;
  Log& log_;
  CatalogPtr snapshot_;
  OnSnapshot on_snapshot_;
  std::unique_ptr<Timer> poll_timer_;
  std::string change_id_;  // The newest entry of the change stream when the snapshot was read.
  std::string read_from_;  // The run id of the Redis it was read from.
  bool polling_ = false;
  std::string complained_;  // The last complaint in the log, so that it stands there once.
  std::unique_ptr<Reading> reading_;
  std::unique_ptr<Applying> applying_;
  CallScope scope_;
};

// The scripts that a connection of a CatalogStore must know.
const std::vector<const RedisScript*>& CatalogScripts();

}  // namespace relay
