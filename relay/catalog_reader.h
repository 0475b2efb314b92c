#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "relay/call_scope.h"
#include "relay/catalog_snapshot.h"
#include "relay/redis_client.h"
#include "relay/secret_box.h"
#include "relay/status.h"

namespace relay {

// Reads sources and tenants from Redis: the manifest, then the parts that the reader's side has not
// got already, one reply at a time. So no turn of the loop, here or in Redis, has more to do than
// one part asks for, however large the catalog is.
//
// A part that is gone was cleared away by a newer catalog: the reading begins anew with what it
// has. `redis` and `box` outlive the reader. One reading at a time. Loop thread only.
class CatalogReader {
 public:
  struct Reading {
    // Its run-time state is that of the base.
    std::shared_ptr<CatalogSnapshot> catalog;
    uint64_t next_endpoint = 1;
  };
  using OnRead = std::function<void(Result<Reading>)>;
  // kSealed: secrets stay empty, whoever has sealed them.
  enum class Secrets { kOpen, kSealed };

  CatalogReader(RedisClient& redis, const SecretBox& box) : redis_(redis), box_(box) {}

  // `base` lends the parts that are still the same. Requires: it was read with the same `secrets`,
  // or is empty. An empty catalog of version 0 when nothing was ever applied. `on_read` is called
  // once, never from inside this call, and may destroy the reader.
  void Read(const CatalogPtr& base, Secrets secrets, OnRead on_read);

  static constexpr int kAttemptsMax = 10;

 private:
  void AskForManifest();
  void OnManifest(const Result<RedisValue>& reply);
  Status TakeManifest(const RedisValue& reply);
  void AskForPart();
  void OnPart(const Result<RedisValue>& reply);
  void Finish(Status status);
  const SecretBox* box() const { return secrets_ == Secrets::kOpen ? &box_ : nullptr; }

  RedisClient& redis_;
  const SecretBox& box_;
  Secrets secrets_ = Secrets::kOpen;
  OnRead on_read_;
  Reading reading_;
  int attempts_ = 0;
  std::vector<std::pair<int, std::string>> missing_;  // Part and digest, the next one last.
  CallScope scope_;
};

}  // namespace relay
