#include "relay/stream_layout.h"

#include <algorithm>
#include <charconv>

#include "relay/ascii.h"
#include "relay/check.h"

namespace relay {
namespace {

constexpr int kSlots = 16384;

bool IsNumber(std::string_view text) {
  return !text.empty() && text.size() <= 19 && std::all_of(text.begin(), text.end(), IsDigit);
}

// The next suffix in the order "", "a", ... "z", "aa", "ab", ...
void NextSuffix(std::string& suffix) {
  for (size_t i = suffix.size(); i-- > 0;) {
    if (suffix[i] != 'z') {
      ++suffix[i];
      return;
    }
    suffix[i] = 'a';
  }
  suffix.insert(suffix.begin(), 'a');
}

}  // namespace

int KeySlot(std::string_view tag) {
  uint16_t crc = 0;
  for (const char c : tag) {
    crc ^= static_cast<uint16_t>(static_cast<uint8_t>(c) << 8);
    for (int bit = 0; bit < 8; ++bit) {
      crc = static_cast<uint16_t>(crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1);
    }
  }
  return crc % kSlots;
}

std::string PartitionTag(int index, int partitions) {
  RELAY_CHECK(index >= 0 && index < partitions && partitions <= 1024);
  const std::string number = std::to_string(index);
  const std::string stem = "p" + std::string(number.size() < 2 ? 1 : 0, '0') + number;
  std::string suffix;
  while (KeySlot(stem + suffix) * partitions / kSlots != index) NextSuffix(suffix);
  return stem + suffix;
}

std::string PartitionKeys::Retries(uint64_t endpoint) const {
  return prefix + "rz:" + std::to_string(endpoint);
}

std::string PartitionKeys::DeadLetters(uint64_t endpoint) const {
  return prefix + "dz:" + std::to_string(endpoint);
}

std::string PartitionKeys::Claim(std::string_view event_id) const {
  return (prefix + "idem:").append(event_id);
}

std::string PartitionKeys::AttemptLog(std::string_view tenant) const {
  return (prefix + "at:").append(tenant);
}

PartitionKeys PartitionKeys::For(int index, int partitions) {
  PartitionKeys keys;
  keys.index = index;
  keys.tag = PartitionTag(index, partitions);
  keys.prefix = "relay:{" + keys.tag + "}:";
  keys.own = keys.prefix + "own";
  keys.normal = keys.prefix + "ev:n";
  keys.bulk = keys.prefix + "ev:b";
  keys.ref = keys.prefix + "ref";
  keys.due = keys.prefix + "ri";
  keys.hold = keys.prefix + "hold";
  keys.counters = keys.prefix + "ct";
  keys.history = keys.prefix + "hs";
  keys.tenants = keys.prefix + "tn";
  keys.owing = keys.prefix + "eps";
  keys.streams = keys.prefix + "st";
  keys.stream_media = keys.prefix + "sm";
  keys.stream_age = keys.prefix + "sx";
  keys.rooms = keys.prefix + "rm";
  keys.room_expiry = keys.prefix + "rx";
  keys.room_version = keys.prefix + "rv";
  return keys;
}

std::vector<PartitionKeys> AllPartitionKeys(int partitions) {
  std::vector<PartitionKeys> all;
  for (int i = 0; i < partitions; ++i) all.push_back(PartitionKeys::For(i, partitions));
  return all;
}

Result<Member> Member::Parse(std::string_view text) {
  const size_t dash = text.find('-');
  if (text.empty() || (text[0] != 'n' && text[0] != 'b') || dash == std::string_view::npos ||
      !IsNumber(text.substr(1, dash - 1)) || !IsNumber(text.substr(dash + 1))) {
    return Status::InvalidArgument("not a member: " + std::string(text.substr(0, 60)));
  }
  Member member;
  member.text_ = text;
  return member;
}

int64_t Member::stored_ms() const {
  const std::string_view id = entry_id();
  int64_t ms = 0;
  std::from_chars(id.data(), id.data() + id.size(), ms);
  return ms;
}

std::string LaneKey(uint64_t endpoint) {
  return "relay:{relay}:lane:" + std::to_string(endpoint);
}

}  // namespace relay
