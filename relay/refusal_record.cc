#include "relay/refusal_record.h"

#include <charconv>

#include "relay/stream_layout.h"

namespace relay {
namespace {

template <typename Integer>
bool ParseInteger(const std::string& text, Integer& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

RedisCommand KeepRefusal(const RefusalRecord& refusal) {
  RedisCommand command("XADD");
  command.Arg(kRefusedKey).Arg("MAXLEN").Arg(kRefusalsKept).Arg("*");
  command.Arg("source").Arg(refusal.source);
  command.Arg("reason").Arg(refusal.reason);
  command.Arg("detail").Arg(refusal.detail);
  command.Arg("peer").Arg(refusal.peer);
  command.Arg("status").Arg(int64_t{refusal.status});
  command.Arg("at").Arg(refusal.at_ms);
  return command;
}

Result<RefusalRecord> DecodeRefusal(const RedisValue& fields) {
  if (!fields.is_array() || fields.items.size() % 2 != 0) {
    return Status::InvalidArgument("a refusal is not a list of names and values");
  }
  RefusalRecord refusal;
  for (size_t i = 0; i < fields.items.size(); i += 2) {
    const std::string& name = fields.items[i].text;
    const std::string& value = fields.items[i + 1].text;
    if (name == "source") refusal.source = value;
    if (name == "reason") refusal.reason = value;
    if (name == "detail") refusal.detail = value;
    if (name == "peer") refusal.peer = value;
    if ((name == "status" && !ParseInteger(value, refusal.status)) ||
        (name == "at" && !ParseInteger(value, refusal.at_ms))) {
      return Status::InvalidArgument("a refusal with a number that is none");
    }
  }
  if (refusal.reason.empty()) return Status::InvalidArgument("a refusal without a reason");
  return refusal;
}

}  // namespace relay
