#include "cli/endpoint_command.h"

#include <cstdio>
#include <map>
#include <memory>
#include <optional>
#include <string_view>

#include "cli/discard_command.h"
#include "cli/endpoint_backlog.h"
#include "cli/endpoint_name.h"
#include "cli/line_log.h"
#include "cli/progress.h"
#include "cli/redis_session.h"
#include "cli/table.h"

namespace relay {
namespace {

struct EndpointOptions {
  std::string name;  // "tenant/endpoint"
  std::string reason;
  bool json = false;
};

std::string_view StateWord(EndpointState state) {
  switch (state) {
    case EndpointState::kActive:
      return "active";
    case EndpointState::kPaused:
      return "paused";
    case EndpointState::kDisabled:
      return "disabled";
  }
  return "unknown";
}

// What is in force: the catalog's word, or the run time's where that is narrower.
std::string InForce(const Endpoint& endpoint, const EndpointRuntimeState* runtime) {
  if (runtime != nullptr && runtime->disabled) return "disabled (" + runtime->reason + ")";
  if (endpoint.state == EndpointState::kActive && runtime != nullptr && runtime->paused) {
    return runtime->reason.empty() ? "paused" : "paused (" + runtime->reason + ")";
  }
  return std::string(StateWord(endpoint.state));
}

int RunList(const EndpointOptions& options, const CommandContext& context) {
  auto session = RedisSession::Open(context);
  if (!session.ok()) return Complain(RedisSession::CodeOf(session.status()), session.status());
  const Result<CatalogPtr> catalog = (*session)->LoadCatalog();
  if (!catalog.ok()) return Complain(RedisSession::CodeOf(catalog.status()), catalog.status());
  Result<std::map<uint64_t, EndpointBacklog>> backlog = BacklogOf(**session);
  if (!backlog.ok()) return Complain(RedisSession::CodeOf(backlog.status()), backlog.status());

  Table table({"endpoint", "number", "state", "since", "pending", "held", "dead", "url"});
  std::string json;
  for (const Tenant* tenant : (*catalog)->Tenants()) {
    for (const Endpoint& endpoint : tenant->endpoints) {
      const EndpointRuntimeState* runtime = (*catalog)->FindRuntimeState(endpoint.number);
      const EndpointBacklog owed = (*backlog)[endpoint.number];
      const std::string name = tenant->id + "/" + endpoint.id;
      const std::string state = InForce(endpoint, runtime);
      // Since when the run time has narrowed it; the catalog's own word has no date.
      const bool changed = runtime != nullptr && (runtime->paused || runtime->disabled);
      const std::string since =
          changed && runtime->since_ms > 0 ? TimeText(runtime->since_ms) : std::string();
      if (options.json) {
        JsonLine(json)
            .Text("endpoint", name)
            .Number("number", static_cast<int64_t>(endpoint.number))
            .Text("state", state)
            .Text("reason", changed ? runtime->reason : "")
            .Text("since", since)
            .Number("pending", owed.retries)
            .Number("held", owed.held)
            .Number("dead", owed.dead)
            .Text("url", endpoint.url);
      } else {
        table.Row({name, std::to_string(endpoint.number), state, since.empty() ? "-" : since,
                   WithThousands(owed.retries), WithThousands(owed.held), WithThousands(owed.dead),
                   endpoint.url});
      }
    }
  }
  if (options.json) {
    std::fwrite(json.data(), 1, json.size(), stdout);
  } else {
    table.Print();
  }
  return kExitOk;
}

int RunChange(const EndpointOptions& options, const CommandContext& context,
              EndpointChange change) {
  auto session = RedisSession::Open(context);
  if (!session.ok()) return Complain(RedisSession::CodeOf(session.status()), session.status());
  const Result<CatalogPtr> catalog = (*session)->LoadCatalog();
  if (!catalog.ok()) return Complain(RedisSession::CodeOf(catalog.status()), catalog.status());
  const Result<uint64_t> number = EndpointOfName(**catalog, options.name);
  if (!number.ok()) return Complain(kExitUsage, number.status());
  Result<CatalogStore*> store = (*session)->OpenCatalogStore();
  if (!store.ok()) return Complain(RedisSession::CodeOf(store.status()), store.status());

  std::optional<Result<EndpointRuntimeState>> state;
  (*store)->SetEndpointState(*number, change, options.reason,
                             [&state, &session](Result<EndpointRuntimeState> result) {
                               state = std::move(result);
                               (*session)->loop().Stop();
                             });
  (*session)->RunUntil([&state] { return state.has_value(); });
  if (!state->ok()) return Complain(RedisSession::CodeOf(state->status()), state->status());
  const Endpoint* endpoint = (*catalog)->FindEndpoint(*number);
  std::printf("%s is %s\n", options.name.c_str(), InForce(*endpoint, &state->value()).c_str());
  return kExitOk;
}

void AddChange(CLI::App* parent, const std::string& name, const std::string& help,
               EndpointChange change, CommandContext& context) {
  auto options = std::make_shared<EndpointOptions>();
  options->reason = "by relayctl";
  CLI::App* command = parent->add_subcommand(name, help);
  command->add_option("ENDPOINT", options->name, "TENANT/ENDPOINT")->required();
  command->add_option("--reason", options->reason, "Shown by list")->capture_default_str();
  command->callback([options, &context, change] {
    context.run = [options, &context, change] { return RunChange(*options, context, change); };
  });
}

}  // namespace

void AddEndpointCommand(CLI::App& app, CommandContext& context) {
  CLI::App* parent =
      app.add_subcommand("endpoint", "Endpoints: list, enable, pause, resume, discard");
  parent->require_subcommand(1);
  auto options = std::make_shared<EndpointOptions>();
  CLI::App* list = parent->add_subcommand("list", "State and backlog of all endpoints");
  list->add_flag("--json", options->json, "One JSON object a line");
  list->callback([options, &context] {
    context.run = [options, &context] { return RunList(*options, context); };
  });
  AddChange(parent, "enable", "Deliver again to one that was disabled after a 410",
            EndpointChange::kEnable, context);
  AddChange(parent, "pause", "Keep its deliveries until it is resumed", EndpointChange::kPause,
            context);
  AddChange(parent, "resume", "Deliver what was kept", EndpointChange::kResume, context);
  AddDiscardCommand(*parent, context);
}

}  // namespace relay
