#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "cli/account_lines.h"
#include "relay/catalog_snapshot.h"
#include "relay/event_pattern.h"
#include "relay/tenant_router.h"

namespace relay {

// As "tenant/endpoint", in the order of the catalog.
using OwedEndpoints = std::vector<std::string>;

// Which endpoints a catalog owes an event, worked out from simulate's log: by the same routing and
// the same patterns as the relay's own, on the members that the log tells of. These are event_type,
// the stream (stream_id, streamId, channel_id, channelId), the push domain (app, domain), the push
// path (appname, path), under the names that each family has for them, and what patterns ask of an
// event beside its body. A pattern on any other member is refused: it cannot be judged here.
class Expectation {
 public:
  // `source` names the catalog's source that the callbacks went to; empty where there is but one.
  static Result<std::unique_ptr<Expectation>> Create(const Catalog& catalog,
                                                     const std::string& source);

  // The active and paused endpoints that are owed this event. The answer stands as long as this
  // object, and equal answers are one object.
  const OwedEndpoints& EndpointsOwed(const SentLine& sent);
  // Null for an endpoint that the catalog does not have.
  const Endpoint* Find(const std::string& endpoint) const;

 private:
  struct Compiled {
    std::string name;
    EventPattern pattern;
  };

  Expectation(CatalogPtr catalog, const Source& source);
  Status Compile();
  OwedEndpoints Match(const SentLine& sent, const Tenant& tenant);

  const CatalogPtr catalog_;
  const Source& source_;
  const TenantRouter router_;
  std::map<const Tenant*, std::vector<Compiled>> compiled_;
  std::unordered_map<std::string, const Endpoint*> endpoints_;
  // What differs between callbacks is little: answers are kept by it, and each is kept once.
  std::unordered_map<std::string, const OwedEndpoints*> known_;
  std::set<OwedEndpoints> answers_;
  std::string key_;
  std::string text_;
  JsonObject body_;
};

}  // namespace relay
