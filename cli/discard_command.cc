#include "cli/discard_command.h"

#include <unistd.h>

#include <cstdio>
#include <memory>

#include "cli/discard_run.h"
#include "cli/endpoint_name.h"
#include "cli/progress.h"

namespace relay {
namespace {

struct DiscardOptions {
  std::string name;  // "tenant/endpoint"
  bool yes = false;
  bool dry_run = false;
  int64_t per_s = 0;
};

void SayCount(int64_t count, const std::string& of, const char* what) {
  std::printf("%s waiting deliver%s of %s %s\n", WithThousands(count).c_str(),
              count == 1 ? "y" : "ies", of.c_str(), what);
}

int RunDiscard(const DiscardOptions& options, const CommandContext& context) {
  const bool asks = !options.yes && !options.dry_run;
  if (asks && isatty(STDIN_FILENO) == 0) {
    return Complain(kExitUsage,
                    "discard throws away for good: say --yes where nobody can be asked");
  }
  auto session = RedisSession::Open(context);
  if (!session.ok()) return Complain(RedisSession::CodeOf(session.status()), session.status());
  const Result<CatalogPtr> catalog = (*session)->LoadCatalog();
  if (!catalog.ok()) return Complain(RedisSession::CodeOf(catalog.status()), catalog.status());
  const Tenant* tenant = nullptr;
  const Result<uint64_t> number = EndpointOfName(**catalog, options.name, &tenant);
  if (!number.ok()) return Complain(kExitUsage, number.status());

  DiscardRun run(**session, tenant->id, *number, options.per_s);
  const Result<int64_t> total = run.Count();
  if (!total.ok()) return Complain(RedisSession::CodeOf(total.status()), total.status());
  if (options.dry_run) {
    SayCount(*total, options.name, "would be thrown away");
    return kExitOk;
  }
  const std::string what = "waiting deliveries of " + options.name;
  if (asks && *total > 0 && !MayThrowAway(*total, what.c_str())) {
    return Complain(kExitCheckFailed, "nothing was thrown away");
  }
  const Status status = run.Do();
  SayCount(run.done(), options.name, "thrown away");
  if (status.code() == StatusCode::kCancelled) return kExitInterrupted;
  return status.ok() ? kExitOk : Complain(RedisSession::CodeOf(status), status);
}

}  // namespace

void AddDiscardCommand(CLI::App& endpoint, CommandContext& context) {
  auto options = std::make_shared<DiscardOptions>();
  CLI::App* command =
      endpoint.add_subcommand("discard", "Throw away what waits for it; its dead letters stay");
  command->add_option("ENDPOINT", options->name, "TENANT/ENDPOINT")->required();
  command->add_option("--rate", options->per_s, "At most so many a second")
      ->check(CLI::Range(int64_t{1}, PacedRun::kPerSecondMax));
  command->add_flag("--dry-run", options->dry_run, "Only say how many there are");
  command->add_flag("--yes", options->yes, "Do not ask");
  command->callback([options, &context] {
    context.run = [options, &context] { return RunDiscard(*options, context); };
  });
}

}  // namespace relay
