#include <cstdio>
#include <string_view>
#include <unordered_map>

#include "relay/catalog.h"
#include "relay/catalog_snapshot.h"
#include "relay/catalog_words.h"
#include "relay/units.h"

namespace relay {

namespace {

// One setting as the catalog file spells it. A secret is compared and never shown.
struct Setting {
  std::string name;
  std::string text;
  bool secret = false;
};
using SettingList = std::vector<Setting>;

std::string List(const std::vector<std::string>& items) {
  std::string out = "[";
  for (const std::string& item : items) {
    out.append(out.size() > 1 ? ", \"" : "\"").append(item).append("\"");
  }
  return out + "]";
}

template <typename T>
std::string Word(T value) {
  return std::string(WordOf(value));
}

std::string Number(double value) {
  char text[32];
  std::snprintf(text, sizeof(text), "%g", value);
  return text;
}

std::string Numbers(const std::vector<int>& items) {
  std::vector<std::string> texts;
  for (const int item : items) texts.push_back(std::to_string(item));
  return List(texts);
}

std::string RouteText(const Source& source) {
  if (source.route_by == RouteBy::kFixedTenant) return "tenant " + source.route_tenant;
  const std::string text = "by " + Word(source.route_by);
  return source.route_param.empty() ? text : text + " " + source.route_param;
}

void AddSettingsOf(const HmacSettings& hmac, SettingList& out) {
  const SettingList settings = {{"hmac.header", hmac.header},
                                {"hmac.algorithm", Word(hmac.algorithm)},
                                {"hmac.encoding", Word(hmac.encoding)},
                                {"hmac.signed", hmac.signed_text},
                                {"hmac.prefix", hmac.prefix},
                                {"hmac.separator", hmac.separator},
                                {"hmac.timestamp_header", hmac.timestamp_header},
                                {"hmac.timestamp_prefix", hmac.timestamp_prefix},
                                {"hmac.type", hmac.type},
                                {"hmac.ordering", hmac.ordering},
                                {"hmac.dedupe", hmac.dedupe},
                                {"hmac.answer_status", std::to_string(hmac.answer_status)},
                                {"hmac.answer_body", hmac.answer_body}};
  out.insert(out.end(), settings.begin(), settings.end());
}

void AddSettingsOf(const PlaySettings& play, SettingList& out) {
  const SettingList settings = {{"play.domain", play.domain},
                                {"play.key", play.key, true},
                                {"play.path", play.path},
                                {"play.valid", FormatDuration(play.valid)},
                                {"play.https", play.https ? "true" : "false"}};
  out.insert(out.end(), settings.begin(), settings.end());
}

SettingList SettingsOf(const Source& source) {
  SettingList out = {{"path", source.path},
                     {"provider", source.provider},
                     {"keys", List(source.keys), true},
                     {"grace", FormatDuration(source.grace)},
                     {"window", FormatDuration(source.window)},
                     {"route", RouteText(source)},
                     {"unroutable", source.keep_unroutable ? "keep" : "503"},
                     {"unsigned_types", List(source.unsigned_types)},
                     {"tolerance", FormatDuration(source.tolerance)}};
  AddSettingsOf(source.hmac, out);
  AddSettingsOf(source.play, out);
  return out;
}

SettingList SettingsOf(const Tenant& tenant) {
  return {{"routes.push_domain", List(tenant.push_domains)},
          {"routes.appid", List(tenant.appids)},
          {"routes.stream_prefix", List(tenant.stream_prefixes)},
          {"limits.accept_per_s", std::to_string(tenant.limits.accept_per_s)},
          {"limits.held_deliveries", std::to_string(tenant.limits.held_deliveries)},
          {"limits.held_bytes", FormatBytes(tenant.limits.held_bytes)},
          {"limits.endpoints", std::to_string(tenant.limits.endpoints)},
          {"operator", tenant.operator_endpoint}};
}

SettingList SettingsOf(const Endpoint& endpoint) {
  std::vector<std::string> schedule;
  for (Millis delay : endpoint.retry_schedule) schedule.push_back(FormatDuration(delay));
  std::vector<std::string> headers;
  for (const auto& [name, value] : endpoint.headers) headers.push_back(name + ": " + value);
  return {{"url", endpoint.url},
          {"format", Word(endpoint.format)},
          {"content_mode", Word(endpoint.content_mode)},
          {"redact", List(endpoint.redact)},
          {"ack", Word(endpoint.ack)},
          {"signing.scheme", Word(endpoint.signing)},
          {"signing.secrets", List(endpoint.signing_secrets), true},
          {"signing.key", endpoint.signing_key, true},
          {"signing.validity", FormatDuration(endpoint.signing_validity)},
          {"state", Word(endpoint.state)},
          {"pattern", endpoint.pattern},
          {"timeout", FormatDuration(endpoint.timeout)},
          {"deliver_within", FormatDuration(endpoint.deliver_within)},
          {"disable_after", FormatDuration(endpoint.disable_after)},
          {"in_flight_max", std::to_string(endpoint.in_flight_max)},
          {"rate.per_s", std::to_string(endpoint.rate.per_s)},
          {"rate.burst", std::to_string(endpoint.rate.burst)},
          {"rate.backlog_per_s", std::to_string(endpoint.rate.backlog_per_s)},
          {"breaker.failures", std::to_string(endpoint.breaker.failures)},
          {"breaker.share", Number(endpoint.breaker.share)},
          {"breaker.least", std::to_string(endpoint.breaker.least)},
          {"breaker.window", FormatDuration(endpoint.breaker.window)},
          {"breaker.probe_every", FormatDuration(endpoint.breaker.probe_every)},
          {"breaker.slow_start", FormatDuration(endpoint.breaker.slow_start)},
          {"retry.schedule", List(schedule)},
          {"retry.attempts", std::to_string(AttemptsMax(endpoint))},
          {"retry.jitter", Number(endpoint.retry_jitter)},
          {"retry.final", Numbers(endpoint.retry_final)},
          {"retry.only", Numbers(endpoint.retry_only)},
          {"retry.retry_after_max", FormatDuration(endpoint.retry_after_max)},
          // A header may well be an Authorization.
          {"headers", List(headers), true}};
}

class Differ {
 public:
  template <typename T>
  void Compare(const std::string& name, const T* old_one, const T* new_one) {
    if (!old_one) return Line("+ " + name);
    const SettingList before = SettingsOf(*old_one);
    const SettingList after = SettingsOf(*new_one);
    for (size_t i = 0; i < before.size(); ++i) {
      if (before[i].text == after[i].text) continue;
      Line("~ " + name + " " + before[i].name + ": " +
           (before[i].secret ? "changed" : before[i].text + " -> " + after[i].text));
    }
  }
  void Line(std::string line) { lines_.push_back(std::move(line)); }
  std::vector<std::string> Take() { return std::move(lines_); }
  bool empty() const { return lines_.empty(); }

 private:
  std::vector<std::string> lines_;
};

const Endpoint* FindIn(const Tenant* tenant, const std::string& id) {
  if (!tenant) return nullptr;
  for (const Endpoint& endpoint : tenant->endpoints) {
    if (endpoint.id == id) return &endpoint;
  }
  return nullptr;
}

}  // namespace

std::vector<std::string> CatalogDiff(const CatalogSnapshot& held, const Catalog& desired) {
  std::unordered_map<std::string_view, const Source*> sources;
  for (const Source& source : desired.sources) sources[source.id] = &source;
  std::unordered_map<std::string_view, const Tenant*> tenants;
  for (const Tenant& tenant : desired.tenants) tenants[tenant.id] = &tenant;

  Differ differ;
  bool same_order = held.sources().size() == desired.sources.size();
  for (size_t i = 0; i < desired.sources.size(); ++i) {
    const Source& source = desired.sources[i];
    differ.Compare("source/" + source.id, held.FindSource(source.id), &source);
    same_order = same_order && held.sources()[i].id == source.id;
  }
  for (const Source& source : held.sources()) {
    if (sources.count(source.id) == 0) differ.Line("- source/" + source.id);
  }
  for (const Tenant& tenant : desired.tenants) {
    const std::string name = "tenant/" + tenant.id;
    const Tenant* old_tenant = held.FindTenant(tenant.id);
    differ.Compare(name, old_tenant, &tenant);
    for (const Endpoint& endpoint : tenant.endpoints) {
      differ.Compare(name + "/" + endpoint.id, FindIn(old_tenant, endpoint.id), &endpoint);
    }
    same_order = same_order && old_tenant && SameContent(*old_tenant, tenant);
  }
  for (const Tenant* tenant : held.Tenants()) {
    const std::string name = "tenant/" + tenant->id;
    const auto found = tenants.find(tenant->id);
    const Tenant* new_tenant = found == tenants.end() ? nullptr : found->second;
    if (!new_tenant) differ.Line("- " + name);
    for (const Endpoint& endpoint : tenant->endpoints) {
      if (!FindIn(new_tenant, endpoint.id)) differ.Line("- " + name + "/" + endpoint.id);
    }
  }
  if (differ.empty() && !same_order) differ.Line("~ order of the entries");
  return differ.Take();
}

}  // namespace relay
