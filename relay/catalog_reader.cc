#include "relay/catalog_reader.h"

#include "relay/catalog_json.h"
#include "relay/check.h"
#include "relay/script_reply.h"
#include "relay/stream_layout.h"

namespace relay {

void CatalogReader::Read(const CatalogPtr& base, Secrets secrets, OnRead on_read) {
  RELAY_CHECK(!on_read_);
  secrets_ = secrets;
  on_read_ = std::move(on_read);
  reading_ = {std::make_shared<CatalogSnapshot>(*base), 1};
  attempts_ = 0;
  AskForManifest();
}

void CatalogReader::AskForManifest() {
  ++attempts_;
  redis_.Send(
      RedisCommand("HMGET").Arg(kCatalogKey).Arg("version").Arg("manifest").Arg("next_endpoint"),
      scope_, [this](const Result<RedisValue>& reply) { OnManifest(reply); });
}

void CatalogReader::OnManifest(const Result<RedisValue>& reply) {
  Status status = StatusOfReply(reply);
  if (status.ok()) status = ExpectArray(*reply, 3, "catalog");
  if (status.ok()) status = TakeManifest(*reply);
  if (!status.ok()) return Finish(std::move(status));
  AskForPart();
}

Status CatalogReader::TakeManifest(const RedisValue& reply) {
  CatalogSnapshot& catalog = *reading_.catalog;
  CatalogManifest manifest;
  uint64_t version = 0;
  // Without one nothing was ever applied.
  if (!reply.items[1].is_nil()) {
    Result<CatalogManifest> decoded = DecodeManifest(reply.items[1].text, box());
    if (!decoded.ok()) return decoded.status();
    manifest = *std::move(decoded);
    version = NumberOr(reply.items[0], 0);
  }
  reading_.next_endpoint = NumberOr(reply.items[2], 1);
  catalog.set_version(version);
  catalog.SetSources(std::move(manifest.sources));
  missing_.clear();
  for (int part = 0; part < kCatalogParts; ++part) {
    const CatalogPartPtr& held = catalog.part(part);
    const auto named = manifest.parts.find(part);
    if (named == manifest.parts.end()) {
      if (held) catalog.ClearPart(part);
    } else if (!held || held->digest != named->second) {
      missing_.emplace_back(part, std::move(named->second));
    }
  }
  return Status::Ok();
}

void CatalogReader::AskForPart() {
  if (missing_.empty()) return Finish(Status::Ok());
  redis_.Send(RedisCommand("HGET").Arg(kCatalogPartsKey).Arg(missing_.back().second), scope_,
              [this](const Result<RedisValue>& reply) { OnPart(reply); });
}

void CatalogReader::OnPart(const Result<RedisValue>& reply) {
  if (Status status = StatusOfReply(reply); !status.ok()) return Finish(std::move(status));
  auto& [part, digest] = missing_.back();
  if (reply->is_nil()) {
    if (attempts_ < kAttemptsMax) return AskForManifest();
    return Finish(Status::InvalidArgument("the catalog in Redis lacks part " +
                                          std::to_string(part) + ", " + digest));
  }
  if (DigestOfPart(reply->text) != digest) {
    return Finish(Status::InvalidArgument("part " + std::to_string(part) +
                                          " of the catalog in Redis is not what it was"));
  }
  Result<std::vector<Tenant>> tenants = DecodeTenants(reply->text, box());
  if (!tenants.ok()) return Finish(tenants.status());
  for (const Tenant& tenant : *tenants) {
    if (CatalogPartOf(tenant.id) == part) continue;
    return Finish(Status::InvalidArgument("tenant " + tenant.id +
                                          " stands in another part of the "
                                          "catalog in Redis than its own"));
  }
  reading_.catalog->SetPart(part, std::move(digest), *std::move(tenants));
  missing_.pop_back();
  AskForPart();
}

void CatalogReader::Finish(Status status) {
  const OnRead on_read = std::move(on_read_);
  on_read_ = nullptr;
  Reading reading = std::move(reading_);
  if (status.ok()) {
    on_read(std::move(reading));
  } else {
    on_read(std::move(status));
  }
}

}  // namespace relay
