#include "relay/unrouted_event.h"

#include <utility>

#include "relay/stream_layout.h"

namespace relay {
namespace {

constexpr std::string_view kDomainField = "r:domain";
constexpr std::string_view kAppIdField = "r:appid";
constexpr std::string_view kStreamField = "r:stream";
constexpr std::string_view kParamField = "r:param";

}  // namespace

RedisCommand KeepUnrouted(const Event& event, const RouteAttributes& attributes) {
  RedisCommand command("XADD");
  // "~": trimming whole nodes costs nothing, and nobody needs the number to be exact.
  command.Arg(kUnroutedKey).Arg("MAXLEN").Arg("~").Arg(kUnroutedMax).Arg("*");
  command.Arg(kDomainField).Arg(attributes.push_domain);
  command.Arg(kAppIdField).Arg(attributes.appid);
  command.Arg(kStreamField).Arg(attributes.stream_id);
  command.Arg(kParamField).Arg(attributes.stream_param);
  AppendEventFields(event, command);
  return command;
}

Result<UnroutedEvent> DecodeUnrouted(const RedisValue& fields) {
  Result<Event> event = DecodeEventFields(fields);
  if (!event.ok()) return event.status();
  UnroutedEvent unrouted;
  unrouted.event = std::move(event).value();
  for (size_t i = 0; i < fields.items.size(); i += 2) {
    const std::string& name = fields.items[i].text;
    const std::string& value = fields.items[i + 1].text;
    if (name == kDomainField) unrouted.attributes.push_domain = value;
    if (name == kAppIdField) unrouted.attributes.appid = value;
    if (name == kStreamField) unrouted.attributes.stream_id = value;
    if (name == kParamField) unrouted.attributes.stream_param = value;
  }
  return unrouted;
}

}  // namespace relay
