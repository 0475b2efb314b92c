#pragma once

#include <poll.h>

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "relay/clock.h"
#include "relay/random.h"
#include "tests/chaos/net/resp_stream.h"

namespace relay {

// How bytes go one way.
struct Flow {
  bool held = false;  // They do not arrive, and nobody is told: a black hole.
  Millis delay{0};
  Millis jitter{0};              // Up to so much more; their order stays.
  int64_t bytes_per_second = 0;  // 0: as many as there are.
};

// What every connection through a FaultProxy is subject to at present.
struct ProxyRules {
  Flow up;                   // From the client to the upstream.
  Flow down;                 // The other way.
  double garbled_share = 0;  // Of commands refused on the way, and of replies.
};

// What a FaultProxy has seen and done so far.
struct ProxyCounts {
  int64_t accepted = 0;
  int64_t refused = 0;
  int64_t cut = 0;  // Ended by a reset.
  int64_t open = 0;
  int64_t bytes_up = 0;
  int64_t bytes_down = 0;
  // Replies by what was done to them; "refused": errors about commands that never arrived.
  std::map<std::string, int64_t> garbled;
};

// One direction of a connection: reads from one socket, keeps, and writes to the other. Both
// sockets are the ProxyLink's.
class ProxyPipe {
 public:
  // What has become of the connection, as far as this direction knows.
  enum class End { kNone, kClose, kReset };

  // What it carries: bytes, or what a Redis and its client say, to be garbled.
  enum class Speech { kBytes, kCommands, kReplies };

  // `order` is shared with the other direction.
  ProxyPipe(int from, int to, Random& random, Speech speech, AnswerOrder& order);

  void Read(const Flow& flow, double garbled_share, MonoTime now, ProxyCounts& counts);
  // Returns how many bytes went on.
  int64_t Write(const Flow& flow, MonoTime now);
  // Errors about commands that the other direction has refused; it is their turn.
  void Answer(std::string errors, MonoTime now);
  // Resets the connection once so many more bytes have gone on.
  void CutAfter(int64_t bytes) { left_until_cut_ = bytes; }
  void SpareIt() { left_until_cut_ = -1; }

  bool wants_bytes() const;
  bool wants_room() const { return blocked_; }
  // When it has something to do though no socket moves; MonoTime::max() for never.
  MonoTime next(const Flow& flow) const;
  End end(const Flow& flow) const;
  bool finished() const { return shut_; }

 private:
  struct Chunk {
    std::string bytes;
    MonoTime due;
    GarbledReply::After after;
    size_t sent = 0;
  };

  void Take(std::string_view bytes, const Flow& flow, double garbled_share, MonoTime now,
            ProxyCounts& counts);
  void TakeCommand(std::string command, Micros delay, double garbled_share, MonoTime now,
                   ProxyCounts& counts);
  void TakeReply(std::string reply, Micros delay, double garbled_share, MonoTime now,
                 ProxyCounts& counts);
  void Keep(std::string bytes, MonoTime due, GarbledReply::After after);
  // False when the socket takes no more for now, or the connection has come to its end.
  bool WriteFront(const Flow& flow, MonoTime now);
  size_t RoomFor(const Chunk& chunk, const Flow& flow) const;
  void DropFront();

  const int from_;
  const int to_;
  Random& random_;
  const Speech speech_;
  AnswerOrder& order_;
  ReplyGarbler garbler_;
  RespStream stream_;
  std::deque<Chunk> kept_;
  size_t kept_bytes_ = 0;
  MonoTime last_due_;
  MonoTime next_drip_;
  int64_t left_until_cut_ = -1;  // -1: no cut is planned.
  bool ended_ = false;           // The source has said its last.
  bool source_broken_ = false;
  bool blocked_ = false;
  bool shut_ = false;  // Its end has been passed on.
  End end_ = End::kNone;
};

// A client's connection and ours to the upstream. Owns both sockets (non-blocking).
class ProxyLink {
 public:
  ProxyLink(int client, int upstream, Random& random, bool redis);
  ProxyLink(const ProxyLink&) = delete;
  ProxyLink& operator=(const ProxyLink&) = delete;
  ~ProxyLink();

  static constexpr size_t kSockets = 2;
  // Appends what poll() is to look at: kSockets entries.
  void Watch(std::vector<pollfd>& watched) const;
  MonoTime next(const ProxyRules& rules) const;
  // Moves what can be moved. `watched` points to this link's entries. False: it is over, and is to
  // be destroyed.
  bool Serve(const pollfd* watched, const ProxyRules& rules, MonoTime now, ProxyCounts& counts);
  // When it is destroyed, both sides get a reset.
  void Reset() { reset_ = true; }
  ProxyPipe& up() { return up_; }
  ProxyPipe& down() { return down_; }

 private:
  const int client_;
  const int upstream_;
  AnswerOrder order_;
  ProxyPipe up_;
  ProxyPipe down_;
  bool reset_ = false;
};

// Closes a socket so that the other side gets a reset, where there is such a thing.
void CloseWithReset(int fd);

}  // namespace relay
