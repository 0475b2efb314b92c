#include "cli/check_command.h"

#include <cstdio>
#include <memory>
#include <optional>

#include "cli/redis_session.h"
#include "relay/installation.h"
#include "relay/redis_facts.h"
#include "relay/stream_layout.h"

namespace relay {

namespace {

// Prints a line a check and remembers what the command ends with: the first thing that is wrong,
// because what follows it is often its consequence.
class CheckList {
 public:
  void Good(const char* what, const std::string& text) { Line("ok", what, text); }
  void Warn(const char* what, const std::string& text) { Line("warn", what, text); }
  void Wrong(const char* what, const std::string& text, ExitCode code) {
    Line("FAIL", what, text);
    if (code_ == kExitOk) code_ = code;
  }
  void Wrong(const char* what, const Status& status) {
    Wrong(what, status.text(), RedisSession::CodeOf(status));
  }
  int code() const { return code_; }

 private:
  static void Line(const char* verdict, const char* what, const std::string& text) {
    std::printf("%-4s  %-12s  %s\n", verdict, what, text.c_str());
    std::fflush(stdout);
  }
  ExitCode code_ = kExitOk;
};

std::optional<Settings> CheckSettings(const CommandContext& context, CheckList& list) {
  const Result<std::string> path = FindSettingsFile(context.config_path);
  if (!path.ok()) {
    list.Wrong("conf", path.status());
    return {};
  }
  Result<Settings> settings = LoadSettings(*path, context.environment);
  if (!settings.ok()) {
    list.Wrong("conf", settings.status());
    return {};
  }
  list.Good("conf", *path);
  return *std::move(settings);
}

// The key's id; empty when there is none.
std::string CheckKey(const Settings& settings, CheckList& list) {
  const Result<SecretBox> box = SecretBox::FromKeyFile(settings.secrets.key_file);
  if (!box.ok()) {
    list.Wrong("key file", box.status());
    return "";
  }
  list.Good("key file", settings.secrets.key_file + " (key " + box->key_id() + ")");
  return box->key_id();
}

void WarnOfDurability(Durability durability, CheckList& list) {
  switch (durability) {
    case Durability::kAlways:
      return list.Good("durability", "always: acknowledged events survive power loss");
    case Durability::kEverysec:
      return list.Warn(
          "durability",
          "everysec: a second of acknowledged events or more can be lost when Redis is "
          "killed or power fails. Fix: redis.durability = \"always\" in relay.toml");
    case Durability::kNone:
      return list.Warn("durability",
                       "none: what the kernel has not written is lost when power fails. Fix: "
                       "redis.durability = \"always\" in relay.toml");
  }
}

void CheckSafety(RedisSession& session, CheckList& list) {
  RedisCommand info("INFO");
  for (std::string_view section : kFactSections) info.Arg(section);
  const Result<RedisValue> reply = session.Ask(info);
  if (!reply.ok()) return list.Wrong("safety", reply.status());
  Result<RedisFacts> facts = ParseRedisFacts(reply->text);
  if (!facts.ok()) return list.Wrong("safety", facts.status());
  // A server that hides its configuration is judged by INFO alone.
  const Result<RedisValue> configuration =
      session.Ask(RedisCommand("CONFIG").Arg("GET").Arg("appendfsync").Arg("aof-load-truncated"));
  if (configuration.ok()) AddConfiguration(*configuration, *facts);
  const std::vector<ReadinessProblem> problems =
      JudgeRedis(*facts, session.settings().redis.durability);
  for (const ReadinessProblem& problem : problems) {
    list.Wrong("safety", ToLine(problem), kExitUnsafe);
  }
  if (problems.empty()) list.Good("safety", "Redis keeps what it is given");
}

void CheckInstallation(RedisSession& session, const std::string& key_id, CheckList& list) {
  const Result<RedisValue> reply = session.Ask(ReadInstallation());
  if (!reply.ok()) return list.Wrong("installation", reply.status());
  const auto stored = ParseInstallation(*reply);
  if (!stored.ok()) return list.Wrong("installation", stored.status());
  if (!stored->has_value()) return list.Good("installation", "new: no program has run on it yet");
  const InstallationFacts ours{kSchemaVersion, session.settings().redis.partitions, key_id};
  const std::vector<ReadinessProblem> problems = CompareInstallation(ours, **stored);
  for (const ReadinessProblem& problem : problems) {
    list.Wrong("installation", ToLine(problem), kExitConf);
  }
  if (problems.empty()) {
    list.Good("installation", std::to_string(ours.partitions) + " partitions, layout version " +
                                  std::to_string(ours.schema_version));
  }
}

void CheckCatalog(RedisSession& session, CheckList& list) {
  const Result<CatalogPtr> catalog = session.LoadCatalog();
  if (!catalog.ok()) return list.Wrong("catalog", catalog.status());
  if ((*catalog)->version() == 0) {
    return list.Warn("catalog", "none yet. Fix: relayctl apply FILE");
  }
  list.Good("catalog", "version " + std::to_string((*catalog)->version()) + ", " +
                           std::to_string((*catalog)->tenant_count()) + " tenants");
  for (const auto& [number, state] : (*catalog)->runtime()) {
    const Tenant* tenant = nullptr;
    const Endpoint* endpoint = (*catalog)->FindEndpoint(number, &tenant);
    if (!endpoint || !state.disabled) continue;
    list.Warn("catalog", tenant->id + "/" + endpoint->id + " is disabled: " + state.reason);
  }
}

int RunCheck(const CommandContext& context) {
  CheckList list;
  const std::optional<Settings> settings = CheckSettings(context, list);
  if (!settings) return list.code();
  const std::string key_id = CheckKey(*settings, list);
  WarnOfDurability(settings->redis.durability, list);
  const auto session = RedisSession::Open(context);
  if (!session.ok()) {
    list.Wrong("redis", session.status());
    return list.code();
  }
  list.Good("redis", settings->redis.nodes.front());
  CheckSafety(**session, list);
  CheckInstallation(**session, key_id, list);
  if (!key_id.empty()) CheckCatalog(**session, list);
  return list.code();
}

}  // namespace

void AddCheckCommand(CLI::App& app, CommandContext& context) {
  CLI::App* command =
      app.add_subcommand("check", "Say whether events can be entrusted to this installation");
  command->callback([&context] { context.run = [&context] { return RunCheck(context); }; });
}

}  // namespace relay
