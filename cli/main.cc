// relayctl: only wiring. Each command has its own files; its line below brings it in, in the order
// in which --help shows them.

#include <sys/resource.h>
#include <unistd.h>

#include "cli/apply_command.h"
#include "cli/catalog_command.h"
#include "cli/check_command.h"
#include "cli/command_line.h"
#include "cli/dlq_command.h"
#include "cli/endpoint_command.h"
#include "cli/events_command.h"
#include "cli/fsck_command.h"
#include "cli/pattern_command.h"
#include "cli/pending_command.h"
#include "cli/playurl_command.h"
#include "cli/refused_command.h"
#include "cli/simulate_command.h"
#include "cli/sink_command.h"
#include "cli/status_command.h"
#include "cli/streamcode_command.h"
#include "cli/streams_command.h"
#include "cli/unrouted_command.h"
#include "cli/up_command.h"
#include "cli/verify_command.h"

namespace {

// The load tools hold thousands of sockets; the soft limit is often 1,024 while the hard one is
// high.
void RaiseFileLimit() {
  rlimit limit;
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<relay::AddCommand> commands = {
      &relay::AddUpCommand,       &relay::AddCheckCommand,   &relay::AddStatusCommand,
      &relay::AddApplyCommand,    &relay::AddPatternCommand, &relay::AddCatalogCommand,
      &relay::AddEndpointCommand, &relay::AddDlqCommand,     &relay::AddPendingCommand,
      &relay::AddEventsCommand,   &relay::AddStreamsCommand, &relay::AddUnroutedCommand,
      &relay::AddRefusedCommand,  &relay::AddFsckCommand,    &relay::AddSimulateCommand,
      &relay::AddSinkCommand,     &relay::AddVerifyCommand,  &relay::AddStreamCodeCommand,
      &relay::AddPlayUrlCommand,
  };
  RaiseFileLimit();
  std::vector<std::string> environment;
  for (char** entry = environ; *entry; ++entry) environment.emplace_back(*entry);
  return relay::RunCommandLine(commands, {argv + 1, argv + argc}, std::move(environment));
}
