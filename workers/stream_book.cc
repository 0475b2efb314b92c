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

StreamNotePtr StreamBook::Admit(const HeldEvent& held) {
  const StreamChange change = ReadFacts(held.event, /*push_only=*/false);
  if (change == StreamChange::kNone) return nullptr;
  Desk* desk = DeskOf(*held.tenure);
  const EntryId entry = EntryId::Of(held.member.entry_id());
  if (change == StreamChange::kRecorded || change == StreamChange::kCaptured) {
    if (desk && desk->loaded) GatherMedia(*desk, held.event, change, entry);
    return nullptr;
  }
  StreamNotePtr note = NoteOf(held.event);
  if (desk && desk->loaded && !note->key.empty()) Apply(*desk, *note, entry);
  return note;
}

StreamNotePtr StreamBook::Read(const Event& event) {
  const StreamChange change = ReadFacts(event, /*push_only=*/true);
  return change == StreamChange::kNone ? nullptr : NoteOf(event);
}

StreamChange StreamBook::ReadFacts(const Event& event, bool push_only) {
  const Source* source = catalogs_.snapshot()->FindSource(event.source);
  if (source == nullptr) return StreamChange::kNone;
  const StreamChange change = EventFactsReader::ChangeOf(source->provider, event.type);
  const bool push = change == StreamChange::kStarted || change == StreamChange::kStopped;
  if (change == StreamChange::kNone || (push_only && !push)) return StreamChange::kNone;
  reader_.Read(source->provider, event.type, body_.Parse(event.body).ok() ? &body_ : nullptr,
               facts_);
  return change;
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

void StreamBook::GatherMedia(Desk& desk, const Event& event, StreamChange change,
                             const EntryId& entry) {
  std::string key = KeyOfFacts(event);
  if (key.empty() || facts_.media_url.empty() ||
      facts_.media_url.size() > StreamMedia::kUrlBytesMax) {
    return;
  }
  const auto kind = change == StreamChange::kRecorded ? StreamWrite::Kind::kRecording
                                                      : StreamWrite::Kind::kScreenshot;
  const int64_t at_ms = facts_.event_time_ms > 0 ? facts_.event_time_ms : entry.ms;
  StreamWrite& write = desk.media[StreamMediaField(kind, key)];
  write = {kind, std::move(key), ToTheMinute(entry.ms),
           EncodeStreamMedia({at_ms, facts_.media_url})};
  if (!timer_->armed()) timer_->Arm(kGather);
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

// Recordings and screenshots go along with states; alone they wait for the timer.
void StreamBook::Flush(const Tenure& tenure) {
  Desk* desk = DeskOf(tenure);
  if (desk && !desk->dirty.empty()) Write(*desk);
}

void StreamBook::Flush() {
  for (auto& [partition, desk] : desks_) Write(desk);
}

void StreamBook::Write(Desk& desk) {
  std::vector<StreamWrite> writes;
  const auto add = [&](StreamWrite write) {
    writes.push_back(std::move(write));
    if (writes.size() == kStreamWritesMax) Send(desk, std::exchange(writes, {}));
  };
  for (std::string& key : std::exchange(desk.dirty, {})) {
    const auto found = desk.streams.find(key);
    if (found == desk.streams.end()) continue;
    found->second.dirty = false;
    const StreamState& state = found->second.state;
    add({StreamWrite::Kind::kState, std::move(key), ToTheMinute(state.changed_ms),
         EncodeStreamState(state)});
  }
  for (auto& [field, write] : std::exchange(desk.media, {})) add(std::move(write));
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
