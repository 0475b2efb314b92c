#include "cli/simulate_command.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <memory>
#include <set>
#include <utility>

#include "cli/option_types.h"
#include "cli/simulate_load.h"
#include "relay/url.h"

namespace relay {

namespace {

constexpr int64_t kCountDefault = 100;

struct SimulateOptions {
  std::string to;
  std::string log;
  std::vector<int> types;
  Millis duration{0};
  bool json = false;
  bool seeded = false;
  LoadPlan plan;
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

double PerSecond(int64_t count, Micros elapsed) {
  const double seconds = std::chrono::duration<double>(elapsed).count();
  return seconds > 0 ? static_cast<double>(count) / seconds : 0;
}

double AsMillis(Micros latency) {
  return static_cast<double>(latency.count()) / 1000;
}

void PrintTable(const LoadResult& result) {
  const LatencyHistogram& ack = result.ack_latency;
  std::printf("callbacks      %s\n", WithThousands(result.callbacks).c_str());
  std::printf("requests sent  %s\n", WithThousands(result.sent).c_str());
  std::printf("accepted       %s\n", WithThousands(result.accepted).c_str());
  for (const auto& [status, count] : result.refused) {
    std::printf("refused %d    %s\n", status, WithThousands(count).c_str());
  }
  std::printf("indeterminate  %s\n", WithThousands(result.indeterminate).c_str());
  std::printf("not as they should be  %s\n", WithThousands(result.unexpected).c_str());
  std::printf("took           %.3f s, %.0f accepted/s\n",
              std::chrono::duration<double>(result.elapsed).count(),
              PerSecond(result.accepted, result.elapsed));
  std::printf("ack latency    p50 %.2f ms · p90 %.2f · p99 %.2f · p99.9 %.2f · max %.2f\n",
              AsMillis(ack.Percentile(50)), AsMillis(ack.Percentile(90)),
              AsMillis(ack.Percentile(99)), AsMillis(ack.Percentile(99.9)), AsMillis(ack.max()));
}

void PrintJson(const LoadResult& result, const std::string& run) {
  std::string refused;
  for (const auto& [status, count] : result.refused) {
    refused +=
        (refused.empty() ? "\"" : ",\"") + std::to_string(status) + "\":" + std::to_string(count);
  }
  const LatencyHistogram& ack = result.ack_latency;
  std::string out;
  JsonLine(out)
      .Text("run", run)
      .Number("callbacks", result.callbacks)
      .Number("sent", result.sent)
      .Number("accepted", result.accepted)
      .Raw("refused", "{" + refused + "}")
      .Number("indeterminate", result.indeterminate)
      .Number("unexpected", result.unexpected)
      .Number("elapsed_us", result.elapsed.count())
      .Decimal("accepted_per_s", PerSecond(result.accepted, result.elapsed))
      .Number("ack_p50_us", ack.Percentile(50).count())
      .Number("ack_p90_us", ack.Percentile(90).count())
      .Number("ack_p99_us", ack.Percentile(99).count())
      .Number("ack_p999_us", ack.Percentile(99.9).count())
      .Number("ack_max_us", ack.max().count());
  std::fputs(out.c_str(), stdout);
}

int RunSimulate(const SimulateOptions& options) {
  LoadPlan plan = options.plan;
  plan.duration = options.duration;
  if (!options.types.empty()) plan.traffic.types = options.types;
  const std::set<int> distinct(plan.traffic.types.begin(), plan.traffic.types.end());
  if (distinct.size() != plan.traffic.types.size()) {
    return Complain(kExitUsage, "--types names a type twice");
  }
  if (plan.open_loop && plan.rate <= 0) return Complain(kExitUsage, "--open-loop needs --rate");
  if (plan.count == 0 && plan.duration == Micros(0)) plan.count = kCountDefault;
  Random random = Random::FromSystem();
  if (!options.seeded) plan.seed = random.Next();
  if (plan.traffic.run.empty()) plan.traffic.run = random.Hex(8);
  if (const Status aimed = Aim(options.to, &plan); !aimed.ok()) {
    return Complain(kExitUsage, aimed);
  }
  LineLog log;
  if (!options.log.empty()) {
    Result<LineLog> opened = LineLog::Open(options.log);
    if (!opened.ok()) return Complain(kExitPortOrFolder, opened.status());
    log = std::move(*opened);
  }

  SystemLoop loop;
  Progress progress(loop.clock(), "accepted", plan.count);
  const std::string run = plan.traffic.run;
  LoadRun load(loop, std::move(plan), log, progress);
  for (const int signal : {SIGINT, SIGTERM}) {
    loop.OnSignal(signal, [&load] { load.Interrupt(); });
  }
  load.Start();
  loop.Run();
  progress.Wipe();

  const LoadResult& result = load.result();
  if (options.json) {
    PrintJson(result, run);
  } else {
    PrintTable(result);
  }
  if (!result.failure.ok()) return Complain(kExitCheckFailed, result.failure);
  if (result.interrupted) return kExitInterrupted;
  return result.unexpected == 0 ? kExitOk : kExitCheckFailed;
}

void AddLoadOptions(CLI::App* command, SimulateOptions* options) {
  LoadPlan& plan = options->plan;
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
  AddChanceOption(command, "--expired", &plan.expired, "Let `t` have passed; 403 is expected");
  command->add_flag("--retry", plan.retry,
                    "Send again, 1 s later and up to 60 times, what is refused or cut off");
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

void AddTrafficOptions(CLI::App* command, SimulateOptions* options) {
  TencentTraffic& traffic = options->plan.traffic;
  command->add_option("--key", traffic.key, "The source's callback key")->required();
  command->add_option("--streams", traffic.streams, "Distinct streams")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--domains", traffic.domains, "Distinct push domains")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command->add_option("--domain", traffic.domain_pattern, "A push domain; {} is its number, from 0")
      ->capture_default_str();
  command->add_option("--stream-prefix", traffic.stream_prefix, "What stream ids begin with");
  command->add_option("--stream-param", traffic.stream_param,
                      "More of the push URL's query string, e.g. tenant=acme");
  command
      ->add_option("--types", options->types,
                   "The event types that a stream goes through (1,200,100,0)")
      ->delimiter(',');
  command->add_option("--body-bytes", traffic.body_bytes, "Pad bodies to at least this")
      ->check(CLI::Range(0, 16 * 1024 * 1024));
  command->add_option("--run", traffic.run,
                      "Name of the run, in every relay_seq; random otherwise");
}

}  // namespace

void AddSimulateCommand(CLI::App& app, CommandContext& context) {
  // Shared with the closure that CLI11 keeps.
  auto options = std::make_shared<SimulateOptions>();
  CLI::App* simulate = app.add_subcommand("simulate", "Send callbacks as a provider would");
  simulate->require_subcommand(1);
  CLI::App* tencent = simulate->add_subcommand(
      "tencent-live", "Signed live-stream callbacks: push, interruption, recording, screenshot");
  tencent->add_option("--to", options->to, "Where to, e.g. http://127.0.0.1:8080/in/demo")
      ->required();
  AddTrafficOptions(tencent, options.get());
  AddLoadOptions(tencent, options.get());
  tencent->callback(
      [options, &context] { context.run = [options] { return RunSimulate(*options); }; });
}

}  // namespace relay
