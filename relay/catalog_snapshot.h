#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "relay/catalog.h"
#include "relay/shared_index.h"

namespace relay {

class CatalogSnapshot;
// Brokers and workers hold a snapshot by shared_ptr, because events in flight may refer to an older
// one than the newest, and swap it whole. What is held so never changes.
using CatalogPtr = std::shared_ptr<const CatalogSnapshot>;
using TenantPtr = std::shared_ptr<const Tenant>;

// The catalog in parts: a tenant belongs to the part that its id hashes to. A part is what is
// written to Redis, read from there and shared between snapshots as one piece, so that a change
// costs the parts that it touches, however many tenants there are.
constexpr int kCatalogParts = 1024;
// Stable for ever: it is part of the data model.
int CatalogPartOf(std::string_view tenant_id);

struct CatalogPart {
  std::string digest;              // Names its text in Redis; empty where it never stood there.
  std::vector<TenantPtr> tenants;  // By id. A tenant that a new part repeats stays the same object.
};
// Shared between the snapshots that agree on it.
using CatalogPartPtr = std::shared_ptr<const CatalogPart>;

// Tenants, sources, endpoints and their run-time state at one moment, with look-ups whose cost does
// not grow with the number of tenants.
//
// To make the next snapshot, copy one and set what differs: a copy shares everything with its
// original until it is changed. One thread only.
class CatalogSnapshot {
 public:
  CatalogSnapshot();
  // Of a whole catalog, for those that have it from elsewhere than from Redis.
  static CatalogPtr Of(const Catalog& catalog, uint64_t version = 0,
                       EndpointRuntimeStates runtime = {});

  uint64_t version() const { return version_; }
  const std::vector<Source>& sources() const { return sources_->all; }
  size_t tenant_count() const { return tenant_count_; }
  // All of them, by id: for those that show or compare them.
  std::vector<const Tenant*> Tenants() const;
  // Only endpoints that have any.
  const EndpointRuntimeStates& runtime() const { return *runtime_; }

  // Each gives null when there is none.
  const Source* FindSource(std::string_view id) const;
  const Source* FindSourceByPath(std::string_view path) const;
  const Tenant* FindTenant(std::string_view id) const;
  const Tenant* FindTenantByDomain(std::string_view lower_case_domain) const;
  const Tenant* FindTenantByAppId(std::string_view appid) const;
  // Of several prefixes the longest wins.
  const Tenant* FindTenantByStream(std::string_view stream_id) const;
  // `tenant` receives its tenant when not null.
  const Endpoint* FindEndpoint(uint64_t number, const Tenant** tenant = nullptr) const;
  const EndpointRuntimeState* FindRuntimeState(uint64_t number) const;
  // A share in a tenant, for what is worked out from it and outlasts this snapshot.
  TenantPtr ShareTenant(std::string_view id) const;

  // Null: no tenant is in it.
  const CatalogPartPtr& part(int index) const { return parts_[static_cast<size_t>(index)]; }

  void set_version(uint64_t version) { version_ = version; }
  void SetSources(std::vector<Source> sources);
  void SetRuntime(EndpointRuntimeStates runtime);
  // Replaces a part. Requires: each tenant belongs to it.
  void SetPart(int index, std::string digest, std::vector<Tenant> tenants);
  void ClearPart(int index);

 private:
  struct Sources {
    std::vector<Source> all;
    // Into `all`.
    std::unordered_map<std::string_view, const Source*> by_id;
    std::unordered_map<std::string_view, const Source*> by_path;
  };
  using TenantIndex = SharedIndex<std::string_view, const Tenant*>;

  void Enter(const Tenant& tenant);
  void Remove(const Tenant& tenant);
  void CountPrefix(size_t size, int change);
  void ReplacePart(int index, CatalogPartPtr part);

  uint64_t version_ = 0;
  size_t tenant_count_ = 0;
  // Shared by snapshots that agree on them.
  std::shared_ptr<const Sources> sources_;
  std::shared_ptr<const EndpointRuntimeStates> runtime_;
  std::array<CatalogPartPtr, kCatalogParts> parts_;
  // Keys and values point into the tenants of `parts_`.
  TenantIndex by_id_;
  TenantIndex by_domain_;
  TenantIndex by_appid_;
  TenantIndex by_prefix_;
  SharedIndex<uint64_t, std::pair<const Tenant*, const Endpoint*>> by_number_;
  // How many prefixes there are of each size that occurs, the longest first.
  std::vector<std::pair<size_t, int>> prefix_sizes_;
};

}  // namespace relay
