#include "cli/streams_command.h"

#include <cstdio>
#include <memory>

#include "cli/line_log.h"
#include "cli/redis_session.h"
#include "cli/room_command.h"
#include "cli/stream_walk.h"
#include "cli/table.h"

namespace relay {
namespace {

struct StreamsOptions {
  StreamFilter filter;
  bool json = false;
};

// Since when it is as it is: by the provider's clock, or, where that was not told, since Redis
// stored the event.
int64_t SinceMs(const StreamState& state) {
  const int64_t told_ms = state.live ? state.start_ms : state.stop_ms;
  if (told_ms > 0) return told_ms;
  return state.live ? state.set_by.ms : state.changed_ms;
}

std::string_view StateWord(const StreamState& state) {
  return state.live ? "live" : "ended";
}

std::string OrDash(const std::string& text) {
  return text.empty() ? "-" : text;
}

std::string MediaText(const std::optional<StreamMedia>& media) {
  return media ? TimeText(media->at_ms) + " " + media->url : "-";
}

void AppendJson(const KnownStream& stream, std::string& out) {
  JsonLine line(out);
  line.Text("tenant", stream.name.tenant).Text("domain", stream.name.domain);
  line.Text("path", stream.name.path).Text("stream", stream.name.stream);
  line.Text("state", StateWord(stream.state)).Text("since", TimeText(SinceMs(stream.state)));
  line.Text("sequence", stream.state.sequence);
  if (stream.recording) {
    line.Text("recording", stream.recording->url);
    line.Text("recording_at", TimeText(stream.recording->at_ms));
  }
  if (stream.screenshot) {
    line.Text("screenshot", stream.screenshot->url);
    line.Text("screenshot_at", TimeText(stream.screenshot->at_ms));
  }
  if (stream.room) {
    line.Text("room", stream.room->room).Text("user", stream.room->user);
    line.Text("type", stream.room->type);
  }
}

std::string RoomText(const std::optional<RegisteredRoom>& room) {
  if (!room) return "-";
  return room->room + "/" + room->user + (room->type == "main" ? "" : " " + room->type);
}

int RunList(const StreamsOptions& options, const CommandContext& context) {
  auto session = RedisSession::Open(context);
  if (!session.ok()) return Complain(RedisSession::CodeOf(session.status()), session.status());
  const Result<std::vector<KnownStream>> streams = FindStreams(**session, options.filter);
  if (!streams.ok()) return Complain(RedisSession::CodeOf(streams.status()), streams.status());
  if (options.json) {
    std::string json;
    for (const KnownStream& stream : *streams) AppendJson(stream, json);
    std::fwrite(json.data(), 1, json.size(), stdout);
    return kExitOk;
  }
  Table table({"tenant", "domain", "path", "stream", "state", "since", "sequence", "room/user",
               "last recording", "last screenshot"});
  for (const KnownStream& stream : *streams) {
    table.Row({stream.name.tenant, OrDash(stream.name.domain), OrDash(stream.name.path),
               stream.name.stream, std::string(StateWord(stream.state)),
               TimeText(SinceMs(stream.state)), stream.state.sequence, RoomText(stream.room),
               MediaText(stream.recording), MediaText(stream.screenshot)});
  }
  if (table.empty()) {
    std::puts(options.filter.ended ? "no stream is known" : "no stream is live");
  } else {
    table.Print();
  }
  return kExitOk;
}

void AddListOptions(CLI::App* command, const std::shared_ptr<StreamsOptions>& options) {
  command->add_option("--tenant", options->filter.tenant, "Of this tenant only");
  command->add_option("--stream-prefix", options->filter.stream_prefix,
                      "Whose names begin with this");
  command->add_flag("--all", options->filter.ended, "Those that have ended as well");
  command->add_flag("--json", options->json, "One JSON object a line");
}

}  // namespace

void AddStreamsCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<StreamsOptions>();
  CLI::App* parent = app.add_subcommand("streams", "Live streams: list, register, unregister");
  parent->require_subcommand(0, 1);
  AddListOptions(parent, options);
  CLI::App* list = parent->add_subcommand("list", "Streams that are live now (the default)");
  AddListOptions(list, options);
  AddRoomCommands(*parent, context);
  // A command of the parent is run before those of its children, which have the last word.
  parent->preparse_callback([options, &context](size_t) {
    context.run = [options, &context] { return RunList(*options, context); };
  });
}

}  // namespace relay
