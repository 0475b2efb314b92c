#include "workers/prepared_endpoint.h"

#include <strings.h>

#include "workers/delivery_headers.h"

namespace relay {
namespace {

// Whether two pointers share one owner, asked without taking part in the ownership.
bool IsSameOwner(const std::weak_ptr<const CatalogSnapshot>& held, const CatalogPtr& given) {
  return !held.owner_before(given) && !given.owner_before(held);
}

bool IsNamed(const std::string& header, const char* name) {
  return strcasecmp(header.c_str(), name) == 0;
}

PreparedEndpoint Refused(std::string why) {
  PreparedEndpoint refused;
  refused.why_refused = std::move(why);
  return refused;
}

}  // namespace

PreparedEndpoint Prepare(const Tenant& tenant, const Endpoint& endpoint,
                         const AddressGuard& guard) {
  Result<Url> url = ParseUrl(endpoint.url);
  if (!url.ok()) return Refused("the URL " + url.status().text());
  if (const std::string_view why = guard.WhyUrlIsRefused(*url); !why.empty()) {
    return Refused(std::string(why));
  }
  if (url->address && !guard.Allows(*url->address)) {
    return Refused("the address in the URL is not public");
  }
  PreparedEndpoint prepared;
  prepared.address = url->address;
  if (endpoint.signing == SigningScheme::kStandardWebhooks) {
    // Sent without a signature it would be refused by the receiver or, worse, taken.
    Result<WebhookSigner> signer = WebhookSigner::Create(endpoint.signing_secrets);
    if (!signer.ok()) return Refused("its secrets cannot sign: " + signer.status().text());
    prepared.signer = std::move(signer).value();
  }

  HttpRoute route{std::move(url).value(), ""};
  bool sets_user_agent = false;
  for (const auto& [name, value] : endpoint.headers) {
    prepared.sets_content_type |= IsNamed(name, "content-type");
    prepared.sets_traceparent |= IsNamed(name, "traceparent");
    sets_user_agent |= IsNamed(name, "user-agent");
    AppendHeader(name, value, route.headers);
  }
  if (!sets_user_agent) {
    AppendHeader("user-agent", "callback-relay/" RELAY_VERSION, route.headers);
  }
  AppendHeader("relay-endpoint", tenant.id + "/" + endpoint.id, route.headers);
  prepared.route = std::make_shared<const HttpRoute>(std::move(route));
  return prepared;
}

std::shared_ptr<const PreparedEndpoint> PreparedEndpoints::Get(const CatalogPtr& catalog,
                                                               const Tenant& tenant,
                                                               const Endpoint& endpoint) {
  const auto found = by_number_.find(endpoint.number);
  if (found != by_number_.end()) {
    Entry& entry = found->second;
    const bool same_snapshot = entry.seen_at == &endpoint && IsSameOwner(entry.catalog, catalog);
    if (same_snapshot || entry.made_from == endpoint) {
      if (!same_snapshot) {
        entry.catalog = catalog;
        entry.seen_at = &endpoint;
      }
      return entry.prepared;
    }
    by_number_.erase(found);
  }
  // Whichever goes is prepared again when it is next needed, in a few microseconds.
  if (by_number_.size() >= kEntriesMax) by_number_.erase(by_number_.begin());
  auto prepared = std::make_shared<const PreparedEndpoint>(Prepare(tenant, endpoint, guard_));
  by_number_.emplace(endpoint.number, Entry{prepared, endpoint, catalog, &endpoint});
  return prepared;
}

}  // namespace relay
