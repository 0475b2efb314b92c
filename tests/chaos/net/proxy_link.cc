#include "tests/chaos/net/proxy_link.h"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace relay {

namespace {

// What one direction keeps before it stops reading, as a network stops taking.
constexpr size_t kKeptBytesMax = 1024 * 1024;
constexpr size_t kReadBytes = 16 * 1024;
constexpr Millis kDripEvery{20};
constexpr int64_t kDripsPerSecond = Seconds(1) / kDripEvery;

constexpr short kReadable = POLLIN | POLLHUP | POLLERR;

}  // namespace

void CloseWithReset(int fd) {
  const linger at_once{1, 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
  close(fd);
}

// ---- ProxyPipe

ProxyPipe::ProxyPipe(int from, int to, Random& random, Speech speech, AnswerOrder& order)
    : from_(from), to_(to), random_(random), speech_(speech), order_(order), garbler_(random) {}

bool ProxyPipe::wants_bytes() const {
  return !ended_ && !source_broken_ && kept_bytes_ < kKeptBytesMax;
}

void ProxyPipe::Read(const Flow& flow, double garbled_share, MonoTime now, ProxyCounts& counts) {
  char bytes[kReadBytes];
  while (wants_bytes()) {
    const ssize_t got = recv(from_, bytes, sizeof(bytes), MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got < 0) source_broken_ = true;
    if (got == 0) ended_ = true;
    if (got > 0) Take({bytes, static_cast<size_t>(got)}, flow, garbled_share, now, counts);
  }
}

void ProxyPipe::Take(std::string_view bytes, const Flow& flow, double garbled_share, MonoTime now,
                     ProxyCounts& counts) {
  const Micros delay =
      flow.delay + std::chrono::duration_cast<Micros>(flow.jitter * random_.Unit());
  if (speech_ == Speech::kBytes) {
    return Keep(std::string(bytes), now + delay, GarbledReply::After::kGoOn);
  }
  std::vector<std::string> whole;
  if (!stream_.Feed(bytes, &whole)) end_ = End::kReset;
  const auto take = speech_ == Speech::kCommands ? &ProxyPipe::TakeCommand : &ProxyPipe::TakeReply;
  for (std::string& words : whole) {
    (this->*take)(std::move(words), delay, garbled_share, now, counts);
  }
}

void ProxyPipe::TakeCommand(std::string command, Micros delay, double garbled_share, MonoTime now,
                            ProxyCounts& counts) {
  if (random_.Unit() < garbled_share) {
    order_.Refused(AnyRespError(random_));
    ++counts.garbled["refused"];
    return;
  }
  order_.Sent();
  Keep(std::move(command), now + delay, GarbledReply::After::kGoOn);
}

void ProxyPipe::TakeReply(std::string reply, Micros delay, double garbled_share, MonoTime now,
                          ProxyCounts& counts) {
  order_.Answered();
  if (random_.Unit() < garbled_share) {
    GarbledReply garbled = garbler_.Garble(reply);
    ++counts.garbled[garbled.name];
    Keep(std::move(garbled.bytes), now + delay + garbled.delay, garbled.after);
  } else {
    Keep(std::move(reply), now + delay, GarbledReply::After::kGoOn);
  }
  Answer(order_.Due(), now);
}

void ProxyPipe::Answer(std::string errors, MonoTime now) {
  if (!errors.empty()) Keep(std::move(errors), now, GarbledReply::After::kGoOn);
}

void ProxyPipe::Keep(std::string bytes, MonoTime due, GarbledReply::After after) {
  last_due_ = std::max(last_due_, due);
  kept_bytes_ += bytes.size();
  kept_.push_back({std::move(bytes), last_due_, after});
}

int64_t ProxyPipe::Write(const Flow& flow, MonoTime now) {
  blocked_ = false;
  if (flow.held) return 0;
  const size_t before = kept_bytes_;
  while (end_ == End::kNone && !kept_.empty() && next(flow) <= now && WriteFront(flow, now)) {
  }
  if (ended_ && kept_.empty() && !shut_) {
    shutdown(to_, SHUT_WR);
    shut_ = true;
  }
  return static_cast<int64_t>(before - kept_bytes_);
}

bool ProxyPipe::WriteFront(const Flow& flow, MonoTime now) {
  Chunk& front = kept_.front();
  const size_t room = RoomFor(front, flow);
  const ssize_t sent =
      send(to_, front.bytes.data() + front.sent, room, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) {
    blocked_ = errno == EAGAIN || errno == EINTR;
    if (!blocked_) end_ = End::kReset;
    return false;
  }
  front.sent += static_cast<size_t>(sent);
  kept_bytes_ -= static_cast<size_t>(sent);
  if (flow.bytes_per_second > 0) next_drip_ = now + kDripEvery;
  if (left_until_cut_ >= 0) left_until_cut_ -= sent;
  if (left_until_cut_ == 0) end_ = End::kReset;
  if (front.sent == front.bytes.size()) DropFront();
  return end_ == End::kNone;
}

size_t ProxyPipe::RoomFor(const Chunk& chunk, const Flow& flow) const {
  int64_t room = static_cast<int64_t>(chunk.bytes.size() - chunk.sent);
  if (flow.bytes_per_second > 0) {
    room = std::min(room, std::max<int64_t>(1, flow.bytes_per_second / kDripsPerSecond));
  }
  if (left_until_cut_ >= 0) room = std::min(room, left_until_cut_);
  return static_cast<size_t>(room);
}

void ProxyPipe::DropFront() {
  if (kept_.front().after == GarbledReply::After::kReset) end_ = End::kReset;
  if (kept_.front().after == GarbledReply::After::kClose) end_ = End::kClose;
  kept_.pop_front();
}

MonoTime ProxyPipe::next(const Flow& flow) const {
  if (flow.held || blocked_ || kept_.empty()) return MonoTime::max();
  return flow.bytes_per_second > 0 ? std::max(kept_.front().due, next_drip_) : kept_.front().due;
}

// A reset that the source has sent travels like its bytes: a black hole keeps it, too.
ProxyPipe::End ProxyPipe::end(const Flow& flow) const {
  if (end_ == End::kNone && source_broken_ && !flow.held) return End::kReset;
  return end_;
}

// ---- ProxyLink

ProxyLink::ProxyLink(int client, int upstream, Random& random, bool redis)
    : client_(client),
      upstream_(upstream),
      up_(client, upstream, random,
          redis ? ProxyPipe::Speech::kCommands : ProxyPipe::Speech::kBytes, order_),
      down_(upstream, client, random,
            redis ? ProxyPipe::Speech::kReplies : ProxyPipe::Speech::kBytes, order_) {}

ProxyLink::~ProxyLink() {
  for (const int fd : {client_, upstream_}) {
    if (reset_) {
      CloseWithReset(fd);
    } else {
      close(fd);
    }
  }
}

void ProxyLink::Watch(std::vector<pollfd>& watched) const {
  const auto watch = [&watched](int fd, bool bytes, bool room) {
    const int events = (bytes ? POLLIN : 0) | (room ? POLLOUT : 0);
    // poll() tells of a broken socket even when it is asked about nothing; a negative one it skips.
    watched.push_back({events == 0 ? -1 : fd, static_cast<short>(events), 0});
  };
  watch(client_, up_.wants_bytes(), down_.wants_room());
  watch(upstream_, down_.wants_bytes(), up_.wants_room());
}

MonoTime ProxyLink::next(const ProxyRules& rules) const {
  return std::min(up_.next(rules.up), down_.next(rules.down));
}

bool ProxyLink::Serve(const pollfd* watched, const ProxyRules& rules, MonoTime now,
                      ProxyCounts& counts) {
  if (reset_) {
    ++counts.cut;
    return false;
  }
  if (watched[0].revents & kReadable) {
    up_.Read(rules.up, rules.garbled_share, now, counts);
    down_.Answer(order_.Due(), now);
  }
  if (watched[1].revents & kReadable) {
    down_.Read(rules.down, rules.garbled_share, now, counts);
  }
  counts.bytes_up += up_.Write(rules.up, now);
  counts.bytes_down += down_.Write(rules.down, now);
  const auto either = [&](ProxyPipe::End end) {
    return up_.end(rules.up) == end || down_.end(rules.down) == end;
  };
  reset_ = either(ProxyPipe::End::kReset);
  if (reset_) ++counts.cut;
  const bool over = up_.finished() && down_.finished();
  return !reset_ && !over && !either(ProxyPipe::End::kClose);
}

}  // namespace relay
