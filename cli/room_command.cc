#include "cli/room_command.h"

#include <cstdio>
#include <memory>

#include "cli/option_types.h"
#include "cli/redis_session.h"
#include "relay/event.h"
#include "relay/redis_streams.h"
#include "relay/stream_code.h"
#include "relay/units.h"

namespace relay {
namespace {

constexpr Millis kTtlDefault{30LL * 24 * 3'600'000};
constexpr Millis kTtlMax{45LL * 24 * 3'600'000};
constexpr size_t kCodeBytesMax = 512;

struct RoomOptions {
  std::string tenant;
  std::string bizid, sdkappid, code;  // One of them.
  RoomStream stream;
  std::string type = "main";
  Millis ttl = kTtlDefault;
};

// The name under which the room's events come.
Result<std::string> CodeOf(const RoomOptions& options) {
  if (!options.code.empty()) {
    if (options.code.size() > kCodeBytesMax) return Status::InvalidArgument("--code is too long");
    return options.code;
  }
  const bool hashed = !options.bizid.empty();
  if (!IsAccountNumber(hashed ? options.bizid : options.sdkappid)) {
    return Status::InvalidArgument(std::string(hashed ? "--bizid" : "--sdkappid") +
                                   " is a number of at most 20 digits");
  }
  if (Status status = CheckRoomStream(options.stream); !status.ok()) return status;
  return hashed ? HashedStreamCode(options.bizid, options.stream)
                : PlainStreamCode(options.sdkappid, options.stream);
}

Status CheckOptions(RoomOptions& options, bool registers) {
  const auto type = ParseRoomStreamType(options.type);
  if (!type) return Status::InvalidArgument("--type is main or aux");
  options.stream.type = *type;
  if (options.code.empty() && (options.stream.room.empty() || options.stream.user.empty())) {
    return Status::InvalidArgument("--room and --user are needed");
  }
  if (!registers) return Status::Ok();
  if (Status status = CheckRoomStream(options.stream); !status.ok()) return status;
  if (options.stream.room.size() > RegisteredRoom::kTextBytesMax ||
      options.stream.user.size() > RegisteredRoom::kTextBytesMax) {
    return Status::InvalidArgument("--room and --user have at most " +
                                   std::to_string(RegisteredRoom::kTextBytesMax) + " bytes");
  }
  if (options.ttl < Seconds(1) || options.ttl > kTtlMax) {
    return Status::InvalidArgument("--ttl is from 1s to " + FormatDuration(kTtlMax));
  }
  return Status::Ok();
}

// A tenant that nobody has is a slip of the pen: its registration would never be looked at.
Status CheckTenant(RedisSession& session, const std::string& tenant) {
  const Result<CatalogPtr> catalog = session.LoadCatalog();
  if (!catalog.ok()) return catalog.status();
  if ((*catalog)->FindTenant(tenant) != nullptr) return Status::Ok();
  return Status::NotFound("there is no tenant " + tenant);
}

ScriptCall CallOf(const PartitionKeys& keys, const RoomOptions& options, const std::string& code,
                  bool registers) {
  RoomRegistration registration;
  registration.key = RoomKey(options.tenant, code);
  if (!registers) return DropRooms(keys, {&registration.key, 1});
  registration.room.room = options.stream.room;
  registration.room.user = options.stream.user;
  registration.room.type = options.type;
  registration.ttl = options.ttl;
  return RegisterRooms(keys, {&registration, 1});
}

int Run(RoomOptions options, const CommandContext& context, bool registers) {
  Status status = CheckOptions(options, registers);
  const Result<std::string> code = status.ok() ? CodeOf(options) : Result<std::string>(status);
  if (!code.ok()) return Complain(kExitUsage, code.status());
  auto session = RedisSession::Open(context);
  if (!session.ok()) return Complain(RedisSession::CodeOf(session.status()), session.status());
  status = CheckTenant(**session, options.tenant);
  if (status.code() == StatusCode::kNotFound) return Complain(kExitUsage, status);
  if (!status.ok()) return Complain(RedisSession::CodeOf(status), status);

  const std::vector<PartitionKeys>& partitions = (*session)->partitions();
  const int partition = PartitionOf(options.tenant, *code, "", static_cast<int>(partitions.size()));
  const PartitionKeys& keys = partitions[static_cast<size_t>(partition)];
  const Result<RedisValue> answer = (*session)->Run(CallOf(keys, options, *code, registers));
  const Result<RoomsReply> reply =
      answer.ok() ? ParseRooms(*answer) : Result<RoomsReply>(answer.status());
  if (!reply.ok()) {
    if (!reply.status().text().starts_with("FULL")) {
      return Complain(RedisSession::CodeOf(reply.status()), reply.status());
    }
    return Complain(kExitCheckFailed,
                    "no place for another room beside this code: a partition takes " +
                        std::to_string(kRoomsMax) +
                        "; unregister some, or give them a shorter --ttl");
  }
  if (registers) {
    std::printf("%s\n", code->c_str());
  } else if (reply->changed == 0) {
    return Complain(kExitCheckFailed, "nothing was registered for " + *code);
  }
  return kExitOk;
}

void AddRoom(CLI::App& parent, const std::string& name, const std::string& help, bool registers,
             CommandContext& context) {
  auto options = std::make_shared<RoomOptions>();
  CLI::App* command = parent.add_subcommand(name, help);
  command->add_option("--tenant", options->tenant, "Whose events the code comes in")->required();
  CLI::Option_group* which = command->add_option_group("code", "Which stream code");
  which->add_option("--bizid", options->bizid, "BIZID_MD5(room_user_type)");
  which->add_option("--sdkappid", options->sdkappid, "urlencode(sdkappid_room_user_type)");
  which->add_option("--code", options->code, "The stream's name as it stands in its callbacks");
  which->require_option(1);
  command->add_option("--room", options->stream.room, "The room");
  command->add_option("--user", options->stream.user, "The user");
  command->add_option("--type", options->type, "main (camera) or aux (screen)")
      ->capture_default_str();
  if (registers) {
    AddDurationOption(command, "--ttl", &options->ttl, "For how long, at most 45d (default 30d)");
  }
  command->callback([options, &context, registers] {
    context.run = [options, &context, registers] { return Run(*options, context, registers); };
  });
}

}  // namespace

void AddRoomCommands(CLI::App& streams, CommandContext& context) {
  AddRoom(streams, "register", "Tell whose a stream code is; prints the code", true, context);
  AddRoom(streams, "unregister", "Forget it again", false, context);
}

}  // namespace relay
