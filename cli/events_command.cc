#include "cli/events_command.h"

#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "cli/attempt_lines.h"
#include "cli/attempt_walk.h"
#include "cli/endpoint_name.h"
#include "cli/escaped_text.h"
#include "cli/event_standing.h"
#include "cli/line_log.h"
#include "cli/progress.h"
#include "cli/table.h"

namespace relay {
namespace {

struct EventsOptions {
  std::string event_id;
  std::string tenant;
  std::string endpoint;
  std::string since;
  int limit = 50;
  bool failed = false;
  bool json = false;
};

void Write(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
}

// What both forms begin with: Redis and the catalog there. Null: it has been said what is wrong.
struct EventsStart {
  std::unique_ptr<RedisSession> session;
  CatalogPtr catalog;
  int exit_code = kExitOk;
};

EventsStart Begin(const CommandContext& context) {
  EventsStart start;
  auto session = RedisSession::Open(context);
  const Result<CatalogPtr> catalog =
      session.ok() ? (*session)->LoadCatalog() : Result<CatalogPtr>(session.status());
  if (!catalog.ok()) {
    start.exit_code = Complain(RedisSession::CodeOf(catalog.status()), catalog.status());
    return start;
  }
  start.session = std::move(*session);
  start.catalog = *catalog;
  return start;
}

void TellDamaged(int64_t damaged) {
  if (damaged == 0) return;
  std::fprintf(stderr, "relayctl: %s entries of the attempt log cannot be read and were left out\n",
               WithThousands(damaged).c_str());
}

// ---- show

// All that is known of one event.
struct EventTrace {
  std::string event_id;
  std::vector<EventStanding> standings;
  std::vector<LoggedAttempt> attempts;
};

// Whose logs are looked through: the option's, the event's own while its payload stands, and
// otherwise everybody's.
std::vector<std::string> TenantsToAsk(const EventsOptions& options, const CatalogSnapshot& catalog,
                                      const EventStanding* standing) {
  if (!options.tenant.empty()) return {options.tenant};
  if (standing != nullptr && standing->event) return {standing->event->tenant};
  std::vector<std::string> all;
  for (const Tenant* tenant : catalog.Tenants()) all.push_back(tenant->id);
  return all;
}

Status Collect(RedisSession& session, const CatalogSnapshot& catalog, const EventsOptions& options,
               EventTrace& trace) {
  Result<std::vector<EventStanding>> standings = FindEvent(session, options.event_id);
  if (!standings.ok()) return standings.status();
  trace.event_id = options.event_id;
  trace.standings = std::move(*standings);
  Progress progress(session.loop().clock(), "attempts read", 0);
  AttemptWalk walk(session, progress);
  const auto look = [&](const PartitionKeys& keys, const EventStanding* standing) {
    // No attempt is older than the storing of its event, and both times are Redis's.
    Result<std::vector<LoggedAttempt>> found =
        walk.OfEvent(keys, TenantsToAsk(options, catalog, standing), options.event_id,
                     standing == nullptr ? 0 : standing->stored_ms());
    if (!found.ok()) return found.status();
    trace.attempts.insert(trace.attempts.end(), std::make_move_iterator(found->begin()),
                          std::make_move_iterator(found->end()));
    return Status::Ok();
  };
  for (const EventStanding& standing : trace.standings) {
    if (Status status = look(*standing.partition, &standing); !status.ok()) return status;
  }
  if (trace.standings.empty()) {
    for (const PartitionKeys& keys : session.partitions()) {
      if (Status status = look(keys, nullptr); !status.ok()) return status;
    }
  }
  progress.Wipe();
  TellDamaged(walk.damaged());
  std::stable_sort(trace.attempts.begin(), trace.attempts.end(),
                   [](const LoggedAttempt& a, const LoggedAttempt& b) {
                     return a.record.at_ms < b.record.at_ms;
                   });
  return Status::Ok();
}

void PrintStandingHead(const EventStanding& standing) {
  Write("stored      " + TimeText(standing.stored_ms()) + "\n");
  if (!standing.event) {
    // A claim lasts longer than an entry that is done.
    Write("standing    nothing is owed any more\n");
    return;
  }
  const Event& event = *standing.event;
  Write("source      " + EscapedText(event.source) + "\ntenant      " + EscapedText(event.tenant) +
        "\ntype        " + EscapedText(event.type) + "\nstream      " +
        EscapedText(event.ordering_key) + "\naccepted    " + TimeText(event.accepted_us / 1000) +
        "\n");
  if (!standing.settled) Write("standing    not settled yet: not read, or attempts under way\n");
}

void PrintTrace(const EventTrace& trace, const CatalogSnapshot& catalog) {
  Write("webhook-id  " + EscapedText(trace.event_id) + "\n");
  // Deliveries in the order of their first attempts; those without one at the end.
  std::vector<std::string> order;
  std::map<std::string, std::string> attempts;
  std::map<std::string, std::string> standing_of;
  const auto note = [&order](const std::string& name) {
    if (std::find(order.begin(), order.end(), name) == order.end()) order.push_back(name);
  };
  for (const LoggedAttempt& attempt : trace.attempts) {
    const std::string name = EndpointName(catalog, attempt.tenant, attempt.record.endpoint);
    note(name);
    attempts[name] += AttemptText(attempt.record);
    standing_of[name] = AttemptFateName(attempt.record.fate);
  }
  for (const EventStanding& standing : trace.standings) {
    PrintStandingHead(standing);
    for (const KeptPlace& place : standing.kept) {
      const std::string name = EndpointName(catalog, standing.event->tenant, place.endpoint);
      note(name);
      standing_of[name] = KeptText(place);
    }
  }
  for (const std::string& name : order) {
    Write("\n" + name + ": " + standing_of[name] + "\n" + attempts[name]);
  }
}

void PrintTraceJson(const EventTrace& trace, const CatalogSnapshot& catalog) {
  for (const LoggedAttempt& attempt : trace.attempts) {
    Write(AttemptJson(attempt, EndpointName(catalog, attempt.tenant, attempt.record.endpoint)));
  }
  for (const EventStanding& standing : trace.standings) {
    for (const KeptPlace& place : standing.kept) {
      Write(KeptJson(trace.event_id, EndpointName(catalog, standing.event->tenant, place.endpoint),
                     place));
    }
    if (!standing.event || standing.settled) continue;
    std::string line;
    JsonLine(line)
        .Text("webhook_id", EscapedText(trace.event_id))
        .Text("state", "unsettled")
        .Text("stored_at", TimeText(standing.stored_ms()));
    Write(line);
  }
}

int RunShow(const EventsOptions& options, const CommandContext& context) {
  const EventsStart start = Begin(context);
  if (!start.session) return start.exit_code;
  EventTrace trace;
  const Status status = Collect(*start.session, *start.catalog, options, trace);
  if (!status.ok()) return Complain(RedisSession::CodeOf(status), status);
  if (trace.attempts.empty() && trace.standings.empty()) {
    const Settings::AttemptLog& log = start.session->settings().attempt_log;
    return Complain(kExitCheckFailed,
                    "nothing is known of " + EscapedText(options.event_id) +
                        ": attempts are kept for " + FormatDuration(log.age_max) + " and " +
                        FormatBytes(log.bytes_max) +
                        " a tenant; `relayctl dlq show ID` finds a dead letter of any age, and "
                        "--tenant one who has left the catalog");
  }
  if (options.json) {
    PrintTraceJson(trace, *start.catalog);
  } else {
    PrintTrace(trace, *start.catalog);
  }
  return kExitOk;
}

// ---- list

// ID, TENANT/ID, or #7 for one that the catalog has no more.
Result<std::optional<uint64_t>> ReadEndpoint(const CatalogSnapshot& catalog,
                                             const EventsOptions& options) {
  const std::string& text = options.endpoint;
  if (text.empty()) return std::optional<uint64_t>();
  if (text.front() == '#') {
    return std::optional<uint64_t>(std::strtoull(text.c_str() + 1, nullptr, 10));
  }
  if (const Tenant* tenant = catalog.FindTenant(options.tenant)) {
    for (const Endpoint& endpoint : tenant->endpoints) {
      if (MeansEndpoint(text, *tenant, endpoint)) {
        return std::optional<uint64_t>(endpoint.number);
      }
    }
  }
  return Status::InvalidArgument("tenant " + options.tenant + " has no endpoint " + text +
                                 " in the catalog; #NUMBER names one that it had");
}

void PrintList(const std::vector<LoggedAttempt>& attempts, const CatalogSnapshot& catalog) {
  Table table({"at", "webhook-id", "endpoint", "attempt", "answer", "took", "fate"});
  for (const LoggedAttempt& attempt : attempts) {
    const AttemptLogRecord& record = attempt.record;
    table.Row({TimeText(record.at_ms), record.event_id,
               EndpointName(catalog, attempt.tenant, record.endpoint),
               std::to_string(record.attempt), AttemptAnswerWord(record),
               MillisText(record.times.total), std::string(AttemptFateName(record.fate))});
  }
  if (!table.empty()) table.Print();
  std::printf("%s attempts\n", WithThousands(static_cast<int64_t>(attempts.size())).c_str());
}

int RunList(const EventsOptions& options, const CommandContext& context) {
  AttemptWalk::Filter filter;
  filter.failed = options.failed;
  if (!options.since.empty()) {
    const Result<int64_t> since = ParseTime(options.since, SystemClock().WallNow());
    if (!since.ok()) return Complain(kExitUsage, since.status());
    filter.since_ms = std::max<int64_t>(*since, 0);
  }
  const EventsStart start = Begin(context);
  if (!start.session) return start.exit_code;
  const auto endpoint = ReadEndpoint(*start.catalog, options);
  if (!endpoint.ok()) return Complain(kExitUsage, endpoint.status());
  filter.endpoint = *endpoint;
  Progress progress(start.session->loop().clock(), "attempts read", 0);
  AttemptWalk walk(*start.session, progress);
  const Result<std::vector<LoggedAttempt>> attempts =
      walk.Newest(options.tenant, filter, static_cast<size_t>(options.limit));
  progress.Wipe();
  if (!attempts.ok()) return Complain(RedisSession::CodeOf(attempts.status()), attempts.status());
  TellDamaged(walk.damaged());
  if (!options.json) {
    PrintList(*attempts, *start.catalog);
    return kExitOk;
  }
  for (const LoggedAttempt& attempt : *attempts) {
    Write(AttemptJson(attempt,
                      EndpointName(*start.catalog, attempt.tenant, attempt.record.endpoint)));
  }
  return kExitOk;
}

}  // namespace

void AddEventsCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<EventsOptions>();
  CLI::App* events = app.add_subcommand("events", "What happened to an event: show, list");
  events->require_subcommand(1);

  CLI::App* show = events->add_subcommand("show", "Show every attempt that is known of an event");
  show->add_option("ID", options->event_id, "The webhook-id that the receiver saw")->required();
  show->add_option("--tenant", options->tenant, "Look only through this tenant's log");
  show->add_flag("--json", options->json, "One JSON object a line");
  show->footer(
      "Attempts are kept for a time and up to a size, see [attempt_log] in the conf. What a "
      "receiver\n"
      "answered is shown escaped: \\n, \\x1b, \\xff and so on stand for single bytes.");
  show->callback([options, &context] {
    context.run = [options, &context] { return RunShow(*options, context); };
  });

  CLI::App* list = events->add_subcommand("list", "List a tenant's attempts, the newest first");
  list->add_option("--tenant", options->tenant, "Of this tenant")->required();
  list->add_option("--endpoint", options->endpoint, "Of this endpoint: ID, TENANT/ID or #NUMBER");
  list->add_flag("--failed", options->failed, "Only those that did not deliver");
  list->add_option("--since", options->since, "Made since: 2026-01-02T03:04:05Z, or 2h for ago");
  list->add_option("--limit", options->limit, "At most so many")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  list->add_flag("--json", options->json, "One JSON object a line");
  list->callback([options, &context] {
    context.run = [options, &context] { return RunList(*options, context); };
  });
}

}  // namespace relay
