#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "relay/call_scope.h"
#include "relay/catalog_store.h"
#include "relay/event_loop.h"
#include "relay/metrics.h"
#include "relay/redis_client.h"
#include "relay/redis_upkeep.h"
#include "workers/dead_letter_archive.h"
#include "workers/oldest_dead_letters.h"
#include "workers/tenure.h"

namespace relay {

// Drops the oldest dead letters of a partition, over all of its endpoints, in small batches: reads
// what Redis keeps of them, has it archived, purges them. So no call holds Redis for more than a
// few milliseconds, and other work gets between two of them.
//
// Guarantee: with an archive nothing is purged that is not on its disk. A crash, a lost reply or
// another owner between the two leaves a letter both in the archive and in Redis, so it may be
// archived twice; it is never lost. A letter that cannot be read is left where it is.
//
// References outlive it. Destroying it ends it between two calls. Loop thread only.
class DeadLetterDrop {
 public:
  static constexpr size_t kBatchMax = 50;
  // Of bodies; a batch has at least one letter.
  static constexpr size_t kBatchBytesMax = 1024 * 1024;
  // Letters read at a time: with bodies of the largest size they must not fill the worker's memory.
  static constexpr size_t kReadMax = 8;
  // Between two batches, so that Redis has most of its time for deliveries.
  static constexpr Millis kPause{10};

  struct Parts {
    EventLoop& loop;
    RedisClient& redis;
    DeadLetterArchive* archive;  // Null: they are dropped without one.
    // The catalog in force; for the names of endpoints.
    std::function<CatalogPtr()> catalog;
    Counter& archived;
    Counter& dropped;
  };
  // What to drop: the oldest, until either has been reached.
  struct Goal {
    int64_t died_until_ms = std::numeric_limits<int64_t>::max();
    int64_t bytes = std::numeric_limits<int64_t>::max();  // As WeighDeadLetters() counts them.
  };
  struct Report {
    Status status;                // Why it ended before its goal; kConflict: the token is stale.
    bool archive_failed = false;  // `status` is the archive's.
    int64_t archived = 0;
    int64_t dropped = 0;
  };
  using Done = std::function<void(const Report&)>;

  DeadLetterDrop(const Parts& parts, const TenurePtr& tenure,
                 const std::vector<uint64_t>& endpoints, const Goal& goal);
  // Calls `done` once, never from inside this call.
  void Start(Done done);

 private:
  // One that has been read, on its way to the archive and out of Redis.
  struct Leaving {
    uint64_t endpoint = 0;
    Member member;
    std::string tenant;
    int64_t bytes = 0;    // Its share of its event.
    bool shared = false;  // The event is owed to others as well.
  };
  // The three replies that make a letter.
  struct Reading {
    OldestDeadLetters::Letter letter;
    Result<Event> event = Status::NotFound("not read yet");
    std::string history;
    int64_t owed = 1;
  };

  void Next();
  void OnOldest(Result<std::vector<OldestDeadLetters::Letter>> letters);
  void Read();
  void OnRead();
  void Keep(Reading& reading);
  std::string EndpointId(uint64_t endpoint) const;
  void Archive();
  void OnArchived(const Status& status);
  void PurgeBatch();
  void OnPurged(const Result<RedisValue>& reply);
  void Finish(Status status);

  const Parts parts_;
  const TenurePtr tenure_;
  const Goal goal_;
  OldestDeadLetters oldest_;
  std::vector<OldestDeadLetters::Letter> letters_;  // Not read yet, the oldest last.
  std::vector<Reading> readings_;
  int replies_open_ = 0;
  Status failed_;
  std::vector<ArchivedLetter> batch_;
  std::vector<Leaving> leaving_;
  size_t batch_bytes_ = 0;
  int64_t bytes_freed_ = 0;
  // Of events that are dropped at one endpoint and owed to others still: at how many they have been
  // dropped by now. What such an event held was shared by that many more.
  std::map<Member, int64_t> dropped_of_;
  Report report_;
  Done done_;
  std::unique_ptr<Timer> pause_;
  CallScope scope_;
};

}  // namespace relay
