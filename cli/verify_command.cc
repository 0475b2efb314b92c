#include "cli/verify_command.h"

#include <cstdio>
#include <fstream>
#include <memory>
#include <sstream>
#include <utility>

#include "cli/account.h"
#include "cli/line_log.h"
#include "cli/progress.h"

namespace relay {

namespace {

struct VerifyOptions {
  std::string sent;
  std::vector<std::string> received;
  std::string expect;
  std::string source;
  std::string dead;
  std::string faults;
  int64_t duplicates_max = -1;
  bool json = false;
};

// Feeds every line of the file to the account. Lines that are not what they should be are counted.
template <typename Line>
Status AddFile(const std::string& path, AccountLineParser& parser, Progress& progress,
               int64_t* lines, Account* account) {
  if (path.empty()) return Status::Ok();
  Line line{};
  return ForEachLine(path, [&](std::string_view text) {
    progress.Update(++*lines);
    if (!parser.Parse(text, &line).ok()) {
      account->AddMalformed();
    } else if constexpr (std::is_same_v<Line, int64_t>) {
      account->AddFault(line);
    } else {
      account->Add(line);
    }
  });
}

Status AddAllFiles(const VerifyOptions& options, Progress& progress, Account* account) {
  AccountLineParser parser;
  int64_t lines = 0;
  Status status = AddFile<int64_t>(options.faults, parser, progress, &lines, account);
  if (status.ok()) {
    status = AddFile<SentLine>(options.sent, parser, progress, &lines, account);
  }
  for (const std::string& path : options.received) {
    if (!status.ok()) break;
    status = AddFile<ReceivedLine>(path, parser, progress, &lines, account);
  }
  if (status.ok()) {
    status = AddFile<DeadLine>(options.dead, parser, progress, &lines, account);
  }
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

double AsMillis(Micros latency) {
  return static_cast<double>(latency.count()) / 1000;
}

void PrintRow(const char* name, int64_t count, const std::string& remark = "") {
  std::printf("%-22s %12s%s%s\n", name, WithThousands(count).c_str(), remark.empty() ? "" : "  ",
              remark.c_str());
}

void PrintLatency(const char* name, const LatencyHistogram& latency) {
  std::printf("%-22s p50 %.2f ms · p99 %.2f · max %.2f\n", name, AsMillis(latency.Percentile(50)),
              AsMillis(latency.Percentile(99)), AsMillis(latency.max()));
}

void PrintTable(const AccountResult& result) {
  PrintRow("callbacks", result.callbacks);
  PrintRow("acknowledged", result.acked);
  PrintRow("indeterminate", result.indeterminate);
  PrintRow("refused", result.refused);
  PrintRow("endpoints", result.endpoints);
  PrintRow("obligations", result.obligations);
  PrintRow("delivered", result.delivered);
  PrintRow("dead", result.dead);
  // With nothing lost in n, the rule of three bounds the rate with 95 % confidence.
  PrintRow("loss", result.loss,
           result.loss == 0 && result.obligations > 2
               ? "95 % sure: less than 1 in " + WithThousands(result.obligations / 3)
               : "");
  PrintRow("phantom", result.phantom);
  PrintRow("corrupt", result.corrupt);
  PrintRow("duplicates", result.duplicates,
           WithThousands(result.duplicates_near_fault) + " within 30 s after a fault");
  PrintRow("early retries", result.early_retries);
  PrintRow("late retries", result.late_retries);
  PrintRow("order inversions", result.inversions);
  if (result.delivered_after_5xx > 0) {
    PrintRow("delivered after 5xx", result.delivered_after_5xx);
  }
  if (result.dead_unknown > 0) PrintRow("unknown dead letters", result.dead_unknown);
  if (result.malformed_lines > 0) PrintRow("malformed lines", result.malformed_lines);
  PrintLatency("sent to receipt", result.sent_to_receipt);
  PrintLatency("ack to receipt", result.acked_to_receipt);
  for (const std::string& example : result.examples) std::printf("  %s\n", example.c_str());
}

void PrintJson(const AccountResult& result, bool ok) {
  std::string examples;
  for (const std::string& example : result.examples) {
    examples += examples.empty() ? '[' : ',';
    AppendJsonString(example, examples);
  }
  std::string out;
  JsonLine(out)
      .Raw("ok", ok ? "true" : "false")
      .Number("callbacks", result.callbacks)
      .Number("acked", result.acked)
      .Number("indeterminate", result.indeterminate)
      .Number("refused", result.refused)
      .Number("endpoints", result.endpoints)
      .Number("obligations", result.obligations)
      .Number("delivered", result.delivered)
      .Number("dead", result.dead)
      .Number("loss", result.loss)
      .Number("phantom", result.phantom)
      .Number("corrupt", result.corrupt)
      .Number("duplicates", result.duplicates)
      .Number("duplicates_near_fault", result.duplicates_near_fault)
      .Number("delivered_after_5xx", result.delivered_after_5xx)
      .Number("early_retries", result.early_retries)
      .Number("late_retries", result.late_retries)
      .Number("inversions", result.inversions)
      .Number("dead_unknown", result.dead_unknown)
      .Number("malformed_lines", result.malformed_lines)
      .Number("sent_to_receipt_p50_us", result.sent_to_receipt.Percentile(50).count())
      .Number("sent_to_receipt_p99_us", result.sent_to_receipt.Percentile(99).count())
      .Number("acked_to_receipt_p50_us", result.acked_to_receipt.Percentile(50).count())
      .Number("acked_to_receipt_p99_us", result.acked_to_receipt.Percentile(99).count())
      .Raw("examples", examples.empty() ? "[]" : examples + "]");
  std::fputs(out.c_str(), stdout);
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
  Account account(expectation.get());
  const Status added = AddAllFiles(options, progress, &account);
  progress.Wipe();
  if (!added.ok()) return Complain(kExitPortOrFolder, added);

  const AccountResult result = account.Conclude();
  const bool too_many = options.duplicates_max >= 0 && result.duplicates > options.duplicates_max;
  const bool ok = result.clean() && !too_many;
  if (options.json) {
    PrintJson(result, ok);
  } else {
    PrintTable(result);
  }
  return ok ? kExitOk : kExitCheckFailed;
}

}  // namespace

void AddVerifyCommand(CLI::App& app, CommandContext& context) {
  // Shared with the closure that CLI11 keeps.
  auto options = std::make_shared<VerifyOptions>();
  CLI::App* command =
      app.add_subcommand("verify", "Hold what was sent against what the sinks received");
  command->add_option("--sent", options->sent, "The log of simulate")->required();
  command->add_option("--received", options->received, "The log of a sink; any number of them")
      ->required();
  command->add_option("--expect", options->expect,
                      "The catalog that says which endpoints are owed what; without it, every "
                      "endpoint that received anything is owed everything");
  command->add_option("--source", options->source, "Its source, where it has several");
  command->add_option("--dead", options->dead, "What relayctl dlq list --json printed");
  command->add_option("--faults", options->faults, "Lines {\"at_us\":...}, one for each fault");
  command
      ->add_option("--max-duplicates", options->duplicates_max,
                   "More duplicates than this are a failure, too")
      ->check(CLI::NonNegativeNumber);
  command->add_flag("--json", options->json, "One JSON object instead of the table");
  command->callback(
      [options, &context] { context.run = [options] { return RunVerify(*options); }; });
}

}  // namespace relay
