#include "cli/simulate_command.h"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <memory>
#include <utility>

#include "cli/option_types.h"
#include "cli/simulate_kinds.h"
#include "cli/simulate_load.h"
#include "cli/simulate_report.h"
#include "relay/url.h"

namespace relay {

namespace {

constexpr int64_t kCountDefault = 100;

struct SimulateOptions {
  std::string to;
  std::string log;
  std::string run;
  Millis duration{0};
  bool json = false;
  bool seeded = false;
  int retry_attempts = -1;  // Negative: the provider's own number.
  LoadPlan plan;
  MakeMaker make_maker;
};

// The first address of `host`. Blocking: nothing else goes on yet.
Result<std::string> ResolveHost(const std::string& host) {
  addrinfo wanted{};
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), nullptr, &wanted, &found);
  if (error != 0) return Status::NotFound("cannot resolve " + host + ": " + gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> owner(found, &freeaddrinfo);
  char text[NI_MAXHOST];
  if (getnameinfo(found->ai_addr, found->ai_addrlen, text, sizeof(text), nullptr, 0,
                  NI_NUMERICHOST) != 0) {
    return Status::NotFound("cannot resolve " + host);
  }
  return std::string(text);
}

// Fills what of the plan follows from --to.
Status Aim(const std::string& to, LoadPlan* plan) {
  const Result<Url> url = ParseUrl(to);
  if (!url.ok()) return Status::InvalidArgument("--to: " + url.status().text());
  if (url.value().https) {
    return Status::InvalidArgument("--to: only http is spoken here, not https");
  }
  Result<std::string> address = ResolveHost(url.value().host);
  if (!address.ok()) return address.status();
  plan->to.host = std::move(*address);
  plan->to.port = url.value().port;
  plan->host = url.value().UrlHost() + ":" + std::to_string(url.value().port);
  plan->target = url.value().target;
  return Status::Ok();
}

// The plan that the options come to.
Result<LoadPlan> Planned(const SimulateOptions& options, const CallbackMaker& maker,
                         Random& random) {
  LoadPlan plan = options.plan;
  plan.duration = options.duration;
  if (options.retry_attempts >= 0) plan.retry_attempts = options.retry_attempts;
  if (plan.open_loop && plan.rate <= 0) {
    return Status::InvalidArgument("--open-loop needs --rate");
  }
  if (plan.expired > 0 && !maker.CanExpire()) {
    return Status::InvalidArgument(
        "--expired: callbacks of this kind do not say when they were "
        "sent");
  }
  if (plan.count == 0 && plan.duration == Micros(0)) plan.count = kCountDefault;
  if (!options.seeded) plan.seed = random.Next();
  if (Status aimed = Aim(options.to, &plan); !aimed.ok()) return aimed;
  return plan;
}

int RunSimulate(const SimulateOptions& options) {
  Random random = Random::FromSystem();
  const std::string run = options.run.empty() ? random.Hex(8) : options.run;
  Result<std::unique_ptr<CallbackMaker>> maker = options.make_maker(run);
  if (!maker.ok()) return Complain(kExitUsage, maker.status());
  Result<LoadPlan> plan = Planned(options, **maker, random);
  if (!plan.ok()) return Complain(kExitUsage, plan.status());
  LineLog log;
  if (!options.log.empty()) {
    Result<LineLog> opened = LineLog::Open(options.log);
    if (!opened.ok()) return Complain(kExitPortOrFolder, opened.status());
    log = std::move(*opened);
  }

  SystemLoop loop;
  Progress progress(loop.clock(), "accepted", plan->count);
  LoadRun load(loop, std::move(*plan), **maker, log, progress);
  for (const int signal : {SIGINT, SIGTERM}) {
    loop.OnSignal(signal, [&load] { load.Interrupt(); });
  }
  load.Start();
  loop.Run();
  progress.Wipe();

  const LoadResult& result = load.result();
  const std::string text = options.json ? LoadJson(result, run) : LoadTable(result);
  std::fputs(text.c_str(), stdout);
  if (!result.failure.ok()) return Complain(kExitCheckFailed, result.failure);
  if (result.interrupted) return kExitInterrupted;
  return result.unexpected == 0 ? kExitOk : kExitCheckFailed;
}

void AddRetryOptions(CLI::App* command, SimulateOptions* options) {
  CLI::Option* retry = command->add_flag(
      "--retry", options->plan.retry,
      "Send again what is refused or cut off, as often as the provider does and after "
      "its pauses, made shorter by --time-scale");
  command
      ->add_option("--retry-attempts", options->retry_attempts,
                   "Send again so often instead; where that is more, the last pause goes on")
      ->check(CLI::NonNegativeNumber)
      ->needs(retry);
  command
      ->add_option("--time-scale", options->plan.time_scale,
                   "How many times shorter the provider's pauses are; at 60 a minute takes a "
                   "second, because no test has the 12 minutes; 1 is the provider's own pace")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
}

void AddLoadOptions(CLI::App* command, SimulateOptions* options) {
  LoadPlan& plan = options->plan;
  command->add_option("--to", options->to, "Where to, e.g. http://127.0.0.1:8080/in/demo")
      ->required();
  command->add_option("--rate", plan.rate, "New callbacks a second; without it, as fast as it goes")
      ->check(CLI::PositiveNumber);
  command
      ->add_option("--count", plan.count,
                   "Stop after so many callbacks (100, unless there is a --duration)")
      ->check(CLI::PositiveNumber);
  AddDurationOption(command, "--duration", &options->duration, "Stop after so much time");
  command->add_option("--connections", plan.connections, "Keep-alive connections")
      ->check(CLI::Range(1, 20'000))
      ->capture_default_str();
  command->add_flag("--open-loop", plan.open_loop,
                    "Count latency from when a callback was due, not from when it could leave");
  AddChanceOption(command, "--duplicate", &plan.duplicate, "Send a callback once more, as it was");
  AddChanceOption(command, "--reorder", &plan.reorder, "Hold a callback back behind others");
  AddChanceOption(command, "--forge", &plan.forge, "Sign with a wrong key; 403 is expected");
  AddChanceOption(command, "--expired", &plan.expired, "Let its time have passed; 403 is expected");
  AddRetryOptions(command, options);
  command
      ->add_option("--run", options->run, "Name of the run, in every relay_seq; random otherwise")
      ->check([](const std::string& text) {
        const bool plain = std::all_of(text.begin(), text.end(), [](unsigned char c) {
          return c > ' ' && c != '&' && c != '"' && c != '\\';
        });
        return plain ? std::string() : "a name without blanks, quotes, backslashes and '&'";
      });
  command->add_option("--log", options->log, "Append a line for each request and each answer");
  command->add_option_function<uint64_t>(
      "--seed",
      [options](uint64_t seed) {
        options->plan.seed = seed;
        options->seeded = true;
      },
      "Make the same choices again");
  command->add_flag("--json", options->json, "One JSON object instead of the table");
}

}  // namespace

void AddSimulateCommand(CLI::App& app, CommandContext& context) {
  CLI::App* simulate = app.add_subcommand("simulate", "Send callbacks as a provider would");
  simulate->require_subcommand(1);
  for (const SimulateKind& kind : SimulateKinds()) {
    // Shared with the closures that CLI11 keeps.
    auto options = std::make_shared<SimulateOptions>();
    CLI::App* command = simulate->add_subcommand(kind.name, kind.help);
    AddLoadOptions(command, options.get());
    options->make_maker = kind.add_options(command);
    command->footer(kind.footer);
    command->callback(
        [options, &context] { context.run = [options] { return RunSimulate(*options); }; });
  }
}

}  // namespace relay
