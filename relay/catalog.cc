#include "relay/catalog.h"

namespace relay {

namespace {

bool SameEndpoint(const Endpoint& a, const Endpoint& b) {
  Endpoint renumbered = a;
  renumbered.number = b.number;
  return renumbered == b;
}

}  // namespace

bool SameContent(const Tenant& a, const Tenant& b) {
  if (a.id != b.id || a.push_domains != b.push_domains || a.appids != b.appids ||
      a.stream_prefixes != b.stream_prefixes || a.limits != b.limits ||
      a.endpoints.size() != b.endpoints.size()) {
    return false;
  }
  for (size_t i = 0; i < a.endpoints.size(); ++i) {
    if (!SameEndpoint(a.endpoints[i], b.endpoints[i])) return false;
  }
  return true;
}

}  // namespace relay
