#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "relay/call_scope.h"
#include "relay/catalog_store.h"
#include "relay/event_facts.h"
#include "relay/event_loop.h"
#include "relay/json_object.h"
#include "relay/log.h"
#include "relay/redis_client.h"
#include "relay/redis_streams.h"
#include "relay/stream_state.h"
#include "workers/held_event.h"
#include "workers/stream_note.h"

namespace relay {

// Keeps which push of each live stream is the current one, and so tells for every start and stop
// what it is to its stream at the moment of an attempt (relay/stream_state.h has the rules).
//
// The owner of a partition keeps the book of its streams, because it alone sees all of their events
// in the order of their arrival. It is read from Redis when the partition is taken, on the
// connection that then reads the pending list, and so stands before the first event is taken in.
// What has changed is written back after kGather, and before anything of its partition is settled,
// on the same connection: so a start or stop is in the book, or is read again after a crash. Going
// along with a settlement costs Redis no turn, and no sync of its file, of their own.
// Recordings and screenshots decide nothing: the last one of each stream is read and written every
// kGather.
//
// The book never holds up an event and never loses one: what cannot be read or written costs
// verdicts, which then are "unknown". Memory is bounded by kStreamsMax a partition.
//
// All references outlive the book. Loop thread only.
class StreamBook final {
 public:
  static constexpr Millis kGather{1000};
  // Bodies of recordings and screenshots that are held meanwhile, of a partition.
  static constexpr size_t kMediaBytesMax = 1024 * 1024;
  // Redis forgets what is over kStreamsMax; as long as it does not answer, the book may grow to
  // this.
  static constexpr size_t kStreamsInMemoryMax = 2 * static_cast<size_t>(kStreamsMax);

  StreamBook(EventLoop& loop, RedisClient& redis, CatalogStore& catalogs, Log& log);

  // Reads the partition's book. Requires: before its pending list is asked for.
  void Add(const TenurePtr& tenure);
  void Drop(const TenurePtr& tenure);

  // Takes in what an event says of its stream: once for each event that is no repeat, in the order
  // of their entries. Returns its note.
  StreamNotePtr Admit(const HeldEventPtr& held);
  // The note alone: of an event that was taken in when it was first read.
  StreamNotePtr Read(const Event& event);
  // "current", "stale" or "unknown" as things stand now; empty without a note. Static text.
  std::string_view VerdictOf(const Tenure& tenure, const StreamNote* note) const;

  // Writes what has changed now: before an entry of the partition is settled.
  void Flush(const Tenure& tenure);
  // Of all partitions: before one is given back.
  void Flush();

 private:
  struct Kept {
    StreamState state;
    bool dirty = false;  // Stands in Desk::dirty.
  };
  struct Desk {
    TenurePtr tenure;
    bool loaded = false;
    std::unordered_map<std::string, Kept> streams;  // By StreamKey().
    std::vector<std::string> dirty;                 // Keys of states to be written.
    // The latest recording and screenshot of each stream, unread. By kind, tenant and ordering key,
    // which cost no reading; of two domains' streams of one name within kGather one is enough.
    std::unordered_map<std::string, HeldEventPtr> media;
    size_t media_bytes = 0;
  };

  void OnConnectionChange();
  void Load(const Desk& desk);
  void OnLoaded(const TenurePtr& tenure, Result<RedisValue>&& reply);
  StreamChange ChangeOf(const Event& event) const;
  // Fills facts_. Requires: the event changes a stream.
  void ReadFacts(const Event& event);
  StreamNotePtr NoteOf(const Event& event) const;
  void Apply(Desk& desk, const StreamNote& note, const EntryId& entry);
  void GatherMedia(Desk& desk, const HeldEventPtr& held, StreamChange change);
  std::optional<StreamWrite> ReadMedia(const HeldEvent& held);
  void WriteStates(Desk& desk);
  void WriteMedia(Desk& desk);
  void Send(Desk& desk, std::vector<StreamWrite> writes);
  void OnWritten(const TenurePtr& tenure, const std::vector<std::string>& keys,
                 const Result<RedisValue>& reply);
  std::string KeyOfFacts(const Event& event) const;
  Desk* DeskOf(const Tenure& tenure);
  const Desk* DeskOf(const Tenure& tenure) const;

  RedisClient& redis_;
  CatalogStore& catalogs_;
  Log& log_;
  std::map<int, Desk> desks_;  // By partition.
  EventFactsReader reader_;
  EventFacts facts_;
  JsonObject body_;
  const std::unique_ptr<Timer> timer_;
  CallScope scope_;
};

}  // namespace relay
