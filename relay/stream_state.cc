#include "relay/stream_state.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "relay/counted_text.h"

namespace relay {
namespace {

constexpr std::string_view kStateVersion = "1";

}  // namespace

std::string StreamKey(std::string_view tenant, std::string_view domain, std::string_view path,
                      std::string_view stream) {
  std::string key;
  key.reserve(tenant.size() + domain.size() + path.size() + stream.size() + 16);
  for (const std::string_view part : {tenant, domain, path, stream}) AppendCounted(part, key);
  return key;
}

Result<StreamName> ParseStreamKey(std::string_view key) {
  CountedReader reader(key);
  StreamName name;
  for (std::string* part : {&name.tenant, &name.domain, &name.path, &name.stream}) {
    *part = reader.Counted(kStreamKeyBytesMax);
  }
  if (!reader.done()) return Status::InvalidArgument("not the key of a stream");
  return name;
}

EntryId EntryId::Of(std::string_view text) {
  EntryId id;
  const char* const end = text.data() + text.size();
  const auto ms = std::from_chars(text.data(), end, id.ms);
  if (ms.ec != std::errc() || ms.ptr == end || *ms.ptr != '-') return {};
  const auto number = std::from_chars(ms.ptr + 1, end, id.number);
  if (number.ec != std::errc() || number.ptr != end || id.ms < 0 || id.number < 0) return {};
  return id;
}

std::string_view StreamVerdictName(StreamVerdict verdict) {
  switch (verdict) {
    case StreamVerdict::kUnknown:
      return "unknown";
    case StreamVerdict::kCurrent:
      return "current";
    case StreamVerdict::kStale:
      return "stale";
  }
  return "unknown";
}

bool StreamState::Apply(const PushChange& change) {
  if (change.sequence.empty() || change.sequence.size() > kPushSequenceBytesMax) return false;
  const bool ahead = change.event_ms > change.entry.ms + kAheadMaxMs;
  const int64_t event_ms = ahead ? 0 : std::max<int64_t>(change.event_ms, 0);
  if (sequence.empty()) {
    Become(change, event_ms);
    return true;
  }
  if (change.sequence == sequence) return CompleteCurrent(change, event_ms);
  if (IsClosed(change.sequence)) return false;
  // Read again behind what came after it: everything that followed from it has followed already.
  if (change.entry < set_by) return CloseOlder(change.sequence);
  const bool late_start = change.started && event_ms > 0 && start_ms > 0 && event_ms < start_ms;
  if (late_start || (!change.started && live)) {
    Close(std::string(change.sequence));
    changed_ms = std::max(changed_ms, change.entry.ms);
    return true;
  }
  Close(std::exchange(sequence, {}));
  Become(change, event_ms);
  return true;
}

void StreamState::Become(const PushChange& change, int64_t event_ms) {
  sequence = change.sequence;
  live = change.started;
  start_seen = change.started;
  start_ms = change.started ? event_ms : 0;
  stop_ms = change.started ? 0 : event_ms;
  set_by = change.entry;
  changed_ms = std::max(changed_ms, change.entry.ms);
}

// What is still missing of the current push: its stop, or the start that was overtaken by it.
bool StreamState::CompleteCurrent(const PushChange& change, int64_t event_ms) {
  if (change.started ? start_seen : !live) return false;
  if (change.started) {
    start_seen = true;
    start_ms = event_ms;
  } else {
    live = false;
    stop_ms = event_ms;
  }
  changed_ms = std::max(changed_ms, change.entry.ms);
  return true;
}

bool StreamState::IsClosed(std::string_view push) const {
  return std::find(closed.begin(), closed.end(), push) != closed.end();
}

void StreamState::Close(std::string push) {
  if (closed.size() == kClosedMax) closed.erase(closed.begin());
  closed.push_back(std::move(push));
}

// What is remembered is later than this one, and not to be forgotten for it.
bool StreamState::CloseOlder(std::string_view push) {
  if (closed.size() == kClosedMax) return false;
  closed.insert(closed.begin(), std::string(push));
  return true;
}

StreamVerdict StreamState::Verdict(bool started, std::string_view push) const {
  if (push.empty()) return StreamVerdict::kUnknown;
  if (push != sequence) return IsClosed(push) ? StreamVerdict::kStale : StreamVerdict::kUnknown;
  if (started) return live ? StreamVerdict::kCurrent : StreamVerdict::kStale;
  return !live && start_seen ? StreamVerdict::kCurrent : StreamVerdict::kUnknown;
}

// "1 <live> <start seen> <start> <stop> <entry ms> <entry number> <changed> <closed> " and the
// sequences, the current one first, each behind its length.
std::string EncodeStreamState(const StreamState& state) {
  std::string text(kStateVersion);
  for (const int64_t number : {int64_t{state.live}, int64_t{state.start_seen}, state.start_ms,
                               state.stop_ms, state.set_by.ms, state.set_by.number,
                               state.changed_ms, static_cast<int64_t>(state.closed.size())}) {
    text.append(" ").append(std::to_string(number));
  }
  text.append(" ");
  AppendCounted(state.sequence, text);
  for (const std::string& push : state.closed) AppendCounted(push, text);
  return text;
}

Result<StreamState> DecodeStreamState(std::string_view text) {
  CountedReader reader(text);
  StreamState state;
  reader.Expect(kStateVersion);
  reader.Expect(" ");
  state.live = reader.Flag();
  reader.Expect(" ");
  state.start_seen = reader.Flag();
  state.start_ms = reader.NextNumber();
  state.stop_ms = reader.NextNumber();
  state.set_by.ms = reader.NextNumber();
  state.set_by.number = reader.NextNumber();
  state.changed_ms = reader.NextNumber();
  const int64_t closed = reader.NextNumber();
  reader.Expect(" ");
  state.sequence = reader.Counted(kPushSequenceBytesMax);
  if (closed <= static_cast<int64_t>(StreamState::kClosedMax)) {
    for (int64_t i = 0; i < closed; ++i) {
      state.closed.push_back(reader.Counted(kPushSequenceBytesMax));
    }
  }
  // More closed pushes than there may be are left unread, and so at the end there is a rest.
  const bool in_order = !state.sequence.empty() && (state.start_seen || !state.live);
  if (!reader.done() || !in_order) return Status::InvalidArgument("not the state of a stream");
  return state;
}

std::string EncodeStreamMedia(const StreamMedia& media) {
  return std::to_string(media.at_ms) + " " + media.url;
}

Result<StreamMedia> DecodeStreamMedia(std::string_view text) {
  CountedReader reader(text);
  StreamMedia media;
  media.at_ms = reader.Number();
  reader.Expect(" ");
  media.url = reader.Rest();
  if (!reader.ok()) return Status::InvalidArgument("not a recording or screenshot of a stream");
  return media;
}

}  // namespace relay
