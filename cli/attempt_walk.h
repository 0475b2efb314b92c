#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/progress.h"
#include "cli/redis_session.h"
#include "relay/attempt_log_record.h"

namespace relay {

struct LoggedAttempt {
  std::string tenant;
  AttemptLogRecord record;
};

// Reads the attempt logs. They are trimmed and written while they are read, so what is at either
// end may be seen or not. An entry that cannot be decoded is counted and passed over.
class AttemptWalk {
 public:
  // Says how far it is on `progress`, which outlives it as the session does.
  AttemptWalk(RedisSession& session, Progress& progress) : session_(session), progress_(progress) {}

  // Every attempt of an event in the logs of `tenants` in one partition, from Redis's time
  // `from_ms` on, the oldest first by tenant.
  Result<std::vector<LoggedAttempt>> OfEvent(const PartitionKeys& keys,
                                             const std::vector<std::string>& tenants,
                                             const std::string& event_id, int64_t from_ms);

  // Which attempts of a tenant are wanted.
  struct Filter {
    std::optional<uint64_t> endpoint;
    bool failed = false;  // Only those that did not deliver.
    int64_t since_ms = 0;
  };
  // The newest `limit` of them, the newest first.
  Result<std::vector<LoggedAttempt>> Newest(const std::string& tenant, const Filter& filter,
                                            size_t limit);

  int64_t damaged() const { return damaged_; }

 private:
  // Calls `on_record` for each record of a page of entries, in their order.
  Status Decode(const RedisValue& page, bool newest_first,
                const std::function<void(AttemptLogRecord&)>& on_record);
  Status NewestIn(const std::string& key, const Filter& filter, size_t limit,
                  std::vector<AttemptLogRecord>& found);

  RedisSession& session_;
  Progress& progress_;
  int64_t records_ = 0;
  int64_t damaged_ = 0;
};

}  // namespace relay
