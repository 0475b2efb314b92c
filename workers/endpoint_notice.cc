#include "workers/endpoint_notice.h"

#include <rapidjson/stringbuffer.h>
#include <rapidjson/writer.h>

#include <algorithm>
#include <string_view>

#include "relay/catalog_rules.h"
#include "relay/units.h"
#include "relay/url.h"

namespace relay {
namespace {

constexpr std::string_view kType = "endpoint.disabled";
// As long as a source's repeats are recognised by default.
constexpr Millis kWindow{30 * 60 * 1000};

std::string UrlWithoutQuery(const std::string& text) {
  Result<Url> url = ParseUrl(text);
  if (!url.ok()) return "";
  url->target.resize(std::min(url->target.find('?'), url->target.size()));
  return url->ToString();
}

std::string NoticeBody(const Tenant& tenant, const Endpoint& endpoint, const DisableCause& cause,
                       WallTime now) {
  rapidjson::StringBuffer buffer;
  rapidjson::Writer<rapidjson::StringBuffer> writer(buffer);
  const auto text = [&writer](const char* name, std::string_view value) {
    writer.Key(name);
    writer.String(value.data(), static_cast<rapidjson::SizeType>(value.size()));
  };
  writer.StartObject();
  text("type", kType);
  text("tenant", tenant.id);
  text("endpoint", endpoint.id);
  text("url", UrlWithoutQuery(endpoint.url));
  text("reason", cause.reason);
  text("failing_since", TimeText(cause.failing_since_ms));
  text("disabled_at", TimeText(MillisSinceEpoch(now)));
  text("enable", "relayctl endpoint enable " + tenant.id + "/" + endpoint.id);
  writer.EndObject();
  return std::string(buffer.GetString(), buffer.GetSize());
}

}  // namespace

Event DisabledNotice(const Tenant& tenant, const Endpoint& endpoint, const DisableCause& cause,
                     uint64_t catalog_version, WallTime now) {
  Event notice;
  notice.source = kReservedSource;
  notice.tenant = tenant.id;
  notice.type = kType;
  notice.ordering_key = endpoint.id;
  notice.body = NoticeBody(tenant, endpoint, cause, now);
  notice.catalog_version = catalog_version;
  notice.accepted_us = MicrosSinceEpoch(now);
  notice.window_ms = kWindow.count();
  DeriveEventId(notice.source,
                std::string(kType) + '\n' + std::to_string(endpoint.number) + '\n' + cause.reason +
                    '\n' + std::to_string(cause.failing_since_ms),
                notice.id);
  return notice;
}

}  // namespace relay
