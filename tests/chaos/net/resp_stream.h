#pragma once

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "relay/clock.h"
#include "relay/random.h"

namespace relay {

// Cuts the bytes that a Redis or its client sends (RESP2) into whole replies or commands, whatever
// pieces they come in.
class RespStream {
 public:
  // Appends to `whole` each that `bytes` completes, in order. False when this is no RESP: nothing
  // more can be made of the stream then.
  bool Feed(std::string_view bytes, std::vector<std::string>* whole);

 private:
  // Takes one value (of an array its head) from `read_` on; false when it is not all there.
  bool TakeValue();

  std::string bytes_;      // From the beginning of the reply that is not complete.
  size_t read_ = 0;        // Up to here its values are known.
  long long missing_ = 1;  // Values that it still lacks.
  bool understood_ = true;
};

// What is done to one reply.
enum class GarbleKind {
  kError,      // an error in its place: of six kinds that a Redis can give
  kWrongType,  // a value of a type that the command never answers with
  kCut,        // its first half, then a reset
  kNoise,      // a byte that begins no reply
  kDelay,      // it comes, after every deadline
  kSwallow,    // it does not come; the connection is closed in good order
};

struct GarbledReply {
  enum class After { kGoOn, kClose, kReset };
  std::string name;  // "loading": for counting.
  std::string bytes;
  Millis delay{0};
  After after = After::kGoOn;
};

// One of the errors by which a Redis refuses a command.
struct RespError {
  const char* name;  // "loading": for counting.
  const char* line;
};
const RespError& AnyRespError(Random& random);

// Whose turn it is to be answered, where some commands are refused on the way and never arrive:
// their errors must come between the replies to those before and behind them.
class AnswerOrder {
 public:
  void Sent() { turns_.push_back(nullptr); }
  void Refused(const RespError& error) { turns_.push_back(&error); }
  // A reply has come: to the oldest command that was sent, or unasked.
  void Answered();
  // The errors that are to be given now; they are given then.
  std::string Due();

 private:
  std::deque<const RespError*> turns_;  // Null: a command that was sent.
};

// Spoils replies. It never says that something was done which was not: an error
// stays an error, and "there is none" is not turned into a value. The opposite, an error about a
// command that did take effect, is what it is for.
//
// What it leaves out: a reply that is dropped or doubled while the connection goes on, so that each
// later reply answers another command. RESP numbers neither commands nor replies; over a TCP
// that works this cannot happen, and no client could notice it.
class ReplyGarbler {
 public:
  explicit ReplyGarbler(Random& random) : random_(random) {}

  // A reply of RESP2, whole.
  GarbledReply Garble(const std::string& reply);
  GarbledReply Garble(const std::string& reply, GarbleKind kind);

 private:
  Random& random_;
};

}  // namespace relay
