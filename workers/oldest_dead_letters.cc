#include "workers/oldest_dead_letters.h"

#include <algorithm>

#include "relay/check.h"
#include "relay/script_reply.h"

namespace relay {
namespace {

// Of one endpoint at a time, and of all endpoints together: some 2 MB of a worker.
constexpr int64_t kPageMax = 50;
constexpr int64_t kLettersHeld = 20'000;
// Pages asked for at a time: together less than a millisecond of Redis.
constexpr int kPagesOpenMax = 50;

}  // namespace

OldestDeadLetters::OldestDeadLetters(EventLoop& loop, RedisClient& redis, const PartitionKeys& keys,
                                     const std::vector<uint64_t>& endpoints, int64_t until_ms)
    : loop_(loop),
      redis_(redis),
      keys_(keys),
      until_ms_(until_ms),
      page_size_(std::clamp<int64_t>(
          kLettersHeld / std::max<int64_t>(static_cast<int64_t>(endpoints.size()), 1), 1,
          kPageMax)) {
  for (const uint64_t endpoint : endpoints) {
    endpoints_[endpoint];
    wanting_.insert(endpoint);
  }
}

void OldestDeadLetters::Next(size_t count, Done done) {
  RELAY_CHECK(!done_ && count > 0);
  count_ = count;
  done_ = std::move(done);
  Fetch();
}

void OldestDeadLetters::Skip(const Letter& letter) {
  ++endpoints_[letter.endpoint].skipped;
}

void OldestDeadLetters::Fetch() {
  if (wanting_.empty()) {
    loop_.Post([this, watch = scope_.watch()] {
      if (!watch.gone()) Merge();
    });
    return;
  }
  while (!wanting_.empty() && pages_open_ < kPagesOpenMax) {
    const uint64_t endpoint = *wanting_.begin();
    wanting_.erase(wanting_.begin());
    ++pages_open_;
    redis_.Send(
        ListDeadLetters(keys_, endpoint, until_ms_, endpoints_[endpoint].skipped, page_size_),
        scope_, [this, endpoint](const Result<RedisValue>& reply) { OnPage(endpoint, reply); });
  }
}

void OldestDeadLetters::OnPage(uint64_t endpoint, const Result<RedisValue>& reply) {
  const Result<std::vector<DeadMember>> letters =
      reply.ok() && !reply->is_error() ? ParseDeadMembers(*reply) : StatusOfReply(reply);
  if (letters.ok()) {
    Endpoint& place = endpoints_[endpoint];
    place.page.assign(letters->begin(), letters->end());
    place.read_out = static_cast<int64_t>(letters->size()) < page_size_;
    if (!place.page.empty()) heads_.emplace(place.page.front().died_ms, endpoint);
  } else {
    failed_ = letters.status();
  }
  if (--pages_open_ > 0) return;
  if (!failed_.ok()) return Finish(failed_);
  if (!wanting_.empty()) return Fetch();
  Merge();
}

void OldestDeadLetters::Merge() {
  std::vector<Letter> letters;
  // A page that has run out may hide the next oldest: the rest waits until it has been read again.
  while (letters.size() < count_ && !heads_.empty() && wanting_.empty()) {
    const uint64_t endpoint = heads_.begin()->second;
    heads_.erase(heads_.begin());
    Endpoint& place = endpoints_[endpoint];
    letters.push_back({endpoint, std::move(place.page.front().member), place.page.front().died_ms});
    place.page.pop_front();
    if (!place.page.empty()) {
      heads_.emplace(place.page.front().died_ms, endpoint);
    } else if (!place.read_out) {
      wanting_.insert(endpoint);
    }
  }
  Finish(std::move(letters));
}

void OldestDeadLetters::Finish(Result<std::vector<Letter>> result) {
  // `done` may destroy us: nothing may follow.
  std::exchange(done_, nullptr)(std::move(result));
}

}  // namespace relay
