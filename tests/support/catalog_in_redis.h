#pragma once

#include <map>
#include <string>
#include <vector>

#include "relay/catalog_json.h"
#include "relay/catalog_snapshot.h"
#include "relay/stream_layout.h"
#include "tests/support/fake_redis.h"

namespace relay {

// What a Redis that holds a catalog answers to those who read it.
class CatalogInRedis {
 public:
  CatalogInRedis() = default;
  CatalogInRedis(const Catalog& catalog, uint64_t version, const SecretBox& box)
      : version_(version) {
    CatalogManifest manifest{catalog.sources, {}};
    std::map<int, std::vector<const Tenant*>> parts;
    for (const Tenant& tenant : catalog.tenants) {
      parts[CatalogPartOf(tenant.id)].push_back(&tenant);
    }
    for (const auto& [part, tenants] : parts) {
      const std::string text = EncodeTenants(tenants, box);
      manifest.parts[part] = DigestOfPart(text);
      parts_[manifest.parts[part]] = text;
    }
    manifest_ = EncodeManifest(manifest, box);
  }

  RedisValue Manifest() const {
    return RedisValue::Array({RedisValue::Text(std::to_string(version_)),
                              RedisValue::Text(manifest_), RedisValue::Text("100")});
  }
  // HGET of the version or of a part.
  RedisValue Get(const FakeRedisCall& call) const {
    if (call.args[0] != kCatalogPartsKey) return RedisValue::Text(std::to_string(version_));
    const auto found = parts_.find(call.args[1]);
    return found == parts_.end() ? RedisValue::Nil() : RedisValue::Text(found->second);
  }
  std::map<std::string, std::string>& parts() { return parts_; }

 private:
  uint64_t version_ = 0;
  std::string manifest_;
  std::map<std::string, std::string> parts_;  // By digest.
};

}  // namespace relay
