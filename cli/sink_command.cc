#include "cli/sink_command.h"

#include <csignal>
#include <cstdio>
#include <memory>
#include <utility>

#include "cli/option_types.h"
#include "cli/progress.h"
#include "cli/sink.h"

namespace relay {

namespace {

struct SinkOptions {
  std::vector<std::string> listen;
  std::string log;
  Millis delay{0};
  bool seeded = false;
  SinkPlan plan;
};

Status ListenOnAll(Sink& sink, const std::vector<std::string>& addresses) {
  for (const std::string& text : addresses) {
    const Result<SocketAddress> address = SocketAddress::Parse(text);
    if (!address.ok()) return address.status();
    if (const Status status = sink.Listen(address.value()); !status.ok()) return status;
    SocketAddress shown = address.value();
    if (shown.unix_path.empty() && shown.port == 0) shown.port = sink.port();
    std::printf("sink listening on %s\n", shown.ToString().c_str());
  }
  std::fflush(stdout);
  return Status::Ok();
}

void PrintTally(const SinkTally& tally) {
  std::printf("received %s · accepted %s · distinct webhook ids %s · bad signatures %s\n",
              WithThousands(tally.received).c_str(), WithThousands(tally.accepted).c_str(),
              WithThousands(tally.distinct_ids).c_str(),
              WithThousands(tally.bad_signatures).c_str());
}

int RunSink(const SinkOptions& options) {
  LineLog log;
  if (!options.log.empty()) {
    Result<LineLog> opened = LineLog::Open(options.log);
    if (!opened.ok()) return Complain(kExitPortOrFolder, opened.status());
    log = std::move(*opened);
  }
  SinkPlan plan = options.plan;
  plan.delay = options.delay;
  if (!options.seeded) plan.seed = Random::FromSystem().Next();

  SystemLoop loop;
  Result<std::unique_ptr<Sink>> sink = Sink::Create(loop, std::move(plan), log);
  if (!sink.ok()) return Complain(kExitUsage, "--secret: " + sink.status().text());
  int code = kExitOk;
  loop.OnSignal(SIGTERM, [&loop] { loop.Stop(); });
  loop.OnSignal(SIGINT, [&loop, &code] {
    code = kExitInterrupted;
    loop.Stop();
  });
  if (const Status status = ListenOnAll(**sink, options.listen); !status.ok()) {
    const bool usage = status.code() == StatusCode::kInvalidArgument;
    return Complain(usage ? kExitUsage : kExitPortOrFolder, status);
  }
  loop.Run();

  PrintTally((*sink)->tally());
  if (!(*sink)->failure().ok()) return Complain(kExitPortOrFolder, (*sink)->failure());
  return code;
}

}  // namespace

void AddSinkCommand(CLI::App& app, CommandContext& context) {
  // Shared with the closures that CLI11 keeps.
  auto options = std::make_shared<SinkOptions>();
  SinkPlan& plan = options->plan;
  CLI::App* command = app.add_subcommand("sink", "Receive webhooks as a customer's server would");
  command
      ->add_option("--listen", options->listen,
                   "Address, e.g. 127.0.0.1:9101 or unix:/tmp/s.sock; port 0 takes a free one")
      ->required();
  command->add_option("--paths", plan.paths, "Only paths ending in /1 to /N are known, others 404")
      ->check(CLI::PositiveNumber);
  command->add_option("--status", plan.status, "What to answer")
      ->check(CLI::Range(200, 599))
      ->capture_default_str();
  AddDurationOption(command, "--delay", &options->delay, "How long an answer takes");
  AddChanceOption(command, "--fail", &plan.fail, "Answer 500");
  command
      ->add_option("--fail-first", plan.fail_first,
                   "Answer 500 to the first N requests of each delivery")
      ->check(CLI::NonNegativeNumber);
  AddChanceOption(command, "--hang", &plan.hang, "Never answer");
  command->add_option("--secret", plan.secrets, "Verify Standard Webhooks signatures (whsec_...)");
  command->add_option("--tencent-key", plan.tencent_keys, "Verify `t` and `sign` in the body");
  command->add_option("--log", options->log, "Append a line for each request, before its answer");
  command->add_option_function<uint64_t>(
      "--seed",
      [raw = options.get()](uint64_t seed) {
        raw->plan.seed = seed;
        raw->seeded = true;
      },
      "Make the same choices again");
  command->callback([options, &context] { context.run = [options] { return RunSink(*options); }; });
}

}  // namespace relay
