#include "cli/playurl_command.h"

#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "relay/clock.h"
#include "relay/play_address.h"
#include "relay/secret_text.h"
#include "relay/stream_code.h"
#include "relay/units.h"

namespace relay {
namespace {

struct PlayUrlOptions {
  StreamPlace place;
  std::string format = "flv";
  std::string code;
  std::string key;
  std::string time;
  std::string check;
};

StreamProtocol ProtocolOf(const std::string& format) {
  if (format == "rtmp") return StreamProtocol::kRtmp;
  if (format == "hls") return StreamProtocol::kHls;
  if (format == "push") return StreamProtocol::kPush;
  return StreamProtocol::kFlv;  // The option takes no other name.
}

// A txTime stands for itself; a duration for the time after it.
Result<std::string> TxTimeOf(const std::string& time) {
  if (IsTxTime(time)) return time;
  const Result<Millis> duration = ParseDuration(time);
  if (!duration.ok()) {
    return Status::InvalidArgument(
        "--time: expected a txTime of 8 hexadecimal or 10 decimal digits, or a duration such as "
        "12h");
  }
  const int64_t now = SecondsSinceEpoch(SystemClock().WallNow());
  const int64_t seconds = std::chrono::duration_cast<Seconds>(*duration).count();
  if (seconds > 0xFFFFFFFF - now) {
    return Status::InvalidArgument("--time: ends after the year 2106, where a txTime does");
  }
  return TxTimeText(now + seconds);
}

int RunCheck(const std::string& address, const std::string& key) {
  const Status status = CheckAntiLeech(std::vector<std::string>{key}, address);
  return status.ok() ? int{kExitOk} : Complain(kExitCheckFailed, status);
}

int RunPlayUrl(const PlayUrlOptions& options) {
  std::string key;
  if (!options.key.empty()) {
    Result<std::string> read = ReadSecretText(options.key);
    if (!read.ok()) return Complain(kExitUsage, "--key: " + read.status().text());
    key = std::move(*read);
  }
  if (!options.check.empty()) {
    if (key.empty()) return Complain(kExitUsage, "--check needs --key");
    return RunCheck(options.check, key);
  }
  if (options.code.empty()) return Complain(kExitUsage, "playurl needs --code");
  if (options.place.bizid.empty() && options.place.domain.empty()) {
    return Complain(kExitUsage, "playurl needs --bizid, or a --domain of your own");
  }
  if (key.empty() != options.time.empty()) {
    return Complain(kExitUsage, "--key and --time go together: what is signed is both");
  }
  std::string query;
  if (!key.empty()) {
    const Result<std::string> tx_time = TxTimeOf(options.time);
    if (!tx_time.ok()) return Complain(kExitUsage, tx_time.status());
    query = AntiLeechQuery(key, options.code, *tx_time);
  }
  StreamPlace place = options.place;
  place.protocol = ProtocolOf(options.format);
  const Result<std::string> address = StreamAddress(place, options.code, query);
  if (!address.ok()) return Complain(kExitUsage, address.status());
  if (!place.bizid.empty()) {
    const Status status = CheckBizid(options.code, place.bizid);
    if (!status.ok()) return Complain(kExitCheckFailed, status);
  }
  std::printf("%s\n", address->c_str());
  return kExitOk;
}

}  // namespace

void AddPlayUrlCommand(CLI::App& app, CommandContext& context) {
  auto options = std::make_shared<PlayUrlOptions>();  // Shared with the closure that CLI11 keeps.
  CLI::App* command = app.add_subcommand("playurl", "Where a live stream is played or pushed");
  command->add_option("--bizid", options->place.bizid, "The account; the code must be one of its")
      ->check([](const std::string& text) {
        return IsAccountNumber(text) ? std::string() : "expected 1 to 20 digits";
      });
  command->add_option("--code", options->code, "The stream code, as it stands in an address");
  command->add_option("--format", options->format, "How it is played, or push")
      ->check(CLI::IsMember({"rtmp", "flv", "hls", "push"}))
      ->capture_default_str();
  command->add_option("--key", options->key,
                      "The key that protects addresses, or file:/path, so that the list of "
                      "processes does not show it");
  command->add_option("--time", options->time,
                      "txTime, hexadecimal or decimal, signed as it is written; or a duration from "
                      "now on, such as 12h");
  command->add_option("--domain", options->place.domain, "A play or push domain of your own");
  command->add_option("--path", options->place.path, "The application in the address")
      ->capture_default_str();
  command->add_flag("--https", options->place.https, "https, for flv and hls");
  command->add_option("--check", options->check,
                      "Whether this address was signed with --key; prints nothing");
  command->footer(
      "Example:\n"
      "  relayctl playurl --bizid 8888 --code 8888_81265058829fd2e50c8ec2ac78d55127 --format hls\n"
      "Exits with 1 when the code's BIZID is another one, or the address of --check is not right.");
  command->callback(
      [options, &context] { context.run = [options] { return RunPlayUrl(*options); }; });
}

}  // namespace relay
