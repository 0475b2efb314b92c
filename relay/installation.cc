#include "relay/installation.h"

#include <charconv>
#include <utility>

#include "relay/stream_layout.h"

namespace relay {

namespace {

constexpr std::string_view kSchemaField = "schema";
constexpr std::string_view kPartitionsField = "partitions";
constexpr std::string_view kSecretKeyField = "secret_key";

int SmallNumber(const std::string& text) {
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

std::vector<ReadinessProblem> CompareInstallation(const InstallationFacts& ours,
                                                  const InstallationFacts& stored) {
  std::vector<ReadinessProblem> out;
  if (ours.schema_version != stored.schema_version) {
    out.push_back({"schema",
                   "The data in Redis has layout version " + std::to_string(stored.schema_version) +
                       ", this program works with version " + std::to_string(ours.schema_version) +
                       ".",
                   "run programs of the version that made the data"});
  }
  if (ours.partitions != stored.partitions) {
    out.push_back(
        {"partitions",
         "conf says redis.partitions = " + std::to_string(ours.partitions) +
             ", but this installation was made with " + std::to_string(stored.partitions) +
             ": events would be looked for elsewhere.",
         "set redis.partitions = " + std::to_string(stored.partitions) + " in relay.toml"});
  }
  // A program without the key asks nothing, and one that made the installation may have had none.
  if (!ours.secret_key_id.empty() && !stored.secret_key_id.empty() &&
      ours.secret_key_id != stored.secret_key_id) {
    out.push_back({"secret_key",
                   "The secrets in Redis are sealed with key " + stored.secret_key_id +
                       ", conf names key " + ours.secret_key_id + ".",
                   "set secrets.key_file to the file of key " + stored.secret_key_id});
  }
  return out;
}

RedisCommand ReadInstallation() {
  return RedisCommand("HMGET")
      .Arg(kMetaKey)
      .Arg(kSchemaField)
      .Arg(kPartitionsField)
      .Arg(kSecretKeyField);
}

Result<std::optional<InstallationFacts>> ParseInstallation(const RedisValue& reply) {
  if (reply.items.size() != 3) {
    return Status::Internal("unexpected facts of the installation: " + DebugString(reply));
  }
  if (reply.items[0].is_nil() || reply.items[1].is_nil()) {
    return std::optional<InstallationFacts>();
  }
  InstallationFacts stored;
  stored.schema_version = SmallNumber(reply.items[0].text);
  stored.partitions = SmallNumber(reply.items[1].text);
  stored.secret_key_id = reply.items[2].text;
  return std::optional<InstallationFacts>(std::move(stored));
}

Installation::Installation(EventLoop& loop, RedisClient& redis, InstallationFacts ours)
    : loop_(loop),
      redis_(redis),
      ours_(std::move(ours)),
      problems_{{"installation_unchecked",
                 "Redis has not been asked yet whether it belongs to this installation.", ""}},
      timer_(loop.NewTimer([this] { Ask(); })) {
  redis_.WatchState(alive_, [this] { OnConnectionChange(); });
  timer_->Arm(Micros(0));
}

void Installation::OnConnectionChange() {
  if (redis_.up()) Ask();
}

// One round: the facts are written where they are missing, then read.
void Installation::Ask() {
  timer_->Cancel();
  round_.CancelAll();
  // OnConnectionChange() comes back here.
  if (!redis_.up() || redis_.run_id() == compared_with_) return;
  refusal_.clear();
  const std::pair<std::string_view, std::string> facts[] = {
      {kSchemaField, std::to_string(ours_.schema_version)},
      {kPartitionsField, std::to_string(ours_.partitions)},
      {kSecretKeyField, ours_.secret_key_id},
  };
  for (const auto& [field, value] : facts) {
    if (value.empty()) continue;
    redis_.Send(RedisCommand("HSETNX").Arg(kMetaKey).Arg(field).Arg(value), round_,
                [this](Result<RedisValue> reply) { OnRefusal(std::move(reply)); });
  }
  redis_.Send(ReadInstallation(), round_,
              [this](Result<RedisValue> reply) { OnFacts(std::move(reply)); });
}

void Installation::OnRefusal(Result<RedisValue> reply) {
  if (reply.ok() && reply->is_error()) refusal_ = DebugString(*reply);
}

void Installation::OnFacts(Result<RedisValue> reply) {
  const auto stored = reply.ok() ? ParseInstallation(*reply)
                                 : Result<std::optional<InstallationFacts>>(reply.status());
  if (!stored.ok()) {
    timer_->Arm(kRetryInterval);
    return;
  }
  if (!stored->has_value()) {
    problems_ = {{"installation_unwritten",
                  "Redis does not take the facts of this installation: " + refusal_ + ".", ""}};
    timer_->Arm(kRetryInterval);
    return;
  }
  problems_ = CompareInstallation(ours_, **stored);
  // While we differ we ask again: an operator may be mending it just now.
  if (problems_.empty()) {
    compared_with_ = redis_.run_id();
  } else {
    timer_->Arm(kRetryInterval);
  }
}

}  // namespace relay
