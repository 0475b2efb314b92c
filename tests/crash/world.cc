#include "tests/crash/world.h"

#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/child_program.h"

namespace relay {
namespace {

constexpr int kOwners = 3;
constexpr int64_t kCutBytesMax = 60'000;
// For what another process must do before the run can go on.
constexpr Millis kPatience{10'000};

RedisProcess::Options OptionsOf(const CrashPlan& plan) {
  RedisProcess::Options options;
  options.appendfsync = plan.always ? "always" : "everysec";
  return options;
}

int64_t SizeOf(const std::string& path) {
  struct stat about = {};
  return stat(path.c_str(), &about) == 0 ? about.st_size : 0;
}

}  // namespace

std::string NameOf(const CrashPlan& plan) {
  std::string name = plan.always ? "always" : "everysec";
  if (plan.cut_tail) name += " + cut tail";
  if (plan.fail_share > 0) name += " + failing scripts";
  return name;
}

CrashWorld::CrashWorld(const CrashPlan& plan)
    : plan_(plan),
      random_(plan.seed),
      process_(OptionsOf(plan)),
      keys_(PartitionKeys::For(0, 16)),
      redis_(process_, random_) {
  if (const Status status = process_.Start(); !status.ok()) GiveUp(status.ToString());
  redis_.Connect();
  redis_.UseSpoil(plan.spoil);
  for (int i = 0; i < kOwners; ++i) {
    owners_.push_back(
        std::make_unique<CrashOwner>("boot-" + std::to_string(i), keys_, redis_, model_, random_));
  }
  redis_.Run(CreateGroups(keys_));
  marks_.push_back({});
}

CrashReport CrashWorld::Run() {
  for (int kill = 0; kill < plan_.kills && report_.breaches.empty(); ++kill) {
    redis_.FailShare(plan_.fail_share);
    for (int step = 1; step <= plan_.steps && report_.breaches.empty(); ++step) {
      Step();
      if (step % 20 == 0) PushMark();
      if (step % 100 == 0) LookOverBooks("between two steps");
    }
    redis_.FailShare(0);
    if (report_.breaches.empty()) KillAndRestart();
  }
  if (report_.breaches.empty()) End();
  report_.accepted = model_.accepted();
  report_.deliveries = model_.deliveries();
  report_.duplicates = model_.duplicates();
  report_.stale = redis_.stale();
  report_.injected = redis_.injected();
  return report_;
}

void CrashWorld::Step() {
  if (random_.Unit() < 0.25) return Store();
  CrashOwner& owner = AnyOwner();
  if (owner.owns()) return owner.Act();
  if (random_.Below(5) == 0 && owner.TakeOver()) ++report_.take_overs;
}

void CrashWorld::Store() {
  for (uint64_t i = 0; i <= random_.Below(3); ++i) {
    const int number = model_.NewEvent(random_);
    next_number_ = number + 1;
    const auto stored = ParseStored(redis_.Ask(StoreEvent(keys_, model_.EventOf(number))));
    if (!stored.ok()) GiveUp(stored.status().ToString());
    model_.Accepted(number);
  }
}

void CrashWorld::PushMark() {
  if (!plan_.always) AwaitWritten();
  marks_.push_back({SizeOf(process_.aof_path()), next_number_});
}

void CrashWorld::AwaitWritten() {
  const bool written = WaitUntil(kPatience, [this] {
    const RedisValue state = redis_.Ask(RedisCommand("INFO").Arg("persistence"));
    return state.text.find("aof_buffer_length:0\r\n") != std::string::npos;
  });
  if (!written) GiveUp("Redis does not write its log");
}

void CrashWorld::Burst() {
  std::vector<int> stored;  // By place in the pipeline; -1 for a script.
  const uint64_t count = 5 + random_.Below(75);
  for (uint64_t i = 0; i < count; ++i) {
    CrashOwner& owner = AnyOwner();
    if (owner.owns() && random_.Unit() < 0.7) {
      redis_.pipeline().Append(redis_.Encoded(owner.BuildCall()));
      stored.push_back(-1);
    } else {
      const int number = model_.NewEvent(random_);
      next_number_ = number + 1;
      redis_.pipeline().Append(StoreEvent(keys_, model_.EventOf(number)));
      stored.push_back(number);
    }
  }
  if (const Status status = redis_.pipeline().Flush(); !status.ok()) GiveUp(status.ToString());
  const uint64_t read = random_.Below(count + 1);
  for (uint64_t i = 0; i < read; ++i) {
    const auto reply = redis_.pipeline().NextReply();
    if (!reply.ok()) GiveUp(reply.status().ToString());
    // With everysec only AwaitWritten() makes a promise, and nobody waits any more.
    if (stored[i] >= 0 && reply->is_text() && plan_.always) model_.Accepted(stored[i]);
  }
}

void CrashWorld::KillAndRestart() {
  PushMark();
  Burst();
  process_.Kill9();
  ++report_.kills;
  const std::string log = process_.aof_path();
  if (plan_.cut_tail) {
    const int64_t left = SizeOf(log) - static_cast<int64_t>(random_.Below(kCutBytesMax));
    if (truncate(log.c_str(), std::max<int64_t>(left, 0)) != 0) GiveUp("cannot cut " + log);
  }
  if (const Status status = process_.Start(); !status.ok()) GiveUp(status.ToString());
  redis_.Connect();
  if (plan_.cut_tail) ForgetAcknowledgedAfter(SizeOf(process_.aof_path()));
  // Stream ids of another run of Redis mean nothing any more.
  for (const auto& owner : owners_) owner->Forget();
  while (redis_.Run(CreateGroups(keys_)).is_error()) continue;  // Made to fail, like any script.
  if (plan_.fail_share > 0) {
    if (random_.Below(2) == 0) redis_.Ask(RedisCommand("DEL").Arg(keys_.own));
    LookOverBooks("after a restart, before the sweep");
    Mend();
  }
  for (const std::string& breach : LookOver(redis_, keys_, true)) {
    report_.breaches.push_back("after a restart: " + breach);
  }
  for (const std::string& breach : RunFsck(redis_, keys_)) {
    report_.breaches.push_back("fsck after a restart: " + breach);
  }
}

void CrashWorld::ForgetAcknowledgedAfter(int64_t log_bytes) {
  while (marks_.back().log_bytes > log_bytes) marks_.pop_back();
  for (int number = marks_.back().number; number < next_number_; ++number) {
    model_.NotAccepted(number);
  }
}

void CrashWorld::LookOverBooks(const std::string& when) {
  const bool exact = plan_.fail_share == 0;
  for (const std::string& breach : LookOver(redis_, keys_, exact)) {
    report_.breaches.push_back(when + ": " + breach);
  }
  if (!exact) return;
  for (const std::string& breach : RunFsck(redis_, keys_)) {
    report_.breaches.push_back("fsck " + when + ": " + breach);
  }
}

void CrashWorld::Mend() {
  CrashOwner& owner = *owners_.front();
  // A former owner's lease of some milliseconds may have to lapse first.
  if (!WaitUntil(kPatience, [&owner] { return owner.TakeOver(); })) {
    GiveUp("a lapsed lease cannot be taken");
  }
  ++report_.take_overs;
  owner.Sweep(true);
  if (owner.swept().without_payload > 0) report_.breaches.push_back("sweep met a lost payload");
}

void CrashWorld::End() {
  redis_.FailShare(0);
  for (const auto& owner : owners_) owner->Forget();
  Mend();
  if (!owners_.front()->DrainThroughIndex()) report_.breaches.push_back("the drain has no end");
  for (const std::string& breach : LookOver(redis_, keys_, true)) {
    report_.breaches.push_back("at the end: " + breach);
  }
  for (std::string& lost : model_.Lost(DeadLettersOf(redis_, keys_))) {
    report_.breaches.push_back(std::move(lost));
  }
}

}  // namespace relay
