#include "cli/pending_command.h"

#include <cstdio>
#include <memory>

#include "cli/callback_reader.h"
#include "cli/line_log.h"
#include "cli/pending_walk.h"
#include "cli/progress.h"
#include "cli/table.h"

namespace relay {
namespace {

struct PendingOptions {
  std::string tenant;
  std::string endpoint;
  bool json = false;
};

// What the walk finds, as lines of JSON that are written at once or as rows of a table.
class PendingList {
 public:
  explicit PendingList(bool json) : json_(json) {}

  void Add(const PendingEvent& pending) {
    ++events_;
    if (!pending.damage.empty()) return AddDamaged(pending.damage);
    const Event& event = pending.event;
    const char* state = pending.read ? "read" : "unread";
    if (json_) {
      JsonLine line(lines_);
      line.Text("webhook_id", event.id).Text("tenant", event.tenant);
      AddCommon(event, state, line);
      return;
    }
    table_.Row({event.id, event.tenant + "/*", event.type, state, "-", "-", "-"});
  }
  void Add(const KeptDelivery& retry) {
    ++retries_;
    const int attempts = AttemptsOfScore(retry.score);
    const std::string due = TimeText(DueOfScore(retry.score));
    if (json_) {
      JsonLine line(lines_);
      line.Text("webhook_id", retry.event.id).Text("endpoint", retry.endpoint_name);
      AddCommon(retry.event, "retry", line);
      line.Number("attempts", attempts).Text("due_at", due);
      line.Number("status", retry.history.empty() ? 0 : retry.history.back().status);
      return;
    }
    const std::string last = retry.history.empty() ? "-" : LastOutcome(retry);
    table_.Row({retry.event.id, retry.endpoint_name, retry.event.type, "retry",
                std::to_string(attempts), last, due});
  }
  // Writes what there is of JSON.
  void Flush() {
    std::fwrite(lines_.data(), 1, lines_.size(), stdout);
    lines_.clear();
  }
  void PrintTable() const {
    if (!table_.empty()) table_.Print();
    std::printf("%s retries, %s events not settled yet\n", WithThousands(retries_).c_str(),
                WithThousands(events_).c_str());
  }

 private:
  static std::string LastOutcome(const KeptDelivery& retry) {
    return std::string(AttemptOutcomeName(retry.history.back().outcome));
  }
  void AddDamaged(const std::string& damage) {
    if (json_) {
      JsonLine(lines_).Text("state", "damaged").Text("damage", damage);
    } else {
      table_.Row({"-", "-", "-", "damaged", "-", damage, "-"});
    }
  }
  void AddCommon(const Event& event, const char* state, JsonLine& line) {
    line.Text("type", event.type).Text("stream", event.ordering_key).Text("state", state);
    line.Number("accepted_at_us", event.accepted_us);
    const std::string& seq = reader_.Read(event.body).seq;
    if (!seq.empty()) line.Text("seq", seq);
  }

  const bool json_;
  CallbackReader reader_;
  std::string lines_;
  Table table_{{"webhook-id", "endpoint", "type", "state", "attempts", "last", "due"}};
  int64_t events_ = 0;
  int64_t retries_ = 0;
};

int RunPendingList(const PendingOptions& options, const CommandContext& context) {
  auto session = RedisSession::Open(context);
  const Result<CatalogPtr> catalog =
      session.ok() ? (*session)->LoadCatalog() : Result<CatalogPtr>(session.status());
  if (!catalog.ok()) return Complain(RedisSession::CodeOf(catalog.status()), catalog.status());
  PendingList list(options.json);
  const auto add_all = [&list](const auto& found) {
    for (const auto& one : found) list.Add(one);
    list.Flush();
  };
  const Status status = PendingWalk(**session, *catalog, options.tenant, options.endpoint)
                            .Run({.on_events = add_all, .on_retries = add_all});
  if (!status.ok()) return Complain(RedisSession::CodeOf(status), status);
  if (!options.json) list.PrintTable();
  return kExitOk;
}

}  // namespace

void AddPendingCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<PendingOptions>();
  CLI::App* pending = app.add_subcommand("pending", "What is still owed: list");
  pending->require_subcommand(1);
  CLI::App* list = pending->add_subcommand(
      "list", "List retries, each with its endpoint, and events that are not settled yet");
  list->add_option("--tenant", options->tenant, "Of this tenant");
  list->add_option(
      "--endpoint", options->endpoint,
      "Retries of this endpoint: ID or TENANT/ID; events that are not settled yet name "
      "no endpoint and are left out");
  list->add_flag("--json", options->json, "One JSON object a line; for relayctl verify --pending");
  list->footer(
      "States: unread (stored, no worker has read it), read (a worker is at it), retry (put off\n"
      "until it is due; one that is under way is due when its lease ends), damaged (it cannot be\n"
      "decoded and stays where it is). Work that moves on meanwhile may be listed twice.");
  list->callback([options, &context] {
    context.run = [options, &context] { return RunPendingList(*options, context); };
  });
}

}  // namespace relay
