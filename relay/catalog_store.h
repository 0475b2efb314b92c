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
#include "relay/catalog_reader.h"
#include "relay/catalog_snapshot.h"
#include "relay/catalog_writer.h"
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
// Redis holds version, manifest and the next free endpoint number in one hash, the texts of the
// parts in a second, the state that the run time sets in a third, and announces every change in a
// small stream. The next snapshot is made aside of the parts that have changed, and swapped whole;
// while Redis is away or holds something unreadable, the last good snapshot stays in force. Secrets
// are sealed by `box` on their way in and opened on their way out. No turn of the loop does more
// than one part asks for, however large the catalog is.
//
// `loop`, `redis`, `box` and `log` outlive the store. `redis` has AllScripts().
// Callbacks come once each, never from inside the call that took them, and not after the store is
// gone. Loop thread only.
class CatalogStore {
 public:
  using OnCatalog = std::function<void(Result<CatalogPtr>)>;
  using OnSnapshot = std::function<void(CatalogPtr)>;

  using Applied = CatalogWriter::Applied;
  using OnApplied = CatalogWriter::OnApplied;
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
  // change made again on top of it. A catalog whose secrets no key opens any more can be replaced
  // too. One Apply at a time; snapshot() follows by Load or Watch.
  void Apply(Catalog desired, std::optional<uint64_t> expected_version, OnApplied on_applied);

  // Changes the run-time state of an endpoint in one step and announces it. What is already so is
  // left alone with its reason and time, and not announced again.
  void SetEndpointState(uint64_t number, EndpointChange change, const std::string& reason,
                        OnState on_state);

  static constexpr Millis kPollInterval{250};

 private:
  // Who waits for a snapshot of at least `version`.
  struct Waiter {
    uint64_t version;
    OnCatalog on_catalog;
  };
  struct Reading;

  void StartReading();
  void OnNewestChange(Result<RedisValue> reply);
  void OnStates(Result<RedisValue> reply);
  void OnVersion(Result<RedisValue> reply);
  void OnCatalogRead(Result<CatalogReader::Reading> read);
  void FinishReading(CatalogPtr next);
  void ServeLateWaiters();
  void Poll();
  void OnPolled(Result<RedisValue> reply);
  void Retire(const CatalogPtr& old);
  void ForgetOneRetired();
  void Later(std::function<void()> call);
  void ComplainOnce(const Status& status);

  EventLoop& loop_;
  RedisClient& redis_;
  Log& log_;
  CatalogPtr snapshot_;
  OnSnapshot on_snapshot_;
  std::unique_ptr<Timer> poll_timer_;
  bool polling_ = false;
  // What was last read, whether or not it was good: the newest entry of the change stream then, and
  // the server's run id. A server that lost its last writes may count the same versions anew.
  std::string read_change_;
  std::string read_run_id_;
  std::string complained_;       // The last complaint in the log, so that it stands there once.
  std::vector<Waiter> waiters_;  // For the reading after the present one.
  std::unique_ptr<Reading> reading_;
  CatalogReader reader_;
  CatalogWriter writer_;
  std::vector<CatalogPartPtr> retired_;
  std::unique_ptr<Timer> retire_timer_;
  CallScope scope_;
};

}  // namespace relay
