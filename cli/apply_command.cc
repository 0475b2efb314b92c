#include "cli/apply_command.h"

#include <cstdio>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <sstream>

#include "cli/endpoint_backlog.h"
#include "cli/progress.h"
#include "cli/redis_session.h"
#include "relay/catalog.h"
#include "relay/installation.h"
#include "relay/stream_layout.h"

namespace relay {

namespace {

struct ApplyOptions {
  std::string file;
  bool check = false;
  bool diff = false;
};

int Complain(const Status& status) {
  return Complain(RedisSession::CodeOf(status), status);
}

Result<Catalog> ReadCatalogFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  if (!file || !(text << file.rdbuf())) return Status::NotFound("cannot read the catalog " + path);
  return ParseCatalogToml(text.str(), path);
}

// "1 source, 2 tenants, 3 endpoints".
std::string Summary(const Catalog& catalog) {
  const auto counted = [](size_t count, const char* word) {
    return std::to_string(count) + " " + word + (count == 1 ? "" : "s");
  };
  size_t endpoints = 0;
  for (const Tenant& tenant : catalog.tenants) endpoints += tenant.endpoints.size();
  return counted(catalog.sources.size(), "source") + ", " +
         counted(catalog.tenants.size(), "tenant") + ", " + counted(endpoints, "endpoint");
}

// One line for each endpoint that `desired` has no more and that still has something in Redis.
Status ShowLost(RedisSession& session, const Catalog& desired, const char* verb) {
  const Result<CatalogPtr> held = session.LoadCatalog();
  if (!held.ok()) return held.status();
  std::set<std::string> kept;
  for (const Tenant& tenant : desired.tenants) {
    for (const Endpoint& endpoint : tenant.endpoints) kept.insert(tenant.id + "/" + endpoint.id);
  }
  std::map<std::string, uint64_t> lost;
  for (const Tenant* tenant : (*held)->Tenants()) {
    for (const Endpoint& endpoint : tenant->endpoints) {
      const std::string name = tenant->id + "/" + endpoint.id;
      if (kept.count(name) == 0) lost[name] = endpoint.number;
    }
  }
  if (lost.empty()) return Status::Ok();
  Result<std::map<uint64_t, EndpointBacklog>> backlog = BacklogOf(session);
  if (!backlog.ok()) return backlog.status();
  for (const auto& [name, number] : lost) {
    const EndpointBacklog& owed = (*backlog)[number];
    if (owed.retries == 0 && owed.dead == 0) continue;
    std::printf("%s has %s waiting and %s dead deliveries, which %s dropped\n", name.c_str(),
                WithThousands(owed.retries).c_str(), WithThousands(owed.dead).c_str(), verb);
  }
  return Status::Ok();
}

int ShowDiff(RedisSession& session, const Catalog& desired) {
  const Result<CatalogPtr> held = session.LoadCatalog();
  if (!held.ok()) return Complain(held.status());
  const std::vector<std::string> lines = CatalogDiff(**held, desired);
  for (const std::string& line : lines) std::printf("%s\n", line.c_str());
  if (lines.empty()) {
    std::printf("no difference to version %llu\n",
                static_cast<unsigned long long>((*held)->version()));
  }
  const Status lost = ShowLost(session, desired, "would be");
  return lost.ok() ? kExitOk : Complain(lost);
}

// Secrets sealed with another key than the workers hold would be opened by nobody.
Status CheckKey(RedisSession& session) {
  const Result<SecretBox> box = SecretBox::FromKeyFile(session.settings().secrets.key_file);
  if (!box.ok()) return box.status();
  const Result<RedisValue> reply = session.Ask(ReadInstallation());
  if (!reply.ok()) return reply.status();
  const auto stored = ParseInstallation(*reply);
  if (!stored.ok()) return stored.status();
  if (!stored->has_value()) return Status::Ok();
  const InstallationFacts ours{kSchemaVersion, session.settings().redis.partitions, box->key_id()};
  const std::vector<ReadinessProblem> problems = CompareInstallation(ours, **stored);
  return problems.empty() ? Status::Ok() : Status::InvalidArgument(ToLine(problems.front()));
}

int ApplyCatalog(RedisSession& session, Catalog desired) {
  if (const Status key = CheckKey(session); !key.ok()) return Complain(key);
  const Result<CatalogStore*> store = session.OpenCatalogStore();
  if (!store.ok()) return Complain(store.status());
  if (const Status lost = ShowLost(session, desired, "are"); !lost.ok()) return Complain(lost);
  const std::string summary = Summary(desired);
  std::optional<Result<CatalogStore::Applied>> applied;
  (*store)->Apply(std::move(desired), std::nullopt,
                  [&applied, &session](Result<CatalogStore::Applied> result) {
                    applied = std::move(result);
                    session.loop().Stop();
                  });
  session.RunUntil([&applied] { return applied.has_value(); });
  if (!applied->ok()) return Complain(applied->status());
  std::printf("%s: version %llu (%s)\n", (*applied)->changed ? "applied" : "unchanged",
              static_cast<unsigned long long>((*applied)->version), summary.c_str());
  return kExitOk;
}

int RunApply(const ApplyOptions& options, const CommandContext& context) {
  Result<Catalog> desired = ReadCatalogFile(options.file);
  if (!desired.ok()) return Complain(kExitConf, desired.status());
  if (options.check) {
    std::printf("%s is valid (%s)\n", options.file.c_str(), Summary(*desired).c_str());
    return kExitOk;
  }
  const auto session = RedisSession::Open(context);
  if (!session.ok()) return Complain(session.status());
  return options.diff ? ShowDiff(**session, *desired)
                      : ApplyCatalog(**session, *std::move(desired));
}

}  // namespace

void AddApplyCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<ApplyOptions>();
  CLI::App* command = app.add_subcommand("apply", "Make a catalog file the catalog in Redis");
  command->add_option("FILE", options->file, "The catalog, such as conf/catalog.demo.toml")
      ->required();
  CLI::Option* check =
      command->add_flag("--check", options->check, "Only say whether the file is valid");
  command->add_flag("--diff", options->diff, "Only show what would change")->excludes(check);
  command->callback([options, &context] {
    context.run = [options, &context] { return RunApply(*options, context); };
  });
}

}  // namespace relay
