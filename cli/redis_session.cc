#include "cli/redis_session.h"

#include <utility>

#include "relay/script_reply.h"

namespace relay {
namespace {

// How often a partition may change hands before an owner's script gives up.
constexpr int kOwnersMax = 5;
// For a partition that nobody ever owned.
constexpr Millis kOwnLease{1000};

}  // namespace

ExitCode RedisSession::CodeOf(const Status& status) {
  switch (status.code()) {
    case StatusCode::kOk:
      return kExitOk;
    case StatusCode::kInvalidArgument:
    case StatusCode::kNotFound:
      return kExitConf;
    case StatusCode::kUnavailable:
    case StatusCode::kDeadlineExceeded:
      return kExitRedis;
    case StatusCode::kCancelled:
    case StatusCode::kConflict:
    case StatusCode::kInternal:
      break;
  }
  return kExitCheckFailed;
}

Result<std::unique_ptr<RedisSession>> RedisSession::Open(const CommandContext& context) {
  Result<std::string> path = FindSettingsFile(context.config_path);
  if (!path.ok()) return path.status();
  Result<Settings> settings = LoadSettings(*path, context.environment);
  if (!settings.ok()) return settings.status();
  std::unique_ptr<RedisSession> session(new RedisSession(std::move(*settings)));
  if (Status status = session->Connect(); !status.ok()) return status;
  return session;
}

RedisSession::RedisSession(Settings settings)
    : settings_(std::move(settings)),
      partitions_(AllPartitionKeys(settings_.redis.partitions)),
      log_(Log::Silent()),
      random_(Random::FromSystem()) {}

Status RedisSession::Connect() {
  Result<RedisConnectionOptions> options = MakeRedisOptions(settings_.redis, "relayctl");
  if (!options.ok()) return options.status();
  options->scripts = AllScripts();
  auto redis = RedisConnection::Create(loop_, std::move(*options), random_, *log_, metrics_);
  if (!redis.ok()) return redis.status();
  redis_ = std::move(*redis);
  redis_->WatchState(scope_, [this] { loop_.Stop(); });
  bool waited_enough = false;
  const std::unique_ptr<Timer> patience = loop_.NewTimer([this, &waited_enough] {
    waited_enough = true;
    loop_.Stop();
  });
  patience->Arm(kPatience);
  while (!redis_->up() && !waited_enough) loop_.Run();
  if (redis_->up()) return Status::Ok();
  return Status::Unavailable("cannot reach Redis at " + settings_.redis.nodes.front() + ": " +
                             redis_->last_error());
}

void RedisSession::RunUntil(const std::function<bool()>& done) {
  while (!done()) loop_.Run();
}

Result<RedisValue> RedisSession::Ask(const RedisCommand& command) {
  Result<std::vector<RedisValue>> replies = AskAll({&command, 1});
  if (!replies.ok()) return replies.status();
  return std::move(replies->front());
}

Result<std::vector<RedisValue>> RedisSession::AskAll(std::span<const RedisCommand> commands) {
  std::vector<RedisValue> replies;
  Status failure;
  size_t answered = 0;
  for (const RedisCommand& command : commands) {
    redis_->Send(command, scope_, [&, this](Result<RedisValue> reply) {
      ++answered;
      const Status status = StatusOfReply(reply);
      if (!status.ok() && failure.ok()) failure = status;
      if (status.ok()) replies.push_back(std::move(*reply));
      if (answered == commands.size()) loop_.Stop();
    });
  }
  RunUntil([&] { return answered == commands.size(); });
  if (!failure.ok()) return failure;
  return replies;
}

Result<RedisValue> RedisSession::Run(const ScriptCall& call) {
  std::optional<Result<RedisValue>> answer;
  redis_->Eval(*call.script, call.keys, call.args, scope_, [&](Result<RedisValue> reply) {
    answer = std::move(reply);
    loop_.Stop();
  });
  RunUntil([&] { return answer.has_value(); });
  if (Status status = StatusOfReply(*answer); !status.ok()) return status;
  return std::move(*answer);
}

Result<OwnerToken> RedisSession::OwnerOf(const PartitionKeys& keys) {
  Result<RedisValue> reply = Ask(ReadOwner(keys));
  if (!reply.ok()) return reply.status();
  Result<std::optional<OwnerRecord>> record = ParseOwner(*reply);
  if (!record.ok()) return record.status();
  if (record->has_value()) return (*record)->token;
  const std::string boot = "relayctl-" + random_.Hex(8);
  reply = Run(TakeOwnership(keys, boot, kOwnLease));
  if (!reply.ok()) return reply.status();
  Result<OwnReply> own = ParseOwn(*reply);
  if (!own.ok()) return own.status();
  if (!own->won) return Status::Conflict("the partition has just found an owner");
  const OwnerToken token{own->epoch, boot};
  // Our name stays in `own` until a worker takes it; the lease must not make it wait.
  reply = Run(GiveBackOwnership(keys, token));
  if (!reply.ok()) return reply.status();
  return token;
}

Result<RedisValue> RedisSession::RunAsOwner(
    const PartitionKeys& keys, const std::function<ScriptCall(const OwnerToken&)>& build) {
  Result<RedisValue> reply = Status::Conflict("the partition changes hands too often");
  for (int i = 0; i < kOwnersMax; ++i) {
    Result<OwnerToken> owner = OwnerOf(keys);
    if (!owner.ok() && owner.status().code() == StatusCode::kConflict) continue;
    if (!owner.ok()) return owner.status();
    reply = Run(build(*owner));
    if (reply.ok() || reply.status().code() != StatusCode::kConflict) return reply;
  }
  return reply;
}

Result<CatalogStore*> RedisSession::OpenCatalogStore() {
  if (!store_) {
    Result<SecretBox> box = SecretBox::FromKeyFile(settings_.secrets.key_file);
    if (!box.ok()) return box.status();
    box_ = std::make_unique<SecretBox>(std::move(*box));
    store_ = std::make_unique<CatalogStore>(loop_, *redis_, *box_, *log_);
  }
  return store_.get();
}

Result<CatalogPtr> RedisSession::LoadCatalog() {
  Result<CatalogStore*> store = OpenCatalogStore();
  if (!store.ok()) return store.status();
  std::optional<Result<CatalogPtr>> catalog;
  (*store)->Load([&](Result<CatalogPtr> loaded) {
    catalog = std::move(loaded);
    loop_.Stop();
  });
  RunUntil([&] { return catalog.has_value(); });
  return std::move(*catalog);
}

}  // namespace relay
