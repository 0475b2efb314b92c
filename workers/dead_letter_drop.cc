#include "workers/dead_letter_drop.h"

#include <algorithm>
#include <utility>

#include "relay/check.h"
#include "relay/script_reply.h"

namespace relay {
namespace {

// When there are more, what they held is taken for more than it was, and the next look goes on.
constexpr size_t kEventsKnownMax = 100'000;

}  // namespace

DeadLetterDrop::DeadLetterDrop(const Parts& parts, const TenurePtr& tenure,
                               const std::vector<uint64_t>& endpoints, const Goal& goal)
    : parts_(parts),
      tenure_(tenure),
      goal_(goal),
      oldest_(parts.loop, parts.redis, tenure_->keys, endpoints, goal.died_until_ms),
      pause_(parts.loop.NewTimer([this] { Read(); })) {}

void DeadLetterDrop::Start(Done done) {
  RELAY_CHECK(!done_);
  done_ = std::move(done);
  Next();
}

void DeadLetterDrop::Next() {
  oldest_.Next(kBatchMax, [this](Result<std::vector<OldestDeadLetters::Letter>> letters) {
    OnOldest(std::move(letters));
  });
}

void DeadLetterDrop::OnOldest(Result<std::vector<OldestDeadLetters::Letter>> letters) {
  if (!letters.ok()) return Finish(letters.status());
  if (letters->empty()) return Finish(Status::Ok());
  letters_.assign(std::make_move_iterator(letters->rbegin()),
                  std::make_move_iterator(letters->rend()));
  Read();
}

void DeadLetterDrop::Read() {
  if (tenure_->over || tenure_->returning)
    return Finish(Status::Cancelled("the partition is left"));
  if (letters_.empty()) return Next();
  readings_.clear();
  const size_t count = std::min(letters_.size(), kReadMax);
  for (size_t i = 0; i < count; ++i) {
    readings_.emplace_back().letter = std::move(letters_.back());
    letters_.pop_back();
  }
  replies_open_ = static_cast<int>(3 * count);
  // The replies come in the order of the commands, and the place in `readings_` with them.
  using Place = void (*)(Reading&, const RedisValue&);
  const auto ask = [this](const RedisCommand& command, size_t i, Place place) {
    parts_.redis.Send(command, scope_, [this, i, place](const Result<RedisValue>& reply) {
      if (!reply.ok() || reply->is_error()) {
        failed_ = StatusOfReply(reply);
      } else {
        place(readings_[i], *reply);
      }
      if (--replies_open_ == 0) OnRead();
    });
  };
  for (size_t i = 0; i < count; ++i) {
    const OldestDeadLetters::Letter& letter = readings_[i].letter;
    ask(ReadPayload(tenure_->keys, letter.member), i,
        [](Reading& reading, const RedisValue& reply) { reading.event = ParsePayload(reply); });
    ask(ReadHistory(tenure_->keys, letter.member, letter.endpoint), i,
        [](Reading& reading, const RedisValue& reply) { reading.history = reply.text; });
    ask(ReadOwed(tenure_->keys, letter.member), i, [](Reading& reading, const RedisValue& reply) {
      reading.owed = static_cast<int64_t>(std::max<uint64_t>(NumberOr(reply, 1), 1));
    });
  }
}

void DeadLetterDrop::OnRead() {
  if (!failed_.ok()) return Finish(failed_);
  int64_t freed = bytes_freed_;
  for (const Leaving& leaving : leaving_) freed += leaving.bytes;
  for (Reading& reading : readings_) {
    if (freed >= goal_.bytes) break;
    const size_t before = leaving_.size();
    Keep(reading);
    if (leaving_.size() > before) freed += leaving_.back().bytes;
  }
  const bool full = freed >= goal_.bytes || batch_bytes_ >= kBatchBytesMax;
  if (!letters_.empty() && !full) return Read();
  if (leaving_.empty()) return pause_->Arm(kPause);
  Archive();
}

// Takes it into the batch, unless what Redis has of it cannot be read.
void DeadLetterDrop::Keep(Reading& reading) {
  Result<std::vector<AttemptRecord>> history = DecodeHistory(reading.history);
  if (!reading.event.ok() || !history.ok()) return oldest_.Skip(reading.letter);
  Event& event = *reading.event;
  const auto dropped = dropped_of_.find(reading.letter.member);
  const int64_t sharers = reading.owed + (dropped == dropped_of_.end() ? 0 : dropped->second);
  const auto bytes = static_cast<int64_t>(event.body.size());
  leaving_.push_back({reading.letter.endpoint, reading.letter.member, event.tenant, bytes / sharers,
                      reading.owed > 1});
  batch_bytes_ += event.body.size();
  if (!parts_.archive) return;
  const uint64_t endpoint = reading.letter.endpoint;
  batch_.push_back({endpoint, EndpointId(endpoint), reading.letter.died_ms, std::move(event),
                    *std::move(history)});
}

std::string DeadLetterDrop::EndpointId(uint64_t number) const {
  const Endpoint* endpoint = parts_.catalog()->FindEndpoint(number);
  return endpoint ? endpoint->id : "";
}

void DeadLetterDrop::Archive() {
  batch_bytes_ = 0;
  if (!parts_.archive) return PurgeBatch();
  parts_.archive->Append(std::exchange(batch_, {}), scope_,
                         [this](const Status& status) { OnArchived(status); });
}

void DeadLetterDrop::OnArchived(const Status& status) {
  if (!status.ok()) {
    report_.archive_failed = true;
    return Finish(status);
  }
  report_.archived += static_cast<int64_t>(leaving_.size());
  parts_.archived.Increment(static_cast<double>(leaving_.size()));
  PurgeBatch();
}

// The partition may be another's by now. Then the script refuses, as it is told to by our token.
void DeadLetterDrop::PurgeBatch() {
  std::map<uint64_t, std::pair<std::string, std::vector<Member>>> by_endpoint;
  for (const Leaving& leaving : leaving_) {
    auto& [tenant, members] = by_endpoint[leaving.endpoint];
    tenant = leaving.tenant;
    members.push_back(leaving.member);
    bytes_freed_ += leaving.bytes;
    if (leaving.shared) {
      ++dropped_of_[leaving.member];
    } else {
      dropped_of_.erase(leaving.member);
    }
  }
  leaving_.clear();
  if (dropped_of_.size() > kEventsKnownMax) dropped_of_.clear();
  replies_open_ = static_cast<int>(by_endpoint.size());
  for (const auto& [endpoint, letters] : by_endpoint) {
    const ScriptCall call =
        PurgeMembers(tenure_->keys, tenure_->owner, endpoint, letters.first, letters.second);
    parts_.redis.Eval(*call.script, call.keys, call.args, scope_,
                      [this](const Result<RedisValue>& reply) { OnPurged(reply); });
  }
}

void DeadLetterDrop::OnPurged(const Result<RedisValue>& reply) {
  // What was redriven meanwhile is not dropped, and is no failure.
  const Result<PurgeReply> purge = reply.ok() ? ParsePurge(*reply) : reply.status();
  if (purge.ok()) {
    report_.dropped += static_cast<int64_t>(purge->dropped.size());
    parts_.dropped.Increment(static_cast<double>(purge->dropped.size()));
  } else {
    failed_ = purge.status();
  }
  if (--replies_open_ > 0) return;
  if (!failed_.ok() || bytes_freed_ >= goal_.bytes) return Finish(failed_);
  pause_->Arm(kPause);
}

void DeadLetterDrop::Finish(Status status) {
  report_.status = std::move(status);
  // `done` may destroy us: nothing may follow.
  const Report report = std::move(report_);
  std::exchange(done_, nullptr)(report);
}

}  // namespace relay
