#include "relay/catalog_writer.h"

#include <algorithm>
#include <memory>
#include <unordered_map>

#include "relay/check.h"
#include "relay/script_keys.h"
#include "relay/script_reply.h"
#include "relay/stream_layout.h"

namespace relay {

namespace {

const RedisScript& StageScript() {
  static const RedisScript kScript = MakeScript("catalog_stage", ScriptHead::kNone);
  return kScript;
}

const RedisScript& ApplyScript() {
  static const RedisScript kScript = MakeScript("catalog_apply", ScriptHead::kNone);
  return kScript;
}

// The tenants of `catalog` by their parts, by id within each.
std::map<int, std::vector<const Tenant*>> Divide(const Catalog& catalog) {
  std::map<int, std::vector<const Tenant*>> parts;
  for (const Tenant& tenant : catalog.tenants) parts[CatalogPartOf(tenant.id)].push_back(&tenant);
  for (auto& [index, tenants] : parts) {
    std::sort(tenants.begin(), tenants.end(),
              [](const Tenant* a, const Tenant* b) { return a->id < b->id; });
  }
  return parts;
}

bool SamePart(const CatalogPartPtr& held, const std::vector<const Tenant*>& desired) {
  return held &&
         std::equal(held->tenants.begin(), held->tenants.end(), desired.begin(), desired.end(),
                    [](const TenantPtr& a, const Tenant* b) { return SameContent(*a, *b); });
}

}  // namespace

std::vector<const RedisScript*> CatalogWriterScripts() {
  return {&StageScript(), &ApplyScript()};
}

CatalogWriter::CatalogWriter(RedisClient& redis, const SecretBox& box)
    : redis_(redis), box_(box), reader_(redis, box) {}

void CatalogWriter::Write(Catalog desired, std::optional<uint64_t> expected_version,
                          const CatalogPtr& base, OnApplied on_applied) {
  RELAY_CHECK(!busy());
  desired_ = std::move(desired);
  expected_version_ = expected_version;
  base_ = base;
  on_applied_ = std::move(on_applied);
  attempts_ = 0;
  ReadStates();
}

// ---- What Redis holds

void CatalogWriter::ReadStates() {
  ++attempts_;
  redis_.Send(RedisCommand("HKEYS").Arg(kEndpointStateKey), scope_,
              [this](const Result<RedisValue>& reply) { OnStates(reply); });
}

void CatalogWriter::OnStates(const Result<RedisValue>& reply) {
  if (Status status = StatusOfReply(reply); !status.ok()) return Finish(std::move(status));
  Result<std::vector<std::string>> numbers = TextsOf(*reply, "endpoint states");
  if (!numbers.ok()) return Finish(numbers.status());
  numbers_with_state_ = {numbers->begin(), numbers->end()};
  ReadBase(CatalogReader::Secrets::kOpen);
}

void CatalogWriter::ReadBase(CatalogReader::Secrets secrets) {
  const bool open = secrets == CatalogReader::Secrets::kOpen;
  reader_.Read(
      open ? base_ : std::make_shared<const CatalogSnapshot>(), secrets,
      [this, secrets](Result<CatalogReader::Reading> read) { OnBase(secrets, std::move(read)); });
}

void CatalogWriter::OnBase(CatalogReader::Secrets secrets, Result<CatalogReader::Reading> read) {
  const bool open = secrets == CatalogReader::Secrets::kOpen;
  if (!read.ok()) {
    // Numbers are needed even where the key that opened the secrets is lost.
    if (open && read.status().code() == StatusCode::kInvalidArgument) {
      return ReadBase(CatalogReader::Secrets::kSealed);
    }
    return Finish(read.status());
  }
  if (open) base_ = read->catalog;
  version_ = read->catalog->version();
  if (expected_version_.value_or(version_) != version_) {
    return Finish(Status::Conflict("Redis holds version " + std::to_string(version_) +
                                   " of the catalog, not " + std::to_string(*expected_version_)));
  }
  if (!Plan(*read, open)) return Finish(Applied{version_, false});
  Stage();
}

// ---- The plan

// Whether there is anything to write. What cannot be compared, because its secrets stay closed, is
// written anew.
bool CatalogWriter::Plan(const CatalogReader::Reading& base, bool comparable) {
  const CatalogSnapshot& held = *base.catalog;
  next_endpoint_ = base.next_endpoint;
  forgotten_ = AssignNumbers(held);
  manifest_ = {desired_.sources, {}};
  staged_.clear();
  staged_next_ = 0;
  bool changed = !comparable || version_ == 0 || held.sources() != desired_.sources;
  const auto desired_parts = Divide(desired_);
  for (int part = 0; part < kCatalogParts; ++part) {
    const auto desired = desired_parts.find(part);
    if (desired == desired_parts.end()) {
      changed |= held.part(part) != nullptr;
      continue;
    }
    if (comparable && SamePart(held.part(part), desired->second)) {
      manifest_.parts[part] = held.part(part)->digest;
      continue;
    }
    changed = true;
    std::string text = EncodeTenants(desired->second, box_);
    staged_.push_back(DigestOfPart(text));
    staged_.push_back(std::move(text));
    manifest_.parts[part] = staged_[staged_.size() - 2];
  }
  return changed;
}

// Gives each endpoint that is wanted the number that it has, or the next free one. Returns the
// numbers that nobody has any more although a state belongs to them, a blank before each.
std::string CatalogWriter::AssignNumbers(const CatalogSnapshot& base) {
  std::unordered_map<std::string, uint64_t> numbers;
  for (const Tenant* tenant : base.Tenants()) {
    for (const Endpoint& endpoint : tenant->endpoints) {
      numbers[tenant->id + "/" + endpoint.id] = endpoint.number;
      // A counter that was lost must not give out what is in use.
      next_endpoint_ = std::max(next_endpoint_, endpoint.number + 1);
    }
  }
  for (Tenant& tenant : desired_.tenants) {
    for (Endpoint& endpoint : tenant.endpoints) {
      const auto known = numbers.extract(tenant.id + "/" + endpoint.id);
      endpoint.number = known.empty() ? next_endpoint_++ : known.mapped();
    }
  }
  std::string forgotten;
  for (const auto& [name, number] : numbers) {
    std::string digits = std::to_string(number);
    if (numbers_with_state_.count(digits) != 0) forgotten += " " + digits;
  }
  return forgotten;
}

// ---- Writing

void CatalogWriter::Stage() {
  if (staged_next_ == staged_.size()) return PutInForce();
  std::vector<std::string> args;
  size_t bytes = 0;
  while (staged_next_ < staged_.size() &&
         (args.empty() || bytes + staged_[staged_next_ + 1].size() <= kStagedBytes)) {
    bytes += staged_[staged_next_ + 1].size();
    args.push_back(std::move(staged_[staged_next_]));
    args.push_back(std::move(staged_[staged_next_ + 1]));
    staged_next_ += 2;
  }
  redis_.Eval(StageScript(), std::vector<std::string>{std::string(kCatalogPartsKey)}, args, scope_,
              [this](const Result<RedisValue>& reply) {
                if (Status status = StatusOfReply(reply); !status.ok()) {
                  return Finish(std::move(status));
                }
                Stage();
              });
}

void CatalogWriter::PutInForce() {
  const std::vector<std::string> keys = {std::string(kCatalogKey), std::string(kCatalogPartsKey),
                                         std::string(kCatalogChangesKey),
                                         std::string(kEndpointStateKey)};
  std::vector<std::string> args = {std::to_string(version_), EncodeManifest(manifest_, box_),
                                   std::to_string(next_endpoint_), forgotten_};
  for (const auto& [part, digest] : manifest_.parts) args.push_back(digest);
  redis_.Eval(ApplyScript(), keys, args, scope_,
              [this](const Result<RedisValue>& reply) { OnInForce(reply); });
}

void CatalogWriter::OnInForce(const Result<RedisValue>& reply) {
  Status status = StatusOfReply(reply);
  if (status.ok()) status = ExpectArray(*reply, 2, "catalog_apply");
  if (!status.ok()) return Finish(std::move(status));
  const uint64_t version = NumberOr(reply->items[1], 0);
  if (reply->items[0].integer == 1) return Finish(Applied{version, true});
  // Somebody else was faster.
  if (!expected_version_ && attempts_ < kAttemptsMax) return ReadStates();
  Finish(
      Status::Conflict("the catalog was changed meanwhile, to version " + std::to_string(version)));
}

void CatalogWriter::Finish(Result<Applied> result) {
  const OnApplied on_applied = std::move(on_applied_);
  on_applied_ = nullptr;
  desired_ = {};
  base_.reset();
  staged_.clear();
  on_applied(std::move(result));
}

}  // namespace relay
