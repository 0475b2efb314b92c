#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/call_scope.h"
#include "relay/event_loop.h"
#include "relay/readiness_problem.h"
#include "relay/redis_client.h"

namespace relay {

// What all programs of one installation must agree on, for their data to mean the same: the version
// of the layout, the number of partitions, the key that seals the secrets.
struct InstallationFacts {
  int schema_version = 0;
  int partitions = 0;
  std::string secret_key_id;  // Empty: this program holds no key, and asks nothing of it.
};

// Compares our facts with those that Redis holds in kMetaKey, after each connect to a server
// process that was not asked yet. The first program of an installation writes them; whoever comes
// later with others is not ready and says both values.
//
// `loop` and `redis` outlive it. Loop thread only.
class Installation {
 public:
  static constexpr Millis kRetryInterval{500};

  Installation(EventLoop& loop, RedisClient& redis, InstallationFacts ours);

  bool agreed() const { return problems_.empty(); }
  // Where we differ. Before the first comparison: that it is not done yet.
  const std::vector<ReadinessProblem>& problems() const { return problems_; }

 private:
  void OnConnectionChange();
  void Ask();
  void OnRefusal(Result<RedisValue> reply);
  void OnFacts(Result<RedisValue> reply);

  EventLoop& loop_;
  RedisClient& redis_;
  const InstallationFacts ours_;
  std::vector<ReadinessProblem> problems_;
  std::string compared_with_;  // The run id of the server process that gave problems_.
  std::string refusal_;        // Why the facts could not be written, of the present round.
  std::unique_ptr<Timer> timer_;
  CallScope round_;
  CallScope alive_;
};

// The facts that Redis holds, for who only looks: nothing where no program was ever ready on it.
RedisCommand ReadInstallation();
Result<std::optional<InstallationFacts>> ParseInstallation(const RedisValue& reply);

// The differences between our facts and what is stored; empty when we agree.
std::vector<ReadinessProblem> CompareInstallation(const InstallationFacts& ours,
                                                  const InstallationFacts& stored);

}  // namespace relay
