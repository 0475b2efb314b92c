#include "cli/dlq_command.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>

#include "cli/callback_reader.h"
#include "cli/dead_letter_run.h"
#include "cli/dead_letters.h"
#include "cli/endpoint_name.h"
#include "cli/escaped_text.h"
#include "cli/line_log.h"
#include "cli/paced_run.h"
#include "cli/progress.h"
#include "cli/table.h"
#include "relay/redis_upkeep.h"
#include "relay/script_reply.h"

namespace relay {
namespace {

struct DlqOptions {
  DeadLetterFilter filter;
  std::string since, until, reason, pattern;
  bool json = false;
  bool yes = false;
  bool dry_run = false;
  int64_t per_s = 0;
};

// What every form of the command begins with: the filter's texts read, Redis and the catalog there.
struct DlqStart {
  std::unique_ptr<RedisSession> session;
  CatalogPtr catalog;
  DeadLetterFilter filter;
  int exit_code = kExitOk;  // Otherwise it has been said what is wrong.
};

Status ReadFilterTexts(const DlqOptions& options, WallTime now, DeadLetterFilter& filter) {
  for (const auto& [text, place] :
       {std::pair{&options.since, &filter.since_ms}, std::pair{&options.until, &filter.until_ms}}) {
    if (text->empty()) continue;
    Result<int64_t> ms = ParseTime(*text, now);
    if (!ms.ok()) return ms.status();
    *place = *ms;
  }
  Result<EventPattern> pattern = EventPattern::Parse(options.pattern);
  if (!pattern.ok()) return Status::InvalidArgument("--pattern: " + pattern.status().text());
  filter.pattern = *std::move(pattern);
  if (options.reason.empty()) return Status::Ok();
  Result<DeadLetterReason> reason = ParseDeadLetterReason(options.reason);
  if (!reason.ok()) return reason.status();
  filter.reason = *reason;
  return Status::Ok();
}

// There is no such endpoint: a filter that can match nothing is a slip of the pen.
Status CheckEndpoint(const CatalogSnapshot& catalog, const DeadLetterFilter& filter) {
  if (filter.endpoint.empty()) return Status::Ok();
  for (const Tenant* tenant : catalog.Tenants()) {
    if (!filter.tenant.empty() && tenant->id != filter.tenant) continue;
    for (const Endpoint& endpoint : tenant->endpoints) {
      if (MeansEndpoint(filter.endpoint, *tenant, endpoint)) return Status::Ok();
    }
  }
  return Status::NotFound("there is no endpoint " + filter.endpoint +
                          (filter.tenant.empty() ? "" : " of tenant " + filter.tenant) +
                          "; `relayctl endpoint list` shows those there are");
}

DlqStart Begin(const DlqOptions& options, const CommandContext& context) {
  DlqStart start;
  start.filter = options.filter;
  const Status texts = ReadFilterTexts(options, SystemClock().WallNow(), start.filter);
  if (!texts.ok()) {
    start.exit_code = Complain(kExitUsage, texts);
    return start;
  }
  auto session = RedisSession::Open(context);
  const Result<CatalogPtr> catalog =
      session.ok() ? (*session)->LoadCatalog() : Result<CatalogPtr>(session.status());
  if (!catalog.ok()) {
    start.exit_code = Complain(RedisSession::CodeOf(catalog.status()), catalog.status());
    return start;
  }
  if (const Status known = CheckEndpoint(**catalog, start.filter); !known.ok()) {
    start.exit_code = Complain(kExitUsage, known);
    return start;
  }
  start.session = std::move(*session);
  start.catalog = *catalog;
  return start;
}

int SayCount(int64_t count, const char* what) {
  std::printf("%s dead letter%s %s\n", WithThousands(count).c_str(), count == 1 ? "" : "s", what);
  return kExitOk;
}

int Finish(const Status& status) {
  return status.ok() ? kExitOk : Complain(RedisSession::CodeOf(status), status);
}

std::string JsonOf(const DeadLetter& letter, CallbackReader& reader) {
  std::string out;
  JsonLine line(out);
  line.Text("webhook_id", letter.event.id).Text("endpoint", letter.endpoint_name);
  line.Text("type", letter.event.type).Text("stream", letter.event.ordering_key);
  line.Text("reason", DeadLetterReasonName(ReasonOf(letter.history)));
  line.Number("attempts", static_cast<int64_t>(letter.history.size()));
  line.Text("last",
            letter.history.empty() ? "" : AttemptOutcomeName(letter.history.back().outcome));
  line.Number("status", letter.history.empty() ? 0 : letter.history.back().status);
  line.Text("died_at", TimeText(letter.died_ms));
  line.Number("accepted_at_us", letter.event.accepted_us);
  const std::string& seq = reader.Read(letter.event.body).seq;
  if (!seq.empty()) line.Text("seq", seq);
  return out;
}

int RunList(const DlqOptions& options, const CommandContext& context) {
  DlqStart start = Begin(options, context);
  if (!start.session) return start.exit_code;
  CallbackReader reader;
  Table table({"webhook-id", "endpoint", "type", "reason", "attempts", "last", "died"});
  int64_t count = 0;
  const Status status =
      DeadLetterWalk(*start.session, start.catalog, start.filter)
          .Run([&](const std::vector<DeadLetter>& letters) -> Result<int64_t> {
            count += static_cast<int64_t>(letters.size());
            for (const DeadLetter& letter : letters) {
              if (options.json) {
                const std::string line = JsonOf(letter, reader);
                std::fwrite(line.data(), 1, line.size(), stdout);
                continue;
              }
              table.Row({letter.event.id, letter.endpoint_name, letter.event.type,
                         std::string(DeadLetterReasonName(ReasonOf(letter.history))),
                         std::to_string(letter.history.size()),
                         letter.history.empty()
                             ? "-"
                             : std::string(AttemptOutcomeName(letter.history.back().outcome)),
                         TimeText(letter.died_ms)});
            }
            return int64_t{0};
          });
  if (!status.ok() || options.json) return Finish(status);
  if (!table.empty()) table.Print();
  std::printf("%s dead letters\n", WithThousands(count).c_str());
  return kExitOk;
}

void PrintLetter(const DeadLetter& letter) {
  std::printf("webhook-id  %s\nendpoint    %s\nsource      %s\ntype        %s\nstream      %s\n",
              letter.event.id.c_str(), letter.endpoint_name.c_str(), letter.event.source.c_str(),
              EscapedText(letter.event.type).c_str(),
              EscapedText(letter.event.ordering_key).c_str());
  std::printf("accepted    %s\ndied        %s: %s\nattempts\n",
              TimeText(letter.event.accepted_us / 1000).c_str(), TimeText(letter.died_ms).c_str(),
              std::string(DeadLetterReasonName(ReasonOf(letter.history))).c_str());
  for (const AttemptRecord& attempt : letter.history) {
    std::printf("  %s  %s  status %d  %lld ms\n", TimeText(attempt.at_ms).c_str(),
                std::string(AttemptOutcomeName(attempt.outcome)).c_str(), attempt.status,
                static_cast<long long>(attempt.latency.count()));
  }
  std::printf("body\n%s\n", letter.event.body.c_str());
}

int RunShow(const DlqOptions& options, const CommandContext& context) {
  DlqStart start = Begin(options, context);
  if (!start.session) return start.exit_code;
  int shown = 0;
  const Status status = DeadLetterWalk(*start.session, start.catalog, start.filter)
                            .Run([&](const std::vector<DeadLetter>& letters) -> Result<int64_t> {
                              for (const DeadLetter& letter : letters) {
                                if (shown++ > 0) std::printf("\n");
                                PrintLetter(letter);
                              }
                              return int64_t{0};
                            });
  if (!status.ok()) return Finish(status);
  if (shown > 0) return kExitOk;
  return Complain(kExitCheckFailed, "no dead letter has this id: " + options.filter.event_id);
}

// Until when letters have died that this run is about. What dies again while we work must not be
// put back a second time, nor when the same is said again after a stop.
Status FixEnd(RedisSession& session, DeadLetterFilter& filter) {
  if (filter.until_ms) return Status::Ok();
  const Result<RedisValue> time = session.Ask(RedisCommand("TIME"));
  if (!time.ok()) return time.status();
  const Result<std::vector<std::string>> parts = TextsOf(*time, "TIME");
  if (!parts.ok() || parts->size() != 2) return Unexpected(*time, "TIME");
  filter.until_ms = std::strtoll((*parts)[0].c_str(), nullptr, 10) * 1000 +
                    std::strtoll((*parts)[1].c_str(), nullptr, 10) / 1000;
  return Status::Ok();
}

int RunRedrive(const DlqOptions& options, const CommandContext& context) {
  DlqStart start = Begin(options, context);
  if (!start.session) return start.exit_code;
  if (const Status status = FixEnd(*start.session, start.filter); !status.ok()) {
    return Finish(status);
  }
  DeadLetterRun run(*start.session, start.catalog, start.filter, options.per_s);
  const Result<int64_t> total = run.Count();
  if (!total.ok()) return Finish(total.status());
  if (options.dry_run) return SayCount(*total, "would be put back for delivery");
  const std::string until = TimeText(*start.filter.until_ms);
  std::fprintf(stderr, "%s dead letters to put back, died until %s\n",
               WithThousands(*total).c_str(), until.c_str());
  const Status status = run.Do(
      [](const DeadLetter& first, const OwnerToken& owner, const std::vector<Member>& members) {
        return RedriveMembers(*first.partition, owner, first.endpoint, members);
      },
      &ParseRedrive, *total);
  SayCount(run.done(), "put back for delivery");
  if (status.code() != StatusCode::kCancelled) return Finish(status);
  std::fprintf(stderr, "stopped; to go on, say the same again with --until %s\n", until.c_str());
  return kExitInterrupted;
}

int RunPurge(const DlqOptions& options, const CommandContext& context) {
  const bool asks = !options.yes && !options.dry_run;
  if (asks && isatty(STDIN_FILENO) == 0) {
    return Complain(kExitUsage, "purge throws away for good: say --yes where nobody can be asked");
  }
  DlqStart start = Begin(options, context);
  if (!start.session) return start.exit_code;
  DeadLetterRun run(*start.session, start.catalog, start.filter, options.per_s);
  const Result<int64_t> total = run.Count();
  if (!total.ok()) return Finish(total.status());
  if (options.dry_run) return SayCount(*total, "would be thrown away");
  if (asks && *total > 0 && !MayThrowAway(*total, "dead letters")) {
    return Complain(kExitCheckFailed, "nothing was thrown away");
  }
  const Status status = run.Do(
      [](const DeadLetter& first, const OwnerToken& owner, const std::vector<Member>& members) {
        return PurgeMembers(*first.partition, owner, first.endpoint, first.event.tenant, members);
      },
      [](const RedisValue& reply) -> Result<int64_t> {
        const Result<PurgeReply> purge = ParsePurge(reply);
        if (!purge.ok()) return purge.status();
        return static_cast<int64_t>(purge->dropped.size());
      },
      *total);
  SayCount(run.done(), "thrown away");
  return status.code() == StatusCode::kCancelled ? kExitInterrupted : Finish(status);
}

using RunDlq = int (*)(const DlqOptions&, const CommandContext&);

CLI::App* AddForm(CLI::App* dlq, const std::string& name, const std::string& help,
                  const std::shared_ptr<DlqOptions>& options, CommandContext& context, RunDlq run) {
  CLI::App* form = dlq->add_subcommand(name, help);
  form->add_option("--tenant", options->filter.tenant, "Of this tenant");
  form->add_option("--endpoint", options->filter.endpoint, "Of this endpoint: ID or TENANT/ID");
  form->add_option("--type", options->filter.type, "Of this event type");
  form->add_option("--since", options->since, "Dead since: 2026-01-02T03:04:05Z, or 2h for ago");
  form->add_option("--until", options->until, "Dead until");
  form->add_option("--pattern", options->pattern, "Whose event matches, e.g. '{\"$type\":[100]}'");
  form->add_option("--reason", options->reason, "For this reason, e.g. attempts_exhausted");
  form->callback([options, &context, run] {
    context.run = [options, &context, run] { return run(*options, context); };
  });
  return form;
}

}  // namespace

void AddDlqCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<DlqOptions>();
  CLI::App* dlq = app.add_subcommand("dlq", "Dead letters: list, show, redrive, purge");
  dlq->require_subcommand(1);
  AddForm(dlq, "list", "List them, the oldest first", options, context, &RunList)
      ->add_flag("--json", options->json, "One JSON object a line");
  AddForm(dlq, "show", "Show one with its attempts and its body", options, context, &RunShow)
      ->add_option("ID", options->filter.event_id, "The webhook-id")
      ->required();
  CLI::App* redrive =
      AddForm(dlq, "redrive", "Put them back for delivery", options, context, &RunRedrive);
  CLI::App* purge = AddForm(dlq, "purge", "Throw them away for good", options, context, &RunPurge);
  for (CLI::App* form : {redrive, purge}) {
    form->add_option("ID", options->filter.event_id, "Only this webhook-id");
    form->add_option("--rate", options->per_s, "At most so many a second")
        ->check(CLI::Range(int64_t{1}, PacedRun::kPerSecondMax));
    form->add_flag("--dry-run", options->dry_run, "Only say how many there are");
  }
  purge->add_flag("--yes", options->yes, "Do not ask");
}

}  // namespace relay
