#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/command.h"
#include "relay/catalog_store.h"
#include "relay/event_loop.h"
#include "relay/log.h"
#include "relay/metrics.h"
#include "relay/random.h"
#include "relay/redis_connection.h"
#include "relay/redis_ownership.h"
#include "relay/secret_box.h"
#include "relay/settings.h"
#include "relay/status.h"

namespace relay {

// Redis for a command that asks and waits: conf, a loop and one connection, with each call running
// the loop until its reply is there. A command is over in seconds and does one thing at a time, so
// waiting is the simplest correct form.
class RedisSession {
 public:
  // Reads conf and connects, within kPatience. InvalidArgument or NotFound: conf; Unavailable:
  // Redis cannot be reached. CodeOf() makes an exit code of either.
  static Result<std::unique_ptr<RedisSession>> Open(const CommandContext& context);
  static ExitCode CodeOf(const Status& status);

  const Settings& settings() const { return settings_; }
  const std::vector<PartitionKeys>& partitions() const { return partitions_; }
  SystemLoop& loop() { return loop_; }
  RedisClient& redis() { return *redis_; }

  // Errors of Redis come as a Status too.
  Result<RedisValue> Ask(const RedisCommand& command);
  // All at once; the replies in order, or the first error.
  Result<std::vector<RedisValue>> AskAll(std::span<const RedisCommand> commands);
  Result<RedisValue> Run(const ScriptCall& call);
  // Runs a script of an owner under the token of the present owner, whoever that is, again when it
  // changes hands meanwhile. A partition that nobody ever owned is taken for that moment.
  Result<RedisValue> RunAsOwner(const PartitionKeys& keys,
                                const std::function<ScriptCall(const OwnerToken&)>& build);
  Result<OwnerToken> OwnerOf(const PartitionKeys& keys);

  // The catalog as it stands in Redis, and its store; both need the key file of [secrets].
  Result<CatalogPtr> LoadCatalog();
  Result<CatalogStore*> OpenCatalogStore();
  // Runs the loop until `done`; for callbacks that this class does not know.
  void RunUntil(const std::function<bool()>& done);

 private:
  static constexpr Millis kPatience{5000};
  explicit RedisSession(Settings settings);
  Status Connect();

  const Settings settings_;
  const std::vector<PartitionKeys> partitions_;
  const std::unique_ptr<Log> log_;
  Metrics metrics_;
  Random random_;
  SystemLoop loop_;
  std::unique_ptr<RedisConnection> redis_;
  std::unique_ptr<SecretBox> box_;
  std::unique_ptr<CatalogStore> store_;
  CallScope scope_;
};

}  // namespace relay
