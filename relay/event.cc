#include "relay/event.h"

#include <array>
#include <charconv>

#include "relay/check.h"
#include "relay/sha256.h"
#include "relay/stream_layout.h"

namespace relay {
namespace {

// Short, because a stream stores its field names once in every node of about 4 KB.
enum Field {
  kId,
  kSource,
  kTenant,
  kType,
  kOrderingKey,
  kHeaders,
  kCatalogVersion,
  kAcceptedUs,
  kWindowMs,
  kBody,
  kFieldCount
};
constexpr std::array<std::string_view, kFieldCount> kFieldNames = {
    "id", "src", kTenantField, "typ", "key", "hdr", "cat", "at", "win", kBodyField};

constexpr size_t kIdBytes = 16;

uint64_t Fnv1a(std::string_view bytes, uint64_t hash) {
  for (const char c : bytes) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3u;
  return hash;
}

template <typename Integer>
bool ParseInteger(std::string_view text, Integer& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

std::string DeriveEventId(std::string_view source, std::string_view dedupe_key) {
  Sha256 hash;
  hash.UpdateWithLength(source);
  hash.UpdateWithLength(dedupe_key);
  return HexText(hash.Finish().data(), kIdBytes);
}

int PartitionOf(std::string_view tenant, std::string_view ordering_key, std::string_view event_id,
                int partitions) {
  RELAY_CHECK(partitions > 0);
  // A NUL, which no tenant id holds, keeps tenant and key apart; the byte after it keeps a stream
  // that is named like an event id away from that event's place.
  uint64_t hash = Fnv1a(tenant, 0xCBF29CE484222325u);
  hash = ordering_key.empty() ? Fnv1a(event_id, Fnv1a({"\0e", 2}, hash))
                              : Fnv1a(ordering_key, Fnv1a({"\0k", 2}, hash));
  // FNV's low bits alone are weak; fold and multiply once more before taking the remainder.
  hash = (hash ^ hash >> 32) * 0x9E3779B97F4A7C15u;
  return static_cast<int>((hash >> 32) % static_cast<uint64_t>(partitions));
}

void AppendEventFields(const Event& event, RedisCommand& command) {
  command.Arg(kFieldNames[kId]).Arg(event.id);
  command.Arg(kFieldNames[kSource]).Arg(event.source);
  command.Arg(kFieldNames[kTenant]).Arg(event.tenant);
  command.Arg(kFieldNames[kType]).Arg(event.type);
  command.Arg(kFieldNames[kOrderingKey]).Arg(event.ordering_key);
  command.Arg(kFieldNames[kHeaders]).Arg(event.headers);
  command.Arg(kFieldNames[kCatalogVersion]).Arg(static_cast<int64_t>(event.catalog_version));
  command.Arg(kFieldNames[kAcceptedUs]).Arg(event.accepted_us);
  command.Arg(kFieldNames[kWindowMs]).Arg(event.window_ms);
  command.Arg(kFieldNames[kBody]).Arg(event.body);
}

Result<Event> DecodeEventFields(const RedisValue& fields) {
  std::array<const std::string*, kFieldCount> found = {};
  if (!fields.is_array() || fields.items.size() % 2 != 0) {
    return Status::InvalidArgument("stream entry is not a list of names and values");
  }
  for (size_t i = 0; i < fields.items.size(); i += 2) {
    // We wrote them in this order; others that a newer version may add are passed over.
    size_t field = i / 2 < kFieldCount && fields.items[i].text == kFieldNames[i / 2] ? i / 2 : 0;
    while (field < kFieldCount && fields.items[i].text != kFieldNames[field]) ++field;
    if (field < kFieldCount) found[field] = &fields.items[i + 1].text;
  }
  for (size_t field = 0; field < kFieldCount; ++field) {
    if (found[field] == nullptr) {
      return Status::InvalidArgument("stream entry lacks the field " +
                                     std::string(kFieldNames[field]));
    }
  }
  Event event;
  event.id = *found[kId];
  event.source = *found[kSource];
  event.tenant = *found[kTenant];
  event.type = *found[kType];
  event.ordering_key = *found[kOrderingKey];
  event.headers = *found[kHeaders];
  event.body = *found[kBody];
  if (!ParseInteger(*found[kCatalogVersion], event.catalog_version) ||
      !ParseInteger(*found[kAcceptedUs], event.accepted_us) ||
      !ParseInteger(*found[kWindowMs], event.window_ms)) {
    return Status::InvalidArgument("stream entry with a number that is none");
  }
  return event;
}

}  // namespace relay
