#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "relay/status.h"

namespace relay {

// Which push of a live stream is the current one, and whether it is live: what tells the late stop
// of an old push from the stop of the one that plays. Pure: bytes and values in, values out.
//
// Start and stop of one push carry the same `sequence`, and a push that reconnects has another one
// (provider docs: Tencent live, "push callbacks"). The death of a connection is noticed seconds
// after its successor has begun, so that the stop of the old push comes behind the start of the new
// one, and is stamped later too. So what orders pushes is the arrival of their starts, never the
// time of a stop.

// Whose stream: streams of equal names at two domains have nothing to do with each other.
struct StreamName {
  std::string tenant;
  std::string domain;
  std::string path;
  std::string stream;

  bool operator==(const StreamName&) const = default;
};
// Longer names, and longer sequences, are of no provider: nothing is kept of such a stream.
inline constexpr size_t kStreamKeyBytesMax = 1024;
inline constexpr size_t kPushSequenceBytesMax = 64;
// One text of the four, each behind its length, so that no two names run together.
std::string StreamKey(std::string_view tenant, std::string_view domain, std::string_view path,
                      std::string_view stream);
Result<StreamName> ParseStreamKey(std::string_view key);

// The id of a stream entry as two numbers, so that entries can be ordered.
struct EntryId {
  int64_t ms = 0;
  int64_t number = 0;

  // 0-0 for what is no id.
  static EntryId Of(std::string_view text);
  auto operator<=>(const EntryId&) const = default;
};

// What an event of a push is to its stream when it is delivered.
enum class StreamVerdict {
  kUnknown,  // Its start was never seen, or nothing is known of the stream (any more).
  kCurrent,  // It says how the stream stands now.
  kStale,    // A later push has begun since, or this one has ended.
};
// Static text, as receivers are told: "unknown", "current", "stale".
std::string_view StreamVerdictName(StreamVerdict verdict);

// A push has started or stopped.
struct PushChange {
  bool started = false;  // Else it stopped.
  std::string_view sequence;
  int64_t event_ms = 0;  // The provider's time; 0: not told.
  EntryId entry;         // By which it came.
};

// The pushes of one stream. An event that is applied again, as after a crash, changes nothing.
struct StreamState {
  // Closed pushes that are remembered, the latest ones.
  static constexpr size_t kClosedMax = 4;
  // A start that lies further ahead of its arrival has no time: it would make every later one late.
  static constexpr int64_t kAheadMaxMs = 600'000;

  std::string sequence;     // Of the current push; empty: nothing is known.
  bool live = false;        // Its stop has not come.
  bool start_seen = false;  // False: its stop came alone, or first.
  int64_t start_ms = 0;     // The provider's time of its start; 0: not told.
  int64_t stop_ms = 0;
  EntryId set_by;                   // What made it the current one.
  int64_t changed_ms = 0;           // The Redis time at which the last change was stored.
  std::vector<std::string> closed;  // Sequences of pushes that are over, the oldest first.

  bool operator==(const StreamState&) const = default;

  // In the order of arrival. Returns whether anything has changed.
  bool Apply(const PushChange& change);
  // Of a start, or a stop, of the push `sequence`.
  StreamVerdict Verdict(bool started, std::string_view sequence) const;

 private:
  bool IsClosed(std::string_view push) const;
  void Become(const PushChange& change, int64_t event_ms);
  bool CompleteCurrent(const PushChange& change, int64_t event_ms);
  void Close(std::string push);
  bool CloseOlder(std::string_view push);
};

// As a hash's value, in words that a person can read.
std::string EncodeStreamState(const StreamState& state);
// InvalidArgument for anything that EncodeStreamState() does not write.
Result<StreamState> DecodeStreamState(std::string_view text);

// The last recording, or screenshot, of a stream.
struct StreamMedia {
  static constexpr size_t kUrlBytesMax = 2048;

  int64_t at_ms = 0;  // The provider's time, or else that of its storing.
  std::string url;
};
// The time stands in front, which is what a script compares.
std::string EncodeStreamMedia(const StreamMedia& media);
Result<StreamMedia> DecodeStreamMedia(std::string_view text);

}  // namespace relay
