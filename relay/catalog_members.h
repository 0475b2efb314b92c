#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "relay/catalog.h"

namespace relay {

// What catalog_encode.cc and catalog_decode.cc must agree on.

constexpr int kCatalogFormat = 2;
using CatalogHeaders = std::vector<std::pair<std::string, std::string>>;

// The members of each part, once for writing and reading: `each` is called with name, value and
// default. Secret() instead of the call seals or opens.
template <typename Each, typename T>
void ForEachMember(Each& each, T& hmac, const HmacSettings& absent) {
  each("hmac_header", hmac.header, absent.header);
  each("hmac_algorithm", hmac.algorithm, absent.algorithm);
  each("hmac_encoding", hmac.encoding, absent.encoding);
  each("hmac_signed", hmac.signed_text, absent.signed_text);
  each("hmac_prefix", hmac.prefix, absent.prefix);
  each("hmac_separator", hmac.separator, absent.separator);
  each("hmac_timestamp_header", hmac.timestamp_header, absent.timestamp_header);
  each("hmac_timestamp_prefix", hmac.timestamp_prefix, absent.timestamp_prefix);
  each("hmac_type", hmac.type, absent.type);
  each("hmac_ordering", hmac.ordering, absent.ordering);
  each("hmac_dedupe", hmac.dedupe, absent.dedupe);
  each("hmac_answer_status", hmac.answer_status, absent.answer_status);
  each("hmac_answer_body", hmac.answer_body, absent.answer_body);
}

template <typename Each, typename T>
void ForEachMember(Each& each, T& play, const PlaySettings& absent) {
  each("play_domain", play.domain, absent.domain);
  each.Secret("play_key", play.key);
  each("play_path", play.path, absent.path);
  each("play_valid_ms", play.valid, absent.valid);
  each("play_https", play.https, absent.https);
}

template <typename Each, typename T>
void ForEachMember(Each& each, T& source, const Source& absent) {
  each("id", source.id, absent.id);
  each("path", source.path, absent.path);
  each("provider", source.provider, absent.provider);
  each.Secret("keys", source.keys);
  each("grace_ms", source.grace, absent.grace);
  each("window_ms", source.window, absent.window);
  each("route_by", source.route_by, absent.route_by);
  each("route_tenant", source.route_tenant, absent.route_tenant);
  each("route_param", source.route_param, absent.route_param);
  each("keep_unroutable", source.keep_unroutable, absent.keep_unroutable);
  each("unsigned_types", source.unsigned_types, absent.unsigned_types);
  each("tolerance_ms", source.tolerance, absent.tolerance);
  ForEachMember(each, source.hmac, absent.hmac);
  ForEachMember(each, source.play, absent.play);
}

template <typename Each, typename T>
void ForEachMember(Each& each, T& tenant, const Tenant& absent) {
  each("id", tenant.id, absent.id);
  each("push_domains", tenant.push_domains, absent.push_domains);
  each("appids", tenant.appids, absent.appids);
  each("stream_prefixes", tenant.stream_prefixes, absent.stream_prefixes);
  each("accept_per_s", tenant.limits.accept_per_s, absent.limits.accept_per_s);
  each("held_deliveries", tenant.limits.held_deliveries, absent.limits.held_deliveries);
  each("held_bytes", tenant.limits.held_bytes, absent.limits.held_bytes);
  each("endpoints_max", tenant.limits.endpoints, absent.limits.endpoints);
  each("operator", tenant.operator_endpoint, absent.operator_endpoint);
}

template <typename Each, typename T>
void ForEachMember(Each& each, T& endpoint, const Endpoint& absent) {
  each("number", endpoint.number, absent.number);
  each("id", endpoint.id, absent.id);
  each("url", endpoint.url, absent.url);
  each("format", endpoint.format, absent.format);
  each("content_mode", endpoint.content_mode, absent.content_mode);
  each("redact", endpoint.redact, absent.redact);
  each("ack", endpoint.ack, absent.ack);
  each("signing", endpoint.signing, absent.signing);
  each.Secret("signing_secrets", endpoint.signing_secrets);
  each.Secret("signing_key", endpoint.signing_key);
  each("signing_validity_ms", endpoint.signing_validity, absent.signing_validity);
  each("state", endpoint.state, absent.state);
  each("pattern", endpoint.pattern, absent.pattern);
  each("timeout_ms", endpoint.timeout, absent.timeout);
  each("deliver_within_ms", endpoint.deliver_within, absent.deliver_within);
  each("disable_after_ms", endpoint.disable_after, absent.disable_after);
  each("in_flight_max", endpoint.in_flight_max, absent.in_flight_max);
  each("rate_per_s", endpoint.rate.per_s, absent.rate.per_s);
  each("rate_burst", endpoint.rate.burst, absent.rate.burst);
  each("rate_backlog_per_s", endpoint.rate.backlog_per_s, absent.rate.backlog_per_s);
  each("breaker_failures", endpoint.breaker.failures, absent.breaker.failures);
  each("breaker_share", endpoint.breaker.share, absent.breaker.share);
  each("breaker_least", endpoint.breaker.least, absent.breaker.least);
  each("breaker_window_ms", endpoint.breaker.window, absent.breaker.window);
  each("breaker_probe_every_ms", endpoint.breaker.probe_every, absent.breaker.probe_every);
  each("breaker_slow_start_ms", endpoint.breaker.slow_start, absent.breaker.slow_start);
  each("retry_schedule_ms", endpoint.retry_schedule, absent.retry_schedule);
  each("retry_attempts", endpoint.retry_attempts, absent.retry_attempts);
  each("retry_jitter", endpoint.retry_jitter, absent.retry_jitter);
  each("retry_final", endpoint.retry_final, absent.retry_final);
  each("retry_only", endpoint.retry_only, absent.retry_only);
  each("retry_after_max_ms", endpoint.retry_after_max, absent.retry_after_max);
  // A header may well be an Authorization.
  each.Secret("headers", endpoint.headers);
}

// Stands for what is left out.
inline Endpoint AbsentEndpoint() {
  Endpoint out;
  out.retry_schedule = DefaultRetrySchedule();
  return out;
}

// Where a secret belongs: it is sealed for this and the member's name.
inline std::string SourcePlace(std::string_view id) {
  return "source/" + std::string(id);
}

inline std::string EndpointPlace(std::string_view tenant, std::string_view id) {
  return "tenant/" + std::string(tenant).append("/").append(id);
}

}  // namespace relay
