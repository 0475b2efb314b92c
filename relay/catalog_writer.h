#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "relay/call_scope.h"
#include "relay/catalog.h"
#include "relay/catalog_json.h"
#include "relay/catalog_reader.h"
#include "relay/redis_client.h"
#include "relay/secret_box.h"
#include "relay/status.h"

namespace relay {

// Makes a catalog the one in Redis: reads what is there, writes the texts of the parts that differ
// beside those in force, a few at a time, and then puts them in force in one small step. A reader
// sees all of a catalog or nothing of it, and nobody is held up, however large it is.
//
// `redis` has CatalogWriterScripts(); it and `box` outlive the writer. One writing at a time. Loop
// thread only.
class CatalogWriter {
 public:
  struct Applied {
    uint64_t version = 0;
    bool changed = false;  // False: Redis held the same content already; nothing was written.
  };
  using OnApplied = std::function<void(Result<Applied>)>;

  CatalogWriter(RedisClient& redis, const SecretBox& box);

  // As CatalogStore::Apply says. `base` lends what is known of Redis already. `on_applied` is
  // called once, never from inside this call, and may destroy the writer.
  void Write(Catalog desired, std::optional<uint64_t> expected_version, const CatalogPtr& base,
             OnApplied on_applied);
  bool busy() const { return static_cast<bool>(on_applied_); }

  static constexpr int kAttemptsMax = 5;
  // Texts put in place by one call, unless one alone is larger.
  static constexpr size_t kStagedBytes = 128 * 1024;

 private:
  void ReadStates();
  void OnStates(const Result<RedisValue>& reply);
  void ReadBase(CatalogReader::Secrets secrets);
  void OnBase(CatalogReader::Secrets secrets, Result<CatalogReader::Reading> read);
  bool Plan(const CatalogReader::Reading& base, bool comparable);
  std::string AssignNumbers(const CatalogSnapshot& base);
  void Stage();
  void PutInForce();
  void OnInForce(const Result<RedisValue>& reply);
  void Finish(Result<Applied> result);

  RedisClient& redis_;
  const SecretBox& box_;
  CatalogReader reader_;
  OnApplied on_applied_;
  Catalog desired_;
  std::optional<uint64_t> expected_version_;
  CatalogPtr base_;
  int attempts_ = 0;
  // The plan, made on what Redis held.
  std::set<std::string> numbers_with_state_;
  uint64_t version_ = 0;
  uint64_t next_endpoint_ = 1;
  std::string forgotten_;  // Endpoints that are gone and have a state, a blank before each.
  CatalogManifest manifest_;
  std::vector<std::string> staged_;  // Digest and text of each part to be put in place.
  size_t staged_next_ = 0;
  CallScope scope_;
};

std::vector<const RedisScript*> CatalogWriterScripts();

}  // namespace relay
