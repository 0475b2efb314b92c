#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "relay/ascii.h"
#include "relay/catalog.h"
#include "relay/catalog_format_toml.h"
#include "relay/catalog_hmac_toml.h"
#include "relay/catalog_rules.h"
#include "relay/catalog_words.h"
#include "relay/event_pattern.h"
#include "relay/provider_names.h"
#include "relay/secret_text.h"
#include "relay/toml_reader.h"
#include "relay/url.h"
#include "relay/webhook_signature.h"

namespace relay {

namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr size_t kKeysMax = 10;
constexpr size_t kRouteKeysMax = 1000;
constexpr size_t kUnsignedTypesMax = 100;
// A delivery's attempts are counted in six bits.
constexpr size_t kScheduleMax = 50;
constexpr int kRateMax = 1'000'000;
constexpr int kAttemptsMax = 60;
constexpr size_t kHeadersMax = 20;
constexpr Millis kMonth = hours(30 * 24);

// Whether callbacks of the source's provider say what it routes by; if not, none would find its
// tenant.
bool NamesRoute(const Source& source) {
  const RouteBy by = source.route_by;
  const std::string& provider = source.provider;
  if (provider == "tencent-live") return true;
  if (provider == "tencent-trtc") return by == RouteBy::kAppId || by == RouteBy::kStreamPrefix;
  if (provider == "volcengine-live") {
    return by == RouteBy::kPushDomain || by == RouteBy::kStreamPrefix;
  }
  return provider == "hmac" && by == RouteBy::kStreamPrefix && !source.hmac.ordering.empty();
}

// Reads one catalog file. Tenants come before sources, because a source may name a tenant.
class CatalogFileReader {
 public:
  explicit CatalogFileReader(TomlComplaints& complaints) : complaints_(complaints) {}

  Catalog Read(const TomlValue& value) {
    TomlTable root(value, complaints_);
    int format = 0;
    root.Require("format");
    root.Read("format", 1, 1, format);
    const auto& tenants = root.ReadTables("tenant");
    catalog_.tenants.reserve(tenants.size());
    for (const TomlValue& tenant : tenants) {
      TomlTable table(tenant, "tenant", root);
      ReadTenant(table);
    }
    for (const TomlValue& source : root.ReadTables("source")) {
      TomlTable table(source, "source", root);
      ReadSource(table);
    }
    root.RefuseUnknown();
    return std::move(catalog_);
  }

 private:
  using Names = std::unordered_set<std::string>;

  // An id of its own among `taken`.
  static void ReadId(TomlTable& table, std::string& id, Names& taken) {
    table.Require("id");
    table.Read("id", id);
    if (!table.has("id")) return;
    if (!IsCatalogId(id)) {
      return table.Complain("id", "expected 1 to 40 of a-z, 0-9 and '-', found \"" +
                                      id.substr(0, kCatalogIdBytesMax + 1) + "\"");
    }
    table.set_label(id);
    if (!taken.insert(id).second) table.Complain("id", "\"" + id + "\" is taken already");
  }

  // Replaces "file:/path" by what the file holds. What goes wrong is told without the secret.
  static void ReadSecretFile(const TomlTable& table, std::string_view key, std::string& secret) {
    Result<std::string> read = ReadSecretText(secret);
    if (!read.ok()) return table.Complain(key, read.status().text());
    secret = std::move(*read);
  }

  void ReadSource(TomlTable& table) {
    Source source;
    ReadId(table, source.id, source_ids_);
    if (source.id == kReservedSource) {
      table.Complain("id", "\"relay\" is the source of relay's own notices: expected another id");
    }
    table.Require("path");
    table.Read("path", source.path);
    if (table.has("path") && !IsSourcePath(source.path)) {
      table.Complain("path", "expected 1 to 100 letters, digits, '-', '_' or '.'");
    } else if (source.path == kReservedSource) {
      table.Complain("path", "\"relay\" is kept for relay's own notices: expected another path");
    } else if (table.has("path") && !source_paths_.insert(source.path).second) {
      table.Complain("path", "\"" + source.path + "\" belongs to another source already");
    }
    table.Require("provider");
    table.Read("provider", source.provider);
    if (table.has("provider") && !IsKnownProvider(source.provider)) {
      table.Complain("provider", "this version supports " + ProviderNameList());
    }
    table.Require("keys");
    table.Read("keys", kKeysMax, source.keys);
    if (table.has("keys") && source.keys.empty()) table.Complain("keys", "expected a key");
    for (std::string& key : source.keys) ReadSecretFile(table, "keys", key);
    ReadScheme(table, source);
    table.Read("grace", Millis(0), hours(24), source.grace);
    table.Read("window", Millis(0), hours(7 * 24), source.window);
    table.ReadWord("unroutable", {{"keep", true}, {"503", false}}, source.keep_unroutable);
    table.Require("route");
    if (const TomlValue* route = table.ReadTable("route")) {
      TomlTable route_table(*route, "route", table);
      ReadRoute(route_table, source);
    }
    table.RefuseUnknown();
    catalog_.sources.push_back(std::move(source));
  }

  // The keys that only some kinds of provider have.
  static void ReadScheme(TomlTable& table, Source& source) {
    const bool hmac = source.provider == "hmac";
    const bool webhooks = source.provider == "standard-webhooks";
    table.Read("unsigned_types", kUnsignedTypesMax, source.unsigned_types);
    for (const std::string& type : source.unsigned_types) {
      if (!IsEventNumber(type)) {
        table.Complain("unsigned_types", "expected numbers as strings, such as \"314\"");
      }
    }
    if (table.has("unsigned_types") && source.provider != "tencent-live") {
      table.Complain("unsigned_types", "belongs to provider = \"tencent-live\"");
    }
    table.Read("tolerance", Millis(1000), hours(24), source.tolerance);
    if (table.has("tolerance") && !hmac && !webhooks) {
      table.Complain("tolerance", "belongs to provider = \"standard-webhooks\" or \"hmac\"");
    }
    for (const std::string& key : source.keys) {
      if (!webhooks) break;
      const Result<std::string> decoded = DecodeWebhookSecret(key);
      if (!decoded.ok()) table.Complain("keys", decoded.status().text());
    }
    const TomlValue* settings = table.ReadTable("hmac");
    if (table.has("hmac") != hmac) {
      table.Complain("hmac", "provider = \"hmac\" and this table go together");
    }
    if (settings) {
      TomlTable settings_table(*settings, "hmac", table);
      ReadHmacSettings(settings_table, source.hmac);
    }
    if (const TomlValue* play = table.ReadTable("play")) {
      TomlTable play_table(*play, "play", table);
      ReadPlaySettings(play_table, source.play);
    }
    if (table.has("play") && source.provider != "tencent-live") {
      table.Complain("play", "belongs to provider = \"tencent-live\"");
    }
  }

  void ReadRoute(TomlTable& table, Source& source) {
    table.Read("tenant", source.route_tenant);
    // The first word is for a fixed tenant, which has a key of its own.
    table.ReadWord("by", WordsFor(source.route_by).subspan(1), source.route_by);
    table.Read("name", source.route_param);
    if (table.has("tenant") == table.has("by")) {
      table.Complain("", "expected either a tenant or by what to find it");
    } else if (table.has("tenant") && !tenant_ids_.contains(source.route_tenant)) {
      table.Complain("tenant", "there is no tenant \"" + source.route_tenant + "\"");
    }
    if (table.has("by") && IsKnownProvider(source.provider) && !NamesRoute(source)) {
      table.Complain("by", "callbacks of provider = \"" + source.provider + "\" do not name it");
    }
    if (table.has("name") != (source.route_by == RouteBy::kStreamParam)) {
      table.Complain("", "by = \"stream_param\" and the name of the parameter go together");
    } else if (table.has("name") && source.route_param.empty()) {
      table.Complain("name", "must not be empty");
    }
    table.RefuseUnknown();
  }

  void ReadTenant(TomlTable& table) {
    Tenant tenant;
    ReadId(table, tenant.id, tenant_ids_);
    int weight = 1;
    table.Read("weight", 1, 1000, weight);
    if (weight != 1) table.Complain("weight", "this version supports the weight 1 only");
    if (const TomlValue* routes = table.ReadTable("routes")) {
      TomlTable routes_table(*routes, "routes", table);
      ReadRoutes(routes_table, tenant);
    }
    if (const TomlValue* limits = table.ReadTable("limits")) {
      TomlTable limits_table(*limits, "limits", table);
      ReadLimits(limits_table, tenant.limits);
    }
    Names ids;
    const auto& endpoints = table.ReadTables("endpoint");
    if (tenant.limits.endpoints > 0 &&
        endpoints.size() > static_cast<size_t>(tenant.limits.endpoints)) {
      table.Complain("endpoint", std::to_string(endpoints.size()) +
                                     " endpoints, limits.endpoints is " +
                                     std::to_string(tenant.limits.endpoints));
    }
    for (const TomlValue& endpoint : endpoints) {
      TomlTable endpoint_table(endpoint, "endpoint", table);
      ReadEndpoint(endpoint_table, ids, tenant.endpoints.emplace_back());
    }
    ReadOperator(table, tenant);
    table.RefuseUnknown();
    catalog_.tenants.push_back(std::move(tenant));
  }

  static void ReadOperator(TomlTable& table, Tenant& tenant) {
    table.Read("operator", tenant.operator_endpoint);
    if (!table.has("operator")) return;
    const auto found = std::find_if(
        tenant.endpoints.begin(), tenant.endpoints.end(),
        [&tenant](const Endpoint& endpoint) { return endpoint.id == tenant.operator_endpoint; });
    if (found == tenant.endpoints.end()) {
      table.Complain("operator", "expected the id of an endpoint of this tenant, there is no \"" +
                                     tenant.operator_endpoint.substr(0, kCatalogIdBytesMax + 1) +
                                     "\"");
    } else if (found->format != DeliveryFormat::kRaw) {
      table.Complain("operator",
                     "expected an endpoint with format = \"raw\": a notice has no "
                     "other form");
    }
  }

  void ReadRoutes(TomlTable& table, Tenant& tenant) {
    table.Read("push_domain", kRouteKeysMax, tenant.push_domains);
    // Domains are compared without regard to case, so each is held in one spelling.
    for (std::string& domain : tenant.push_domains) domain = LowerCase(domain);
    Claim(table, "push_domain", tenant.push_domains, tenant.id);
    table.Read("appid", kRouteKeysMax, tenant.appids);
    Claim(table, "appid", tenant.appids, tenant.id);
    table.Read("stream_prefix", kRouteKeysMax, tenant.stream_prefixes);
    Claim(table, "stream_prefix", tenant.stream_prefixes, tenant.id);
    table.RefuseUnknown();
  }

  // Each route key belongs to one tenant, or an event would be anybody's guess.
  void Claim(const TomlTable& table, const char* kind, const std::vector<std::string>& keys,
             const std::string& tenant) {
    for (const std::string& key : keys) {
      if (key.empty()) {
        table.Complain(kind, "must not be empty");
        continue;
      }
      const auto [claim, is_new] = claims_.try_emplace(std::string(kind) + ":" + key, tenant);
      if (is_new) continue;
      table.Complain(kind, "\"" + key + "\" is claimed by tenant \"" + claim->second +
                               "\" and by tenant \"" + tenant + "\"");
    }
  }

  static void ReadLimits(TomlTable& table, TenantLimits& limits) {
    table.Read("accept_per_s", 0, 1'000'000'000, limits.accept_per_s);
    table.Read("held_deliveries", 0, 1'000'000'000'000, limits.held_deliveries);
    table.ReadBytes("held_bytes", 0, int64_t{1} << 50, limits.held_bytes);
    table.Read("endpoints", 0, 10'000, limits.endpoints);
    table.RefuseUnknown();
  }

  static void ReadEndpoint(TomlTable& table, Names& ids, Endpoint& endpoint) {
    ReadId(table, endpoint.id, ids);
    table.Require("url");
    table.Read("url", endpoint.url);
    if (table.has("url")) {
      const Result<Url> url = ParseUrl(endpoint.url);
      if (!url.ok()) table.Complain("url", url.status().text());
    }
    ReadDeliveryFormat(table, endpoint);
    table.ReadWord("ack", WordsFor(endpoint.ack), endpoint.ack);
    table.ReadWord("state", WordsFor(endpoint.state), endpoint.state);
    table.Read("pattern", endpoint.pattern);
    if (const Result<EventPattern> pattern = EventPattern::Parse(endpoint.pattern); !pattern.ok()) {
      table.Complain("pattern", pattern.status().text());
    }
    table.Read("timeout", Millis(100), minutes(5), endpoint.timeout);
    table.Read("deliver_within", Millis(1000), kMonth, endpoint.deliver_within);
    ReadDisableAfter(table, endpoint.disable_after);
    table.Read("in_flight_max", 1, 10'000, endpoint.in_flight_max);
    ReadOrdering(table);
    if (const TomlValue* rate = table.ReadTable("rate")) {
      TomlTable rate_table(*rate, "rate", table);
      ReadRate(rate_table, endpoint.rate);
    }
    if (const TomlValue* breaker = table.ReadTable("breaker")) {
      TomlTable breaker_table(*breaker, "breaker", table);
      ReadBreaker(breaker_table, endpoint.breaker);
    }
    endpoint.retry_schedule = DefaultRetrySchedule();
    if (const TomlValue* retry = table.ReadTable("retry")) {
      TomlTable retry_table(*retry, "retry", table);
      ReadRetry(retry_table, endpoint);
    }
    if (const TomlValue* headers = table.ReadTable("headers")) {
      ReadHeaders(TomlTable(*headers, "headers", table), *headers, endpoint);
    }
    if (const TomlValue* signing = table.ReadTable("signing")) {
      TomlTable signing_table(*signing, "signing", table);
      ReadSigning(signing_table, endpoint);
    }
    if ((endpoint.format == DeliveryFormat::kTencent) !=
        (endpoint.signing == SigningScheme::kTencent)) {
      table.Complain("", "format = \"tencent\" and signing.scheme = \"tencent\" go together");
    }
    table.RefuseUnknown();
  }

  static void ReadDisableAfter(TomlTable& table, Millis& after) {
    table.Read("disable_after", Millis(0), hours(90 * 24), after);
    if (after > Millis(0) && after < minutes(1)) {
      table.Complain("disable_after", "expected \"0s\" (never), or 1m to 90d");
    }
  }

  // What a later version will do is refused: an endpoint that relies on it must not start without.
  static void ReadOrdering(TomlTable& table) {
    std::string ordering = "none";
    table.Read("ordering", ordering);
    if (ordering != "none") table.Complain("ordering", "this version supports \"none\" only");
  }

  static void ReadRate(TomlTable& table, EndpointRate& rate) {
    table.Read("per_s", 0, kRateMax, rate.per_s);
    table.Read("burst", 0, kRateMax, rate.burst);
    table.Read("backlog_per_s", 0, kRateMax, rate.backlog_per_s);
    if (rate.burst > 0 && rate.per_s == 0) {
      table.Complain("burst", "says nothing without per_s");
    }
    table.RefuseUnknown();
  }

  static void ReadBreaker(TomlTable& table, EndpointBreaker& breaker) {
    table.Read("failures", 0, 10'000, breaker.failures);
    table.Read("share", 0.0, 1.0, breaker.share);
    table.Read("least", 1, 1'000'000, breaker.least);
    table.Read("window", Millis(1000), hours(1), breaker.window);
    table.Read("probe_every", Millis(100), hours(1), breaker.probe_every);
    table.Read("slow_start", Millis(0), hours(1), breaker.slow_start);
    table.RefuseUnknown();
  }

  static void ReadRetry(TomlTable& table, Endpoint& endpoint) {
    table.Read("schedule", kScheduleMax, Millis(10), kMonth, endpoint.retry_schedule);
    if (endpoint.retry_schedule.empty()) table.Complain("schedule", "expected 1 to 50 delays");
    if (!std::is_sorted(endpoint.retry_schedule.begin(), endpoint.retry_schedule.end())) {
      table.Complain("schedule", "expected delays of which none is shorter than the one before it");
    }
    table.Read("attempts", 1, kAttemptsMax, endpoint.retry_attempts);
    table.Read("jitter", 0.0, 1.0, endpoint.retry_jitter);
    table.Read("final", 500, 100, 599, endpoint.retry_final);
    table.Read("only", 500, 300, 599, endpoint.retry_only);
    for (const int status : endpoint.retry_only) {
      if (!IsFinalStatus(endpoint, status)) continue;
      table.Complain("only", std::to_string(status) + " is final, and not to be tried again");
    }
    table.Read("retry_after_max", Millis(0), hours(7 * 24), endpoint.retry_after_max);
    table.RefuseUnknown();
  }

  static void ReadHeaders(const TomlTable& table, const TomlValue& headers, Endpoint& endpoint) {
    if (headers.items.size() > kHeadersMax) table.Complain("", "at most 20 headers");
    for (size_t i = 0; i < headers.items.size(); ++i) {
      const std::string& name = headers.keys[i];
      const TomlValue& value = headers.items[i];
      if (!IsHeaderName(name)) {
        table.Complain(name, "no valid header name");
      } else if (IsReservedHeader(name) || (endpoint.format == DeliveryFormat::kCloudEvents &&
                                            LowerCase(name).starts_with("ce-"))) {
        table.Complain(name, "this header is relay's own");
      } else if (value.kind != TomlValue::Kind::kString || !IsHeaderValue(value.text)) {
        table.Complain(name, "expected a string of at most 1024 printable ASCII characters");
      } else {
        endpoint.headers.emplace_back(name, value.text);
      }
    }
  }

  static void ReadSigning(TomlTable& table, Endpoint& endpoint) {
    table.Require("scheme");
    table.ReadWord("scheme", WordsFor(endpoint.signing), endpoint.signing);
    table.Read("secrets", kWebhookSecretsMax, endpoint.signing_secrets);
    table.Read("key", endpoint.signing_key);
    table.Read("validity", minutes(1), hours(7 * 24), endpoint.signing_validity);
    for (std::string& secret : endpoint.signing_secrets) {
      ReadSecretFile(table, "secrets", secret);
      const Result<std::string> decoded = DecodeWebhookSecret(secret);
      if (!decoded.ok()) table.Complain("secrets", decoded.status().text());
    }
    if (table.has("key")) ReadSecretFile(table, "key", endpoint.signing_key);
    const bool webhooks = endpoint.signing == SigningScheme::kStandardWebhooks;
    const bool tencent = endpoint.signing == SigningScheme::kTencent;
    if (webhooks == endpoint.signing_secrets.empty()) {
      table.Complain("", "scheme = \"standard-webhooks\" and 1 to 4 secrets go together");
    }
    if (tencent != table.has("key")) {
      table.Complain("", "scheme = \"tencent\" and a key go together");
    }
    table.RefuseUnknown();
  }

  TomlComplaints& complaints_;
  Catalog catalog_;
  Names source_ids_;
  Names source_paths_;
  Names tenant_ids_;
  std::unordered_map<std::string, std::string> claims_;  // "<kind>:<key>" -> tenant id
};

}  // namespace

Result<Catalog> ParseCatalogToml(const std::string& text, const std::string& name) {
  const Result<TomlValue> parsed = ParseToml(text, name);
  if (!parsed.ok()) return parsed.status();
  TomlComplaints complaints(name);
  Catalog catalog = CatalogFileReader(complaints).Read(*parsed);
  if (!complaints.none()) return complaints.ToStatus();
  return catalog;
}

}  // namespace relay
