#include "workers/stream_book.h"

#include <algorithm>
#include <utility>

namespace relay {

namespace {

// Redis is told to the minute when a stream was heard of: what is heard of often changes the index,
// and so the append-only file, once a minute.
int64_t ToTheMinute(int64_t ms) {
  return ms - ms % 60'000;
}

}  // namespace

StreamBook::StreamBook(EventLoop& loop, RedisClient& redis, CatalogStore& catalogs, Log& log)
    : redis_(redis), catalogs_(catalogs), log_(log), timer_(loop.NewTimer([this] { Flush(); })) {
  redis_.WatchState(scope_, [this] { OnConnectionChange(); });
}

// ---- Partitions come and go.

void StreamBook::Add(const TenurePtr& tenure) {
  Desk& desk = desks_[tenure->partition];
  desk = Desk{};
  desk.tenure = tenure;
  Load(desk);
}

void StreamBook::Drop(const TenurePtr& tenure) {
  if (DeskOf(*tenure)) desks_.erase(tenure->partition);
}

void StreamBook::OnConnectionChange() {
  if (!redis_.up()) return;
  for (const auto& [partition, desk] : desks_) {
    if (!desk.loaded) Load(desk);
  }
}

void StreamBook::Load(const Desk& desk) {
  redis_.Send(ReadStreams(desk.tenure->keys), scope_,
              [this, tenure = desk.tenure](Result<RedisValue>&& reply) {
                OnLoaded(tenure, std::move(reply));
              });
}

void StreamBook::OnLoaded(const TenurePtr& tenure, Result<RedisValue>&& reply) {
  Desk* desk = DeskOf(*tenure);
  if (!desk || desk->loaded || !reply.ok()) return;
  Result<std::vector<std::pair<std::string, std::string>>> fields = ParseHash(std::move(*reply));
  if (!fields.ok()) {
    // Nothing is written over what cannot be read.
    log_.Error("streams_unreadable", "the state of streams cannot be read; verdicts are unknown",
               {{"partition", tenure->partition}, {"error", fields.status().ToString()}});
    return;
  }
  int64_t undecodable = 0;
  for (auto& [key, text] : *fields) {
    Result<StreamState> state = DecodeStreamState(text);
    if (!state.ok()) {
      ++undecodable;
    } else if (desk->streams.size() < kStreamsInMemoryMax) {
      desk->streams.emplace(std::move(key), Kept{std::move(*state)});
    }
  }
  desk->loaded = true;
  if (undecodable > 0) {
    log_.Warning("stream_undecodable", "states of streams cannot be decoded and begin anew",
                 {{"partition", tenure->partition}, {"streams", undecodable}});
  }
}

// ---- Events.

StreamNotePtr StreamBook::Admit(const HeldEventPtr& held) {
  const StreamChange change = ChangeOf(held->event);
  if (change == StreamChange::kNone) return nullptr;
  Desk* desk = DeskOf(*held->tenure);
  if (change == StreamChange::kRecorded || change == StreamChange::kCaptured) {
    if (desk && desk->loaded) GatherMedia(*desk, held, change);
    return nullptr;
  }
  ReadFacts(held->event);
  StreamNotePtr note = NoteOf(held->event);
  if (desk && desk->loaded && !note->key.empty()) {
    Apply(*desk, *note, EntryId::Of(held->member.entry_id()));
  }
  return note;
}

StreamNotePtr StreamBook::Read(const Event& event) {
  const StreamChange change = ChangeOf(event);
  if (change != StreamChange::kStarted && change != StreamChange::kStopped) return nullptr;
  ReadFacts(event);
  return NoteOf(event);
}

StreamChange StreamBook::ChangeOf(const Event& event) const {
  const Source* source = catalogs_.snapshot()->FindSource(event.source);
  return source == nullptr ? StreamChange::kNone
                           : EventFactsReader::ChangeOf(source->provider, event.type);
}

void StreamBook::ReadFacts(const Event& event) {
  const Source* source = catalogs_.snapshot()->FindSource(event.source);
  reader_.Read(source == nullptr ? std::string_view() : source->provider, event.type,
               body_.Parse(event.body).ok() ? &body_ : nullptr, facts_);
}

std::string StreamBook::KeyOfFacts(const Event& event) const {
  if (facts_.stream.empty()) return {};
  std::string key = StreamKey(event.tenant, facts_.domain, facts_.path, facts_.stream);
  if (key.size() > kStreamKeyBytesMax) key.clear();
  return key;
}

StreamNotePtr StreamBook::NoteOf(const Event& event) const {
  auto note = std::make_shared<StreamNote>();
  note->started = facts_.change == StreamChange::kStarted;
  if (!facts_.activity.empty() && facts_.activity.size() <= kPushSequenceBytesMax) {
    note->key = KeyOfFacts(event);
    note->sequence = facts_.activity;
  }
  return note;
}

void StreamBook::Apply(Desk& desk, const StreamNote& note, const EntryId& entry) {
  auto found = desk.streams.find(note.key);
  if (found == desk.streams.end()) {
    if (desk.streams.size() >= kStreamsInMemoryMax) return;
    found = desk.streams.emplace(note.key, Kept{}).first;
  }
  const PushChange change{note.started, note.sequence, facts_.event_time_ms, entry};
  Kept& kept = found->second;
  if (!kept.state.Apply(change) || std::exchange(kept.dirty, true)) return;
  desk.dirty.push_back(note.key);
  if (!timer_->armed()) timer_->Arm(kGather);
}

void StreamBook::GatherMedia(Desk& desk, const HeldEventPtr& held, StreamChange change) {
  const Event& event = held->event;
  std::string key(change == StreamChange::kRecorded ? "r" : "c");
  key.append(event.tenant).append("/").append(event.ordering_key);
  HeldEventPtr& last = desk.media[std::move(key)];
  if (last) desk.media_bytes -= last->event.body.size();
  last = held;
  desk.media_bytes += event.body.size();
  if (desk.media_bytes > kMediaBytesMax) return WriteMedia(desk);
  if (!timer_->armed()) timer_->Arm(kGather);
}

std::optional<StreamWrite> StreamBook::ReadMedia(const HeldEvent& held) {
  ReadFacts(held.event);
  std::string key = KeyOfFacts(held.event);
  if (key.empty() || facts_.media_url.empty() ||
      facts_.media_url.size() > StreamMedia::kUrlBytesMax) {
    return std::nullopt;
  }
  const auto kind = facts_.change == StreamChange::kRecorded ? StreamWrite::Kind::kRecording
                                                             : StreamWrite::Kind::kScreenshot;
  const int64_t stored_ms = held.member.stored_ms();
  const int64_t at_ms = facts_.event_time_ms > 0 ? facts_.event_time_ms : stored_ms;
  return StreamWrite{kind, std::move(key), ToTheMinute(stored_ms),
                     EncodeStreamMedia({at_ms, facts_.media_url})};
}

std::string_view StreamBook::VerdictOf(const Tenure& tenure, const StreamNote* note) const {
  if (note == nullptr) return {};
  const Desk* desk = DeskOf(tenure);
  StreamVerdict verdict = StreamVerdict::kUnknown;
  if (desk != nullptr && !note->key.empty()) {
    const auto found = desk->streams.find(note->key);
    if (found != desk->streams.end()) {
      verdict = found->second.state.Verdict(note->started, note->sequence);
    }
  }
  return StreamVerdictName(verdict);
}

// ---- Writing.

void StreamBook::Flush(const Tenure& tenure) {
  Desk* desk = DeskOf(tenure);
  if (desk) WriteStates(*desk);
}

void StreamBook::Flush() {
  for (auto& [partition, desk] : desks_) {
    WriteStates(desk);
    WriteMedia(desk);
  }
}

void StreamBook::WriteStates(Desk& desk) {
  std::vector<StreamWrite> writes;
  for (std::string& key : std::exchange(desk.dirty, {})) {
    const auto found = desk.streams.find(key);
    if (found == desk.streams.end()) continue;
    found->second.dirty = false;
    const StreamState& state = found->second.state;
    writes.push_back({StreamWrite::Kind::kState, std::move(key), ToTheMinute(state.changed_ms),
                      EncodeStreamState(state)});
    if (writes.size() == kStreamWritesMax) Send(desk, std::exchange(writes, {}));
  }
  if (!writes.empty()) Send(desk, std::move(writes));
}

void StreamBook::WriteMedia(Desk& desk) {
  std::vector<StreamWrite> writes;
  desk.media_bytes = 0;
  for (const auto& [key, held] : std::exchange(desk.media, {})) {
    std::optional<StreamWrite> write = ReadMedia(*held);
    if (!write) continue;
    writes.push_back(*std::move(write));
    if (writes.size() == kStreamWritesMax) Send(desk, std::exchange(writes, {}));
  }
  if (!writes.empty()) Send(desk, std::move(writes));
}

void StreamBook::Send(Desk& desk, std::vector<StreamWrite> writes) {
  const ScriptCall call = WriteStreams(desk.tenure->keys, desk.tenure->owner, writes);
  std::vector<std::string> keys;
  for (StreamWrite& write : writes) {
    if (write.kind == StreamWrite::Kind::kState) keys.push_back(std::move(write.key));
  }
  redis_.Eval(*call.script, call.keys, call.args, scope_,
              [this, tenure = desk.tenure, keys = std::move(keys)](Result<RedisValue>&& reply) {
                OnWritten(tenure, keys, reply);
              });
}

void StreamBook::OnWritten(const TenurePtr& tenure, const std::vector<std::string>& keys,
                           const Result<RedisValue>& reply) {
  Desk* desk = DeskOf(*tenure);
  if (!desk) return;
  Result<std::vector<std::string>> gone =
      reply.ok() ? ParseWriteStreams(*reply) : Result<std::vector<std::string>>(reply.status());
  if (!gone.ok()) {
    // Another owner has the book now, or Redis will take it later; what is ours to mend is said.
    if (gone.status().code() == StatusCode::kConflict) return;
    if (gone.status().code() == StatusCode::kInternal) {
      log_.Error("streams_refused", "the state of streams could not be written",
                 {{"partition", tenure->partition}, {"error", gone.status().ToString()}});
      return;
    }
    for (const std::string& key : keys) {
      const auto found = desk->streams.find(key);
      if (found == desk->streams.end() || std::exchange(found->second.dirty, true)) continue;
      desk->dirty.push_back(key);
    }
    if (!timer_->armed()) timer_->Arm(kGather);
    return;
  }
  for (const std::string& key : *gone) {
    const auto found = desk->streams.find(key);
    if (found != desk->streams.end() && !found->second.dirty) desk->streams.erase(found);
  }
}

const StreamBook::Desk* StreamBook::DeskOf(const Tenure& tenure) const {
  const auto found = desks_.find(tenure.partition);
  return found != desks_.end() && found->second.tenure.get() == &tenure ? &found->second : nullptr;
}

StreamBook::Desk* StreamBook::DeskOf(const Tenure& tenure) {
  return const_cast<Desk*>(std::as_const(*this).DeskOf(tenure));
}

}  // namespace relay
