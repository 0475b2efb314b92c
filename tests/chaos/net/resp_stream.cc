#include "tests/chaos/net/resp_stream.h"

#include <charconv>
#include <iterator>
#include <optional>

namespace relay {

namespace {

constexpr std::string_view kLineEnd = "\r\n";
// Longer than any deadline of a command, with what a busy machine adds.
constexpr Millis kDelayLeast{2500};
constexpr uint64_t kDelayMoreMs = 1500;

constexpr RespError kErrors[] = {
    {"err", "-ERR something went wrong\r\n"},
    {"loading", "-LOADING Redis is loading the dataset in memory\r\n"},
    {"busy", "-BUSY Redis is busy running a script. You can only call SCRIPT KILL.\r\n"},
    {"readonly", "-READONLY You can't write against a read only replica.\r\n"},
    {"oom", "-OOM command not allowed when used memory > 'maxmemory'.\r\n"},
    {"misconf", "-MISCONF Errors writing to the AOF file: No space left on device\r\n"},
};

std::optional<long long> NumberIn(std::string_view text) {
  long long number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// An error or a nil: nothing but a failure may stand in its place.
bool SaysNo(const std::string& reply) {
  return reply.starts_with('-') || reply.starts_with("$-1") || reply.starts_with("*-1");
}

// A value of another type than `reply` has.
std::string OfAnotherType(const std::string& reply) {
  switch (reply.front()) {
    case ':':
    case '+':
      return "*1\r\n*1\r\n:7\r\n";
    case '$':
      return "*1\r\n:7\r\n";
    default:
      return ":7\r\n";
  }
}

}  // namespace

bool RespStream::Feed(std::string_view bytes, std::vector<std::string>* whole) {
  bytes_ += bytes;
  while (understood_ && TakeValue()) {
    if (missing_ > 0) continue;
    whole->push_back(bytes_.substr(0, read_));
    bytes_.erase(0, read_);
    read_ = 0;
    missing_ = 1;
  }
  return understood_;
}

bool RespStream::TakeValue() {
  const size_t end = bytes_.find(kLineEnd, read_);
  if (end == std::string::npos) return false;
  const std::string_view line = std::string_view(bytes_).substr(read_, end - read_);
  const char type = line.empty() ? '\0' : line.front();
  size_t next = end + kLineEnd.size();
  if (type == '$' || type == '*') {
    const auto number = NumberIn(line.substr(1));
    understood_ = number.has_value();
    if (!understood_) return false;
    if (type == '$' && *number >= 0) next += static_cast<size_t>(*number) + kLineEnd.size();
    if (next > bytes_.size()) return false;
    if (type == '*' && *number > 0) missing_ += *number;
  } else if (type != '+' && type != '-' && type != ':') {
    understood_ = false;
    return false;
  }
  read_ = next;
  --missing_;
  return true;
}

const RespError& AnyRespError(Random& random) {
  return kErrors[random.Below(std::size(kErrors))];
}

void AnswerOrder::Answered() {
  if (!turns_.empty() && !turns_.front()) turns_.pop_front();
}

std::string AnswerOrder::Due() {
  std::string errors;
  for (; !turns_.empty() && turns_.front(); turns_.pop_front()) errors += turns_.front()->line;
  return errors;
}

GarbledReply ReplyGarbler::Garble(const std::string& reply) {
  // Mostly what costs nobody a connection; what makes everybody wait for a deadline comes seldom.
  const uint64_t lot = random_.Below(100);
  if (lot < 60) return Garble(reply, GarbleKind::kError);
  if (lot < 74) return Garble(reply, GarbleKind::kWrongType);
  if (lot < 82) return Garble(reply, GarbleKind::kCut);
  if (lot < 90) return Garble(reply, GarbleKind::kNoise);
  if (lot < 98) return Garble(reply, GarbleKind::kSwallow);
  return Garble(reply, GarbleKind::kDelay);
}

GarbledReply ReplyGarbler::Garble(const std::string& reply, GarbleKind kind) {
  using After = GarbledReply::After;
  if (kind == GarbleKind::kWrongType && SaysNo(reply)) kind = GarbleKind::kError;
  switch (kind) {
    case GarbleKind::kError: {
      const RespError& error = AnyRespError(random_);
      return {error.name, error.line, Millis(0), After::kGoOn};
    }
    case GarbleKind::kWrongType:
      return {"wrong_type", OfAnotherType(reply), Millis(0), After::kGoOn};
    case GarbleKind::kCut:
      return {"cut", reply.substr(0, random_.Below(reply.size())), Millis(0), After::kReset};
    case GarbleKind::kNoise:
      return {"noise", "\x7f" + reply, Millis(0), After::kGoOn};
    case GarbleKind::kDelay:
      return {"delay", reply,
              kDelayLeast + Millis(static_cast<int64_t>(random_.Below(kDelayMoreMs))),
              After::kGoOn};
    case GarbleKind::kSwallow:
      break;
  }
  return {"swallow", "", Millis(0), After::kClose};
}

}  // namespace relay
