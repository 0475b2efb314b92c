#include "relay/event.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include "relay/check.h"
#include "relay/sha256.h"
#include "relay/stream_layout.h"

namespace relay {
namespace {

// Few, because Redis spends more on a field than on its bytes: eleven of them cost it half as much
// time again as these three. Short, because a stream stores its field names once in every node of
// about 4 KB.
enum Field { kTenant, kAttributes, kBody, kFieldCount };
constexpr std::array<std::string_view, kFieldCount> kFieldNames = {kTenantField, "evt", kBodyField};

// The first line of the attributes is numbers, a blank between them: the lengths of the four texts
// that follow it end to end, before the headers, which go to the end; then what the event has in
// numbers, and the sum.
enum AttributeNumber {
  kIdLength,
  kSourceLength,
  kTypeLength,
  kOrderingKeyLength,
  kCatalogVersion,
  kAcceptedUs,
  kWindowMs,
  kSum,
  kNumberCount
};
using AttributeNumbers = std::array<int64_t, kNumberCount>;

constexpr size_t kIdBytes = 16;

uint64_t Fnv1a(std::string_view bytes, uint64_t hash) {
  for (const char c : bytes) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001B3u;
  return hash;
}

// Over all that is delivered or decided by. Eight bytes at a time: no attacker is kept out by it,
// but a sector of zeros, a swapped or a missing one changes it.
class ContentSum {
 public:
  void Add(uint64_t word) {
    sum_ = (sum_ ^ word) * 0x9E3779B97F4A7C15u;
    sum_ ^= sum_ >> 32;
  }
  void Add(std::string_view text) {
    Add(text.size());
    for (; text.size() >= sizeof(uint64_t); text.remove_prefix(sizeof(uint64_t))) {
      uint64_t word;
      std::memcpy(&word, text.data(), sizeof(word));
      Add(word);
    }
    uint64_t rest = 0;
    if (!text.empty()) std::memcpy(&rest, text.data(), text.size());
    Add(rest);
  }
  int64_t value() const { return static_cast<int64_t>(sum_ >> 1); }

 private:
  uint64_t sum_ = 0;
};

int64_t SumOf(const Event& event) {
  ContentSum sum;
  for (const std::string_view text :
       {std::string_view(event.id), std::string_view(event.source), std::string_view(event.tenant),
        std::string_view(event.type), std::string_view(event.ordering_key),
        std::string_view(event.headers), std::string_view(event.body)}) {
    sum.Add(text);
  }
  sum.Add(event.catalog_version);
  sum.Add(static_cast<uint64_t>(event.accepted_us));
  sum.Add(static_cast<uint64_t>(event.window_ms));
  return sum.value();
}

// Takes the numbers of the first line off the front of `attributes`; false when it is none.
bool TakeNumbers(std::string_view& attributes, AttributeNumbers& numbers) {
  const char* at = attributes.data();
  const char* const end = at + attributes.size();
  for (size_t i = 0; i < kNumberCount; ++i) {
    const auto [next, error] = std::from_chars(at, end, numbers[i]);
    const char separator = i + 1 < kNumberCount ? ' ' : '\n';
    if (error != std::errc() || next == end || *next != separator || numbers[i] < 0) return false;
    at = next + 1;
  }
  attributes.remove_prefix(at - attributes.data());
  return true;
}

// Takes `size` bytes off the front; false when there are not as many.
bool TakeText(std::string_view& bytes, int64_t size, std::string& text) {
  if (static_cast<uint64_t>(size) > bytes.size()) return false;
  text = bytes.substr(0, size);
  bytes.remove_prefix(size);
  return true;
}

}  // namespace

void DeriveEventId(std::string_view source, std::string_view dedupe_key, std::string& id) {
  Sha256 hash;
  hash.UpdateWithLength(source);
  hash.UpdateWithLength(dedupe_key);
  id.clear();
  AppendHex(hash.Finish().data(), kIdBytes, id);
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
  const AttributeNumbers numbers = {static_cast<int64_t>(event.id.size()),
                                    static_cast<int64_t>(event.source.size()),
                                    static_cast<int64_t>(event.type.size()),
                                    static_cast<int64_t>(event.ordering_key.size()),
                                    static_cast<int64_t>(event.catalog_version),
                                    event.accepted_us,
                                    event.window_ms,
                                    SumOf(event)};
  constexpr size_t kNumberBytes = 21;
  std::array<char, kNumberCount * kNumberBytes> line;
  char* at = line.data();
  for (const int64_t number : numbers) {
    at = std::to_chars(at, at + kNumberBytes, number).ptr;
    *at++ = ' ';
  }
  at[-1] = '\n';
  const std::string_view attributes[] = {{line.data(), static_cast<size_t>(at - line.data())},
                                         event.id,
                                         event.source,
                                         event.type,
                                         event.ordering_key,
                                         event.headers};
  command.Arg(kFieldNames[kTenant]).Arg(event.tenant);
  command.Arg(kFieldNames[kAttributes]).ArgOf(attributes);
  command.Arg(kFieldNames[kBody]).Arg(event.body);
}

Result<Event> DecodeEventFields(const RedisValue& fields) {
  std::array<const std::string*, kFieldCount> found = {};
  if (!fields.is_array() || fields.items.size() % 2 != 0) {
    return Status::InvalidArgument("stream entry is not a list of names and values");
  }
  // Others, that a newer version may add, are passed over.
  for (size_t i = 0; i < fields.items.size(); i += 2) {
    const auto name = std::find(kFieldNames.begin(), kFieldNames.end(), fields.items[i].text);
    if (name != kFieldNames.end()) found[name - kFieldNames.begin()] = &fields.items[i + 1].text;
  }
  for (size_t field = 0; field < kFieldCount; ++field) {
    if (found[field] == nullptr) {
      return Status::InvalidArgument("stream entry lacks the field " +
                                     std::string(kFieldNames[field]));
    }
  }
  std::string_view attributes = *found[kAttributes];
  AttributeNumbers numbers;
  Event event;
  if (!TakeNumbers(attributes, numbers) || !TakeText(attributes, numbers[kIdLength], event.id) ||
      !TakeText(attributes, numbers[kSourceLength], event.source) ||
      !TakeText(attributes, numbers[kTypeLength], event.type) ||
      !TakeText(attributes, numbers[kOrderingKeyLength], event.ordering_key)) {
    return Status::InvalidArgument("stream entry whose attributes are none");
  }
  event.headers = attributes;
  event.tenant = *found[kTenant];
  event.body = *found[kBody];
  event.catalog_version = static_cast<uint64_t>(numbers[kCatalogVersion]);
  event.accepted_us = numbers[kAcceptedUs];
  event.window_ms = numbers[kWindowMs];
  if (numbers[kSum] != SumOf(event)) {
    return Status::InvalidArgument("stream entry is not what was written: its sum is wrong");
  }
  return event;
}

}  // namespace relay
