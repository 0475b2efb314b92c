#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "relay/clock.h"
#include "relay/hmac_settings.h"
#include "relay/play_settings.h"
#include "relay/status.h"

namespace relay {

// How a source finds the tenant of an event.
enum class RouteBy { kFixedTenant, kPushDomain, kAppId, kStreamPrefix, kStreamParam };

struct Source {
  std::string id;
  std::string path;               // POST /in/<path>
  std::string provider;           // One of relay/provider_names.h.
  std::vector<std::string> keys;  // The first is the current one; all are tried. Clear text.
  Millis grace{15 * 60 * 1000};   // How long after its expiry a callback is still taken.
  Millis window{30 * 60 * 1000};  // How long repeats are recognised.
  RouteBy route_by = RouteBy::kFixedTenant;
  std::string route_tenant;     // kFixedTenant
  std::string route_param;      // kStreamParam: the parameter's name
  bool keep_unroutable = true;  // unroutable = "keep" | "503"
  // tencent-live: event types that are taken although they carry no signature.
  std::vector<std::string> unsigned_types;
  // standard-webhooks and hmac: how far a timestamp may lie from now, before or after.
  Millis tolerance{5 * 60 * 1000};
  HmacSettings hmac;    // hmac
  PlaySettings play{};  // tencent-live

  bool operator==(const Source&) const = default;
};

enum class DeliveryFormat { kRaw, kTencent, kCloudEvents, kNormalized };
// How a CloudEvent stands in a request, in the words of its HTTP binding.
enum class ContentMode {
  kBinary,      // The body as it came; what is said of it stands in headers.
  kStructured,  // All in one JSON object.
};
enum class AckRule { kStatus, kCode0 };
enum class SigningScheme { kNone, kStandardWebhooks, kTencent };
// What the catalog says of an endpoint.
enum class EndpointState { kActive, kPaused, kDisabled };

// How many deliveries a second an endpoint is sent, by all workers together; 0: as many as it
// takes.
struct EndpointRate {
  int per_s = 0;
  int burst = 0;          // What may be sent at once after a silence; 0: a second's worth.
  int backlog_per_s = 0;  // What has waited in the retry set, within per_s.

  bool operator==(const EndpointRate&) const = default;
};

// When an endpoint is left alone, and how it is tried again.
struct EndpointBreaker {
  int failures = 20;   // Failures in a row that open it; 0: none do.
  double share = 0.5;  // Share of failures in `window` that opens it; 0: none does.
  int least = 100;     // Attempts in `window` below which the share says nothing.
  Millis window{30 * 1000};
  Millis probe_every{5 * 1000};  // One attempt in so long a time while it is open.
  // How long its in-flight cap takes to grow back to the full after a probe has succeeded.
  Millis slow_start{10 * 1000};

  bool operator==(const EndpointBreaker&) const = default;
};

struct Endpoint {
  uint64_t number = 0;  // Assigned once by the catalog store, never reused; names its Redis keys.
  std::string id;       // Unique within its tenant.
  std::string url;
  DeliveryFormat format = DeliveryFormat::kRaw;
  ContentMode content_mode = ContentMode::kBinary;  // cloudevents
  // Parameters of URLs in the body, such as txSecret, whose values it is not shown. None for raw.
  std::vector<std::string> redact;
  AckRule ack = AckRule::kStatus;
  SigningScheme signing = SigningScheme::kNone;
  std::vector<std::string>
      signing_secrets;      // Standard Webhooks: "whsec_..."; the first signs first.
  std::string signing_key;  // tencent
  Millis signing_validity{10 * 60 * 1000};  // tencent: `t` is now plus this
  EndpointState state = EndpointState::kActive;
  std::string pattern;  // JSON text as written; empty matches everything.
  Millis timeout{15000};
  Millis deliver_within{48 * 3600 * 1000LL};
  // Nothing but failures for so long disables it; 0: never.
  Millis disable_after{5 * 24 * 3600 * 1000LL};
  int in_flight_max = 10;  // Requests at the same time, by all workers together.
  EndpointRate rate;
  EndpointBreaker breaker;
  std::vector<Millis>
      retry_schedule;  // Filled with the default schedule when the catalog is silent.
  // Attempts in all: beyond the schedule its last delay is repeated. 0: one more than it has
  // delays.
  int retry_attempts = 0;
  double retry_jitter = 0.2;
  // Statuses that are never tried again, and, where any are named, the only ones that are. One that
  // is neither 2xx nor to be tried again makes a dead letter at once.
  std::vector<int> retry_final = {410};
  std::vector<int> retry_only;
  Millis retry_after_max{3600 * 1000};
  std::vector<std::pair<std::string, std::string>> headers;

  bool operator==(const Endpoint&) const = default;
};

// How many attempts a delivery to it has at most.
int AttemptsMax(const Endpoint& endpoint);
// How long the schedule has it wait after so many failures; jitter aside. Requires: failures >= 1,
// and a schedule.
Millis RetryDelay(const Endpoint& endpoint, int failures);
// Whether an answer with this status, which is no 2xx, ends a delivery.
bool IsFinalStatus(const Endpoint& endpoint, int status);

struct TenantLimits {
  int64_t accept_per_s = 0;  // For each broker process; 0: unlimited.
  int64_t held_deliveries = 100000;
  int64_t held_bytes = 256LL * 1024 * 1024;
  int64_t endpoints = 50;

  bool operator==(const TenantLimits&) const = default;
};

struct Tenant {
  std::string id;
  std::vector<std::string> push_domains;  // Lower case.
  std::vector<std::string> appids;
  std::vector<std::string> stream_prefixes;
  TenantLimits limits;
  // The endpoint of its own that is told of what the relay does by itself (docs/disabling.md);
  // empty for none.
  std::string operator_endpoint;
  std::vector<Endpoint> endpoints;

  bool operator==(const Tenant&) const = default;
};

// State that the run time sets, kept apart from what `apply` writes, keyed by endpoint number.
struct EndpointRuntimeState {
  bool disabled = false;  // After a 410 or long failure; `relayctl endpoint enable` clears it.
  bool paused = false;    // `relayctl endpoint pause | resume`.
  std::string reason;
  int64_t since_ms = 0;

  bool operator==(const EndpointRuntimeState&) const = default;
};
using EndpointRuntimeStates = std::unordered_map<uint64_t, EndpointRuntimeState>;

// What an operator writes: sources, and tenants with their endpoints. The order of a tenant's
// endpoints is the order of matching; that of the tenants says nothing.
struct Catalog {
  std::vector<Source> sources;
  std::vector<Tenant> tenants;
};

inline const std::vector<Millis>& DefaultRetrySchedule() {
  using std::chrono::hours;
  using std::chrono::minutes;
  using std::chrono::seconds;
  static const std::vector<Millis> kSchedule = {seconds(1),  seconds(5),  seconds(30), minutes(2),
                                                minutes(10), minutes(30), hours(1),    hours(3),
                                                hours(6),    hours(12)};
  return kSchedule;
}

// Whether both say the same; endpoint numbers aside.
bool SameContent(const Tenant& a, const Tenant& b);

// What `apply` would change, a line each: "+ tenant/acme/customer-a" (added), "- ..." (removed),
// "~ tenant/acme/customer-a timeout: 15s -> 20s" (changed). A secret shows as "changed", never its
// text.
class CatalogSnapshot;
std::vector<std::string> CatalogDiff(const CatalogSnapshot& held, const Catalog& desired);

// Parses a catalog file (TOML). `name` stands for the file in complaints, which name line and key.
// "file:/path" keys and secrets are read. Requires every limit and reference to hold; returns a
// catalog without endpoint numbers, which the catalog store assigns.
Result<Catalog> ParseCatalogToml(const std::string& text, const std::string& name);

}  // namespace relay
