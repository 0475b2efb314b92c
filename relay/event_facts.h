#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "relay/json_object.h"

namespace relay {

// What an event says of its stream.
enum class StreamChange {
  kNone,
  kStarted,   // A push began.
  kStopped,   // A push ended.
  kRecorded,  // A file of its recording is there.
  kCaptured,  // A screenshot of it is there.
};

// What an event's body says, read alike for all kinds of providers; empty and 0 where it says
// nothing. Meant to be reused: its strings keep their memory.
struct EventFacts {
  std::string_view type_name;  // E.g. "push_started"; a constant text, empty for an unknown type.
  std::string account;
  std::string domain;
  std::string path;    // Within the domain, the application of a push.
  std::string stream;  // The stream, or the room.
  // What the event is a part of: one push, one recording, one task. The start and the stop of one
  // push name the same.
  std::string activity;
  int64_t event_time_ms = 0;  // Since 1970.
  StreamChange change = StreamChange::kNone;
  std::string media_url;  // Of kRecorded and kCaptured.

  void Clear();
};

// Where a body of volcengine-live has the event's members: in its `data` where it has the older
// shape, which is then parsed into `nested`, else at the top.
const JsonObject& VolcengineEvent(const JsonObject& body, JsonObject& nested);

// Reads the facts of events, one after another. Allocates nothing once its buffers have grown. One
// thread.
class EventFactsReader {
 public:
  // `provider` is the kind of the event's source (relay/provider_names.h), empty when the source
  // has left the catalog; `type` the event's. `body` is null when it is no JSON object. What a kind
  // does not tell, or this does not know of it, stays empty: never an error.
  void Read(std::string_view provider, std::string_view type, const JsonObject* body,
            EventFacts& facts);

  // What an event of this kind and type says of its stream, without a look at the body: whether
  // Read() is worth its cost to whom only that matters.
  static StreamChange ChangeOf(std::string_view provider, std::string_view type);

 private:
  void ReadTencentLive(std::string_view type, const JsonObject& body, EventFacts& facts);
  void ReadTencentTrtc(std::string_view type, const JsonObject& body, EventFacts& facts);
  void ReadVolcengineLive(const JsonObject& body, EventFacts& facts);

  JsonObject nested_;
  std::string buffer_;
};

}  // namespace relay
