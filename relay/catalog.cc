#include "relay/catalog.h"

#include <algorithm>

namespace relay {

namespace {

bool SameEndpoint(const Endpoint& a, const Endpoint& b) {
  Endpoint renumbered = a;
  renumbered.number = b.number;
  return renumbered == b;
}

bool Lists(const std::vector<int>& statuses, int status) {
  return std::find(statuses.begin(), statuses.end(), status) != statuses.end();
}

}  // namespace

int AttemptsMax(const Endpoint& endpoint) {
  return endpoint.retry_attempts > 0 ? endpoint.retry_attempts
                                     : static_cast<int>(endpoint.retry_schedule.size()) + 1;
}

Millis RetryDelay(const Endpoint& endpoint, int failures) {
  const std::vector<Millis>& schedule = endpoint.retry_schedule;
  return schedule[std::min(static_cast<size_t>(failures), schedule.size()) - 1];
}

bool IsFinalStatus(const Endpoint& endpoint, int status) {
  return status == 410 || Lists(endpoint.retry_final, status) ||
         (!endpoint.retry_only.empty() && !Lists(endpoint.retry_only, status));
}

bool SameContent(const Tenant& a, const Tenant& b) {
  if (a.id != b.id || a.push_domains != b.push_domains || a.appids != b.appids ||
      a.stream_prefixes != b.stream_prefixes || a.limits != b.limits ||
      a.operator_endpoint != b.operator_endpoint || a.endpoints.size() != b.endpoints.size()) {
    return false;
  }
  for (size_t i = 0; i < a.endpoints.size(); ++i) {
    if (!SameEndpoint(a.endpoints[i], b.endpoints[i])) return false;
  }
  return true;
}

}  // namespace relay
