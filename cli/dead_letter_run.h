#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cli/dead_letters.h"
#include "cli/paced_run.h"
#include "cli/redis_session.h"
#include "relay/redis_upkeep.h"

namespace relay {

// Does one thing to every dead letter that a filter lets through, batch by batch, at a rate, until
// it is done or Ctrl-C is pressed. A batch is one script, so that a stop of any kind, kill -9 too,
// leaves each letter either untouched or done.
class DeadLetterRun {
 public:
  // What is done to letters of one endpoint in one partition, and to how many the reply says it
  // was done.
  using Call = std::function<ScriptCall(const DeadLetter& first, const OwnerToken& owner,
                                        const std::vector<Member>& members)>;
  using CountOf = std::function<Result<int64_t>(const RedisValue& reply)>;

  // At the pace of PacedRun. `session` outlives the run.
  DeadLetterRun(RedisSession& session, CatalogPtr catalog, DeadLetterFilter filter, int64_t per_s);

  // How many there are now.
  Result<int64_t> Count();
  // The error that ended it, kCancelled after Ctrl-C. `total` is for the progress line.
  Status Do(const Call& call, const CountOf& count_of, int64_t total);
  // Of the last Do(), also of one that ended early.
  int64_t done() const { return done_; }

 private:
  Result<int64_t> DoBatch(std::span<const DeadLetter> letters, const Call& call,
                          const CountOf& count_of);

  RedisSession& session_;
  const CatalogPtr catalog_;
  const DeadLetterFilter filter_;
  PacedRun pace_;
  int64_t done_ = 0;
};

}  // namespace relay
