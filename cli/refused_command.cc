#include "cli/refused_command.h"

#include <cstdio>
#include <memory>

#include "cli/line_log.h"
#include "cli/redis_session.h"
#include "cli/table.h"
#include "relay/refusal_record.h"
#include "relay/script_reply.h"

namespace relay {
namespace {

int RunRefused(bool json, const CommandContext& context) {
  auto session = RedisSession::Open(context);
  if (!session.ok()) return Complain(RedisSession::CodeOf(session.status()), session.status());
  const Result<RedisValue> entries = (*session)->Ask(
      RedisCommand("XREVRANGE").Arg(kRefusedKey).Arg("+").Arg("-").Arg("COUNT").Arg(kRefusalsKept));
  if (!entries.ok()) return Complain(RedisSession::CodeOf(entries.status()), entries.status());
  Table table({"at", "source", "status", "reason", "from", "detail"});
  std::string lines;
  for (const RedisValue& entry : entries->items) {
    if (!ExpectArray(entry, 2, "refused").ok()) continue;
    const Result<RefusalRecord> refusal = DecodeRefusal(entry.items[1]);
    if (!refusal.ok()) return Complain(kExitCheckFailed, refusal.status());
    if (json) {
      JsonLine(lines)
          .Text("at", TimeText(refusal->at_ms))
          .Text("source", refusal->source)
          .Number("status", refusal->status)
          .Text("reason", refusal->reason)
          .Text("peer", refusal->peer)
          .Text("detail", refusal->detail);
    } else {
      table.Row({TimeText(refusal->at_ms), refusal->source, std::to_string(refusal->status),
                 refusal->reason, refusal->peer, refusal->detail});
    }
  }
  if (json) {
    std::fwrite(lines.data(), 1, lines.size(), stdout);
  } else if (table.empty()) {
    std::printf("nothing was refused\n");
  } else {
    table.Print();
  }
  return kExitOk;
}

}  // namespace

void AddRefusedCommand(CLI::App& app, CommandContext& context) {
  auto json = std::make_shared<bool>(false);  // Shared with the closures that CLI11 keeps.
  CLI::App* command =
      app.add_subcommand("refused", "The last callbacks that were refused, newest first");
  command->add_flag("--json", *json, "One JSON object a line");
  command->callback(
      [json, &context] { context.run = [json, &context] { return RunRefused(*json, context); }; });
}

}  // namespace relay
