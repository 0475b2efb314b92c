#include "cli/verify_command.h"

#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <utility>

#include "cli/account_report.h"
#include "cli/option_types.h"
#include "cli/progress.h"

namespace relay {

namespace {

struct VerifyOptions {
  std::vector<std::string> sent;
  std::vector<std::string> received;
  std::string expect;
  std::string source;
  std::string dead;
  std::string pending;
  std::string faults;
  Millis fault_window = std::chrono::duration_cast<Millis>(Account::kAftermath);
  int64_t duplicates_max = -1;  // Negative: any number.
  int64_t duplicates_without_fault_max = -1;
  bool drained = false;
  bool json = false;
};

// Feeds files to an account, line by line.
class Feeder {
 public:
  Feeder(Account& account, Progress& progress) : account_(account), progress_(progress) {}

  // Lines that are not what they should be are counted. An empty path stands for no file.
  template <typename Line>
  Status Feed(const std::string& path) {
    if (path.empty()) return Status::Ok();
    Line line;
    return ForEachLine(path, [this, &line](std::string_view text) {
      progress_.Update(++lines_);
      if (parser_.Parse(text, &line).ok()) {
        account_.Add(line);
      } else {
        account_.AddMalformed();
      }
    });
  }
  template <typename Line>
  Status FeedAll(const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
      if (Status status = Feed<Line>(path); !status.ok()) return status;
    }
    return Status::Ok();
  }

 private:
  Account& account_;
  Progress& progress_;
  AccountLineParser parser_;
  int64_t lines_ = 0;
};

Status FeedAllFiles(const VerifyOptions& options, Feeder& feeder) {
  Status status = feeder.Feed<FaultLine>(options.faults);
  if (status.ok()) status = feeder.FeedAll<SentLine>(options.sent);
  if (status.ok()) status = feeder.FeedAll<ReceivedLine>(options.received);
  if (status.ok()) status = feeder.Feed<DeadLine>(options.dead);
  if (status.ok()) status = feeder.Feed<PendingLine>(options.pending);
  return status;
}

Result<std::unique_ptr<Expectation>> LoadExpectation(const VerifyOptions& options) {
  std::ifstream file(options.expect);
  if (!file) return Status::NotFound("cannot open " + options.expect);
  std::ostringstream text;
  text << file.rdbuf();
  Result<Catalog> catalog = ParseCatalogToml(text.str(), options.expect);
  if (!catalog.ok()) return catalog.status();
  return Expectation::Create(std::move(*catalog), options.source);
}

// Whether the account is as good as the caller wants it.
bool Passes(const VerifyOptions& options, const AccountResult& result) {
  const auto within = [](int64_t count, int64_t limit) { return limit < 0 || count <= limit; };
  return result.clean() && within(result.duplicates, options.duplicates_max) &&
         within(result.duplicates_without_fault, options.duplicates_without_fault_max) &&
         (!options.drained || result.pending == 0);
}

int RunVerify(const VerifyOptions& options) {
  std::unique_ptr<Expectation> expectation;
  if (!options.expect.empty()) {
    Result<std::unique_ptr<Expectation>> loaded = LoadExpectation(options);
    if (!loaded.ok()) return Complain(kExitConf, loaded.status());
    expectation = std::move(*loaded);
  }
  const SystemClock clock;
  Progress progress(clock, "lines", 0);
  Account account(expectation.get(), options.fault_window);
  Feeder feeder(account, progress);
  const Status fed = FeedAllFiles(options, feeder);
  progress.Wipe();
  if (!fed.ok()) return Complain(kExitPortOrFolder, fed);

  const AccountResult result = account.Conclude();
  const bool ok = Passes(options, result);
  const std::string text =
      options.json ? AccountJson(result, ok) : AccountTable(result, options.fault_window);
  std::fwrite(text.data(), 1, text.size(), stdout);
  return ok ? kExitOk : kExitCheckFailed;
}

}  // namespace

void AddVerifyCommand(CLI::App& app, CommandContext& context) {
  // Shared with the closure that CLI11 keeps.
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* command =
      app.add_subcommand("verify", "Hold what was sent against what the sinks received");
  command->add_option("--sent", options->sent, "The log of simulate; any number of them")
      ->required();
  command->add_option("--received", options->received, "The log of a sink; any number of them")
      ->required();
  command->add_option("--expect", options->expect,
                      "The catalog that says which endpoints are owed what; without it, every "
                      "endpoint that received anything is owed everything, and nothing is said of "
                      "retries, late answers and false dead letters");
  command->add_option("--source", options->source, "Its source, where it has several");
  command->add_option("--dead", options->dead, "What relayctl dlq list --json printed");
  command->add_option("--pending", options->pending,
                      "What relayctl pending list --json printed: what stands there is no loss");
  command->add_flag("--drained", options->drained, "Anything pending is a failure, too");
  command->add_option("--faults", options->faults,
                      "One fault a line: {\"at_us\":N,\"until_us\":N,\"kind\":\"kill\",\"target\":"
                      "\"worker-1\"}; without until_us it was a moment; with \"may_lose_us\":N it "
                      "may lose what was acknowledged within N us before it");
  AddDurationOption(command, "--fault-window", &options->fault_window,
                    "How long after its end duplicates are put down to a fault")
      ->default_str("30s");
  command
      ->add_option("--max-duplicates", options->duplicates_max,
                   "More duplicates than this are a failure, too")
      ->check(CLI::NonNegativeNumber);
  command
      ->add_option("--max-duplicates-without-fault", options->duplicates_without_fault_max,
                   "The same of those with no fault near and no late answer before them")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--json", options->json, "One JSON object instead of the table");
  command->footer(
      "Exit code 1: loss, phantoms, corrupt deliveries, too many duplicates.\n"
      "A callback is on offer from when it was meant to leave until its acknowledgement; a window\n"
      "(100 ms) or a gap counts while anything is on offer. The relay has recovered from a fault "
      "in\n"
      "the first window from which, for a second, 99 % of what is acknowledged reaches its "
      "endpoint\n"
      "within 1 s. A dead letter is false when its endpoint answered 2xx to all others, without a\n"
      "second of silence, for the whole rest of the retry schedule.");
  command->callback(
      [options, &context] { context.run = [options] { return RunVerify(*options); }; });
}

}  // namespace relay
