#include "cli/streamcode_command.h"

#include <cstdio>
#include <memory>
#include <string>

#include "relay/stream_code.h"

namespace relay {
namespace {

struct StreamCodeOptions {
  std::string bizid;
  std::string sdkappid;
  std::string room;
  std::string user;
  std::string type = "main";
  std::string check;
  bool checking = false;
  std::string parse;
};

RoomStream StreamOf(const StreamCodeOptions& options) {
  // The option takes no other name.
  return {options.room, options.user,
          ParseRoomStreamType(options.type).value_or(RoomStreamType::kMain)};
}

Status CheckCode(const StreamCodeOptions& options, bool with_stream) {
  const RoomStream stream = StreamOf(options);
  if (!options.bizid.empty()) {
    return with_stream ? CheckHashedStreamCode(options.check, options.bizid, stream)
                       : CheckHashedStreamCode(options.check, options.bizid);
  }
  if (!options.sdkappid.empty()) {
    return with_stream ? CheckPlainStreamCode(options.check, options.sdkappid, stream)
                       : CheckPlainStreamCode(options.check, options.sdkappid);
  }
  return CheckCustomStreamId(options.check);
}

int RunParse(const std::string& code) {
  const Result<PlainCode> parts = ParsePlainStreamCode(code);
  if (!parts.ok()) return Complain(kExitCheckFailed, parts.status());
  if (parts->ambiguous) {
    std::fprintf(stderr,
                 "relayctl: room or user has a '_', which separates them too: this is the reading "
                 "with the shortest room\n");
  }
  std::printf("sdkappid  %s\nroom      %s\nuser      %s\ntype      %s\n", parts->sdkappid.c_str(),
              parts->stream.room.c_str(), parts->stream.user.c_str(),
              std::string(RoomStreamTypeName(parts->stream.type)).c_str());
  return kExitOk;
}

int RunStreamCode(const StreamCodeOptions& options) {
  const bool hashed = !options.bizid.empty();
  const bool plain = !options.sdkappid.empty();
  const bool with_stream = !options.room.empty() || !options.user.empty();
  if (!options.parse.empty()) {
    if (!hashed && !plain && !with_stream && !options.checking) return RunParse(options.parse);
    return Complain(kExitUsage, "--parse stands alone");
  }
  if (!hashed && !plain && (with_stream || !options.checking)) {
    return Complain(kExitUsage, "streamcode needs --bizid or --sdkappid, with --room and --user");
  }
  if (with_stream || !options.checking) {
    if (const Status status = CheckRoomStream(StreamOf(options)); !status.ok()) {
      return Complain(kExitUsage, "--room, --user: " + status.text());
    }
  }
  if (options.checking) {
    const Status status = CheckCode(options, with_stream);
    return status.ok() ? int{kExitOk} : Complain(kExitCheckFailed, status);
  }
  const std::string code = hashed ? HashedStreamCode(options.bizid, StreamOf(options))
                                  : PlainStreamCode(options.sdkappid, StreamOf(options));
  std::printf("%s\n", code.c_str());
  return kExitOk;
}

}  // namespace

void AddStreamCodeCommand(CLI::App& app, CommandContext& context) {
  auto options =
      std::make_shared<StreamCodeOptions>();  // Shared with the closure that CLI11 keeps.
  CLI::App* command = app.add_subcommand("streamcode", "The stream code of a user in a room");
  const auto is_number = [](const std::string& text) {
    return IsAccountNumber(text) ? std::string()
                                 : "expected 1 to 20 digits, found \"" + text + "\"";
  };
  CLI::Option* bizid =
      command->add_option("--bizid", options->bizid, "For BIZID_MD5(room_user_type)")
          ->check(is_number);
  command
      ->add_option("--sdkappid", options->sdkappid,
                   "For urlencode(sdkappid_room_user_type), of applications made since 2020")
      ->check(is_number)
      ->excludes(bizid);
  command->add_option("--room", options->room, "The room, in UTF-8");
  command->add_option("--user", options->user, "The user, in UTF-8");
  command->add_option("--type", options->type, "main: the camera; aux: the screen")
      ->check(CLI::IsMember({"main", "aux"}))
      ->capture_default_str();
  command->add_option_function<std::string>(
      "--check",
      [raw = options.get()](const std::string& code) {
        raw->check = code;
        raw->checking = true;
      },
      "Whether this is the code; without room and user, whether it is one of the account's; "
      "without an account, whether a room may name its stream so");
  command->add_option("--parse", options->parse, "What a code with an sdkappid is made of");
  command->footer(
      "Example:\n"
      "  relayctl streamcode --bizid 8888 --room 293710 --user 14y2l2c --type main\n"
      "--check exits with 0 when the code is right, else with 1 and the reason on stderr.");
  command->callback(
      [options, &context] { context.run = [options] { return RunStreamCode(*options); }; });
}

}  // namespace relay
