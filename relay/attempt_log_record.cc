#include "relay/attempt_log_record.h"

#include <algorithm>

#include "relay/check.h"

namespace relay {
namespace {

constexpr char kEntryVersion = 1;

constexpr uint8_t kFateBits = 0x03;
constexpr uint8_t kReused = 0x04;
constexpr uint8_t kAnswerCut = 0x08;
constexpr uint8_t kPackedId = 0x10;
constexpr uint8_t kKnownFlags = 0x1F;

constexpr size_t kPackedIdBytes = 16;

void AppendVarint(uint64_t value, std::string& out) {
  for (; value >= 0x80; value >>= 7) out.push_back(static_cast<char>(value | 0x80));
  out.push_back(static_cast<char>(value));
}

void AppendVarint(int64_t value, std::string& out) {
  AppendVarint(static_cast<uint64_t>(std::max<int64_t>(value, 0)), out);
}

void AppendText(std::string_view text, size_t max, std::string& out) {
  text = text.substr(0, max);
  AppendVarint(uint64_t{text.size()}, out);
  out.append(text);
}

int DigitOf(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool IsPackable(std::string_view id) {
  return id.size() == 2 * kPackedIdBytes &&
         std::all_of(id.begin(), id.end(), [](char c) { return DigitOf(c) >= 0; });
}

void AppendPackedId(std::string_view id, std::string& out) {
  for (size_t i = 0; i < id.size(); i += 2) {
    out.push_back(static_cast<char>(DigitOf(id[i]) << 4 | DigitOf(id[i + 1])));
  }
}

std::string UnpackId(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string id;
  for (const char c : bytes) {
    id.push_back(kDigits[static_cast<uint8_t>(c) >> 4]);
    id.push_back(kDigits[static_cast<uint8_t>(c) & 0xF]);
  }
  return id;
}

// Takes bytes off the front of an entry. After the first thing that is not there or not as it
// should be, ok() is false and everything read is empty or 0.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}

  bool ok() const { return ok_; }
  bool at_end() const { return bytes_.empty(); }

  std::string_view Bytes(uint64_t count) {
    if (!ok_ || count > bytes_.size()) return Fail();
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  uint8_t Byte() {
    const std::string_view one = Bytes(1);
    return one.empty() ? 0 : static_cast<uint8_t>(one.front());
  }
  // At most `max`, in the shortest form.
  uint64_t Number(uint64_t max) {
    uint64_t value = 0;
    for (int shift = 0; shift < 63; shift += 7) {
      const uint8_t byte = Byte();
      value |= uint64_t{byte & 0x7Fu} << shift;
      if (byte & 0x80) continue;
      if (!ok_ || value > max || (byte == 0 && shift > 0)) break;
      return value;
    }
    Fail();
    return 0;
  }
  Micros Duration() { return Micros(Number(kMicrosMax)); }
  std::string Text(size_t max) { return std::string(Bytes(Number(max))); }

  static constexpr uint64_t kMicrosMax = uint64_t{1} << 40;  // Twelve days.

 private:
  std::string_view Fail() {
    ok_ = false;
    bytes_ = {};
    return {};
  }

  std::string_view bytes_;
  bool ok_ = true;
};

constexpr uint64_t kMsMax = uint64_t{1} << 48;
constexpr uint64_t kCountMax = uint64_t{1} << 31;

// False when it is not as AppendAttempt() writes it.
bool ReadRecord(Reader reader, AttemptLogRecord& record) {
  const uint8_t flags = reader.Byte();
  record.fate = static_cast<AttemptFate>(flags & kFateBits);
  record.connection_reused = flags & kReused;
  record.answer_cut = flags & kAnswerCut;
  record.event_id = flags & kPackedId ? UnpackId(reader.Bytes(kPackedIdBytes))
                                      : reader.Text(AttemptLogRecord::kIdMax);
  record.endpoint = reader.Number(uint64_t{1} << 53);
  record.attempt = static_cast<int>(reader.Number(kCountMax - 1));
  record.at_ms = static_cast<int64_t>(reader.Number(kMsMax));
  const uint8_t outcome = reader.Byte();
  record.outcome = static_cast<AttemptOutcome>(outcome);
  record.status = static_cast<int>(reader.Number(999));
  record.times.dns = reader.Duration();
  record.times.connect = reader.Duration();
  record.times.tls = reader.Duration();
  record.times.first_byte = reader.Duration();
  record.times.total = reader.Duration();
  const auto until_due = static_cast<int64_t>(reader.Number(kMsMax));
  record.due_ms = until_due == 0 ? 0 : record.at_ms + until_due - 1;
  record.why = reader.Text(AttemptLogRecord::kWhyMax);
  record.answer = reader.Text(AttemptLogRecord::kAnswerMax);
  return reader.ok() && reader.at_end() && (flags & ~kKnownFlags) == 0 &&
         (flags & kFateBits) != 0 && outcome >= static_cast<uint8_t>(AttemptOutcome::kAccepted) &&
         outcome <= static_cast<uint8_t>(AttemptOutcome::kHeldQuota);
}

int64_t Bounded(Micros time) {
  return std::min<int64_t>(time.count(), Reader::kMicrosMax);
}

}  // namespace

std::string_view AttemptFateName(AttemptFate fate) {
  switch (fate) {
    case AttemptFate::kDelivered:
      return "delivered";
    case AttemptFate::kRetry:
      return "retry";
    case AttemptFate::kDead:
      return "dead";
  }
  return "unknown";
}

void AppendAttempt(const AttemptLogRecord& record, std::string& entry) {
  if (entry.empty()) entry.push_back(kEntryVersion);
  const size_t answer_max = record.outcome == AttemptOutcome::kAccepted
                                ? AttemptLogRecord::kAcceptedAnswerMax
                                : AttemptLogRecord::kAnswerMax;
  const bool packed = IsPackable(record.event_id);
  uint8_t flags = static_cast<uint8_t>(record.fate);
  if (record.connection_reused) flags |= kReused;
  if (record.answer_cut || record.answer.size() > answer_max) flags |= kAnswerCut;
  if (packed) flags |= kPackedId;

  // The length is known last and stands first; two bytes hold it always, one often.
  const size_t begin = entry.size();
  entry.push_back(static_cast<char>(flags));
  if (packed) {
    AppendPackedId(record.event_id, entry);
  } else {
    AppendText(record.event_id, AttemptLogRecord::kIdMax, entry);
  }
  AppendVarint(record.endpoint, entry);
  AppendVarint(int64_t{record.attempt}, entry);
  AppendVarint(record.at_ms, entry);
  entry.push_back(static_cast<char>(record.outcome));
  AppendVarint(int64_t{record.status}, entry);
  AppendVarint(Bounded(record.times.dns), entry);
  AppendVarint(Bounded(record.times.connect), entry);
  AppendVarint(Bounded(record.times.tls), entry);
  AppendVarint(Bounded(record.times.first_byte), entry);
  AppendVarint(Bounded(record.times.total), entry);
  // One more than the time until then, so that 0 is left for "none".
  AppendVarint(
      record.due_ms == 0 ? int64_t{0} : std::max(record.due_ms - record.at_ms, int64_t{0}) + 1,
      entry);
  AppendText(record.why, AttemptLogRecord::kWhyMax, entry);
  AppendText(record.answer, answer_max, entry);

  std::string length;
  AppendVarint(uint64_t{entry.size() - begin}, length);
  entry.insert(begin, length);
  RELAY_CHECK(entry.size() - begin <= kAttemptLogRecordBytesMax);
}

Result<std::vector<AttemptLogRecord>> DecodeAttempts(std::string_view entry) {
  Reader reader(entry);
  const uint8_t version = reader.Byte();
  if (!reader.ok()) return Status::InvalidArgument("an empty entry of the attempt log");
  if (version != static_cast<uint8_t>(kEntryVersion)) {
    return Status::InvalidArgument("an entry of the attempt log in version " +
                                   std::to_string(version) + ", which is not known here");
  }
  std::vector<AttemptLogRecord> records;
  while (!reader.at_end()) {
    const std::string_view bytes = reader.Bytes(reader.Number(kAttemptLogRecordBytesMax));
    if (!reader.ok() || !ReadRecord(Reader(bytes), records.emplace_back())) {
      return Status::InvalidArgument("a garbled entry of the attempt log, in record " +
                                     std::to_string(records.size()));
    }
  }
  // A failed read leaves nothing behind it, so the end alone says little.
  if (!reader.ok() || records.empty()) {
    return Status::InvalidArgument("a garbled entry of the attempt log");
  }
  return records;
}

}  // namespace relay
