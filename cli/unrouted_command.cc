#include "cli/unrouted_command.h"

#include <cstdio>
#include <functional>
#include <memory>

#include "cli/line_log.h"
#include "cli/progress.h"
#include "cli/redis_session.h"
#include "cli/table.h"
#include "relay/script_reply.h"
#include "relay/tenant_router.h"
#include "relay/unrouted_event.h"

namespace relay {
namespace {

constexpr int64_t kUnroutedPage = 200;

struct KeptEvent {
  std::string entry_id;
  UnroutedEvent unrouted;
};

// Gives each page of the stream, the oldest first.
Status WalkUnrouted(RedisSession& session,
                    const std::function<Status(const std::vector<KeptEvent>&)>& visit) {
  std::string from = "-";
  for (;;) {
    Result<RedisValue> page = session.Ask(RedisCommand("XRANGE")
                                              .Arg(kUnroutedKey)
                                              .Arg(from)
                                              .Arg("+")
                                              .Arg("COUNT")
                                              .Arg(kUnroutedPage));
    if (!page.ok()) return page.status();
    std::vector<KeptEvent> events;
    for (const RedisValue& entry : page->items) {
      if (Status status = ExpectArray(entry, 2, "unrouted"); !status.ok()) return status;
      Result<UnroutedEvent> event = DecodeUnrouted(entry.items[1]);
      if (!event.ok()) return event.status();
      events.push_back({entry.items[0].text, std::move(*event)});
    }
    if (events.empty()) return Status::Ok();
    from = "(" + events.back().entry_id;
    if (Status status = visit(events); !status.ok()) return status;
  }
}

int RunList(bool json, const CommandContext& context) {
  auto session = RedisSession::Open(context);
  if (!session.ok()) return Complain(RedisSession::CodeOf(session.status()), session.status());
  Table table({"accepted", "source", "type", "push domain", "appid", "stream", "webhook-id"});
  const Status status =
      WalkUnrouted(**session, [&table, json](const std::vector<KeptEvent>& events) {
        std::string lines;
        for (const KeptEvent& kept : events) {
          const auto& [event, attributes] = kept.unrouted;
          const std::string at = TimeText(event.accepted_us / 1000);
          if (json) {
            JsonLine(lines)
                .Text("accepted", at)
                .Text("source", event.source)
                .Text("type", event.type)
                .Text("push_domain", attributes.push_domain)
                .Text("appid", attributes.appid)
                .Text("stream", attributes.stream_id)
                .Text("webhook_id", event.id);
          } else {
            table.Row({at, event.source, event.type, attributes.push_domain, attributes.appid,
                       attributes.stream_id, event.id});
          }
        }
        std::fwrite(lines.data(), 1, lines.size(), stdout);
        return Status::Ok();
      });
  if (!status.ok()) return Complain(RedisSession::CodeOf(status), status);
  if (json) return kExitOk;
  if (table.empty()) {
    std::printf("nothing is unrouted\n");
  } else {
    table.Print();
  }
  return kExitOk;
}

// Stores the event where it belongs by now, then takes it out of the stream. A stop in between
// stores it once more the next time, under the same event id, and that is known as a repeat.
Result<bool> Redrive(RedisSession& session, const TenantRouter& router, const KeptEvent& kept) {
  const CatalogSnapshot& catalog = *router.catalog();
  const Source* source = catalog.FindSource(kept.unrouted.event.source);
  const Tenant* tenant =
      source == nullptr ? nullptr : router.Route(*source, kept.unrouted.attributes);
  if (tenant == nullptr) return false;
  Event event = kept.unrouted.event;
  event.tenant = tenant->id;
  event.catalog_version = catalog.version();
  const int partition = PartitionOf(event.tenant, event.ordering_key, event.id,
                                    static_cast<int>(session.partitions().size()));
  Result<RedisValue> stored = session.Ask(StoreEvent(session.partitions()[partition], event));
  if (!stored.ok()) return stored.status();
  stored = session.Ask(ForgetUnrouted(kept.entry_id));
  if (!stored.ok()) return stored.status();
  return true;
}

int RunRedrive(const CommandContext& context) {
  auto session = RedisSession::Open(context);
  if (!session.ok()) return Complain(RedisSession::CodeOf(session.status()), session.status());
  const Result<CatalogPtr> catalog = (*session)->LoadCatalog();
  if (!catalog.ok()) return Complain(RedisSession::CodeOf(catalog.status()), catalog.status());
  const TenantRouter router(*catalog);
  int64_t routed = 0;
  int64_t left = 0;
  Status status;
  {
    Progress progress((*session)->loop().clock(), "events", 0);
    status = WalkUnrouted(**session, [&](const std::vector<KeptEvent>& events) {
      for (const KeptEvent& kept : events) {
        const Result<bool> done = Redrive(**session, router, kept);
        if (!done.ok()) return done.status();
        ++(*done ? routed : left);
        progress.Update(routed + left);
      }
      return Status::Ok();
    });
  }
  std::printf("%s events routed, %s still belong to no tenant\n", WithThousands(routed).c_str(),
              WithThousands(left).c_str());
  return status.ok() ? kExitOk : Complain(RedisSession::CodeOf(status), status);
}

}  // namespace

void AddUnroutedCommand(CLI::App& app, CommandContext& context) {
  auto json = std::make_shared<bool>(false);  // Shared with the closures that CLI11 keeps.
  CLI::App* unrouted =
      app.add_subcommand("unrouted", "Callbacks that belonged to no tenant: list, redrive");
  unrouted->require_subcommand(1);
  CLI::App* list = unrouted->add_subcommand("list", "List them, the oldest first");
  list->add_flag("--json", *json, "One JSON object a line");
  list->callback(
      [json, &context] { context.run = [json, &context] { return RunList(*json, context); }; });
  CLI::App* redrive =
      unrouted->add_subcommand("redrive", "Route them by the present catalog, and deliver");
  redrive->callback([&context] { context.run = [&context] { return RunRedrive(context); }; });
}

}  // namespace relay
