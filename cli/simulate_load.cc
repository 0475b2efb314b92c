#include "cli/simulate_load.h"

#include <algorithm>
#include <utility>

#include "relay/check.h"
#include "relay/http_status.h"

namespace relay {

namespace {

// A receiver that was there may be restarting.
constexpr Micros kUnreachable = Seconds(60);
constexpr Millis kSweepEvery(200);

// A receiver that refuses at full speed must not fill the memory here.
constexpr size_t kRetriesMax = 50'000;
// How many callbacks may overtake one that is held back, and how many may be held back at once.
constexpr size_t kHeldBackMax = 64;
constexpr Micros kTickMin(100);
// How often retries that are due are looked at while no connection is free for them.
constexpr Micros kRetryLook = Millis(1);

std::string HeadOf(const LoadPlan& plan) {
  return "POST " + plan.target + " HTTP/1.1\r\nHost: " + plan.host +
         "\r\nContent-Type: application/json\r\nUser-Agent: relayctl-simulate/" RELAY_VERSION
         "\r\nContent-Length: ";
}

}  // namespace

LoadRun::LoadRun(SystemLoop& loop, LoadPlan plan, CallbackMaker& maker, LineLog& log,
                 Progress& progress)
    : loop_(loop),
      plan_(std::move(plan)),
      log_(log),
      progress_(progress),
      random_(plan_.seed),
      maker_(maker),
      shots_(static_cast<size_t>(plan_.connections)),
      sweep_(loop.NewTimer([this] { OnSweep(); })),
      retry_(loop.NewTimer([this] { OnRetryDue(); })) {
  RELAY_CHECK(plan_.connections > 0 && (plan_.rate > 0 || !plan_.open_loop));
  RELAY_CHECK(plan_.time_scale > 0 && (plan_.expired == 0 || maker_.CanExpire()));
}

LoadRun::~LoadRun() = default;

void LoadRun::Start() {
  started_ = loop_.clock().Now();
  last_up_ = started_;
  ProviderConnection::Observer& observer = *this;
  for (int i = 0; i < plan_.connections; ++i) {
    connections_.push_back(
        std::make_unique<ProviderConnection>(loop_, plan_.to, HeadOf(plan_), i, observer));
    connections_.back()->Open();
  }
  if (plan_.rate > 0) {
    const Micros between(static_cast<int64_t>(1e6 / plan_.rate));
    ticker_ = std::make_unique<PreciseTicker>(loop_, std::clamp(between, kTickMin, Micros(20'000)),
                                              [this] { OnTick(); });
  }
  sweep_->Arm(kSweepEvery);
}

void LoadRun::Interrupt() {
  result_.interrupted = true;
  Finish();
}

// ---- Which callback is next

bool LoadRun::MakingNew(MonoTime now) const {
  if (plan_.count > 0 && made_ >= plan_.count) return false;
  return plan_.duration == Micros(0) || now - started_ < plan_.duration;
}

int64_t LoadRun::Due(MonoTime now) const {
  if (plan_.rate <= 0) return INT64_MAX;
  const double elapsed_s = std::chrono::duration<double>(now - started_).count();
  return static_cast<int64_t>(elapsed_s * plan_.rate) + 1;
}

CallbackKind LoadRun::PickKind() {
  if (plan_.forge > 0 && random_.Unit() < plan_.forge) return CallbackKind::kForged;
  if (plan_.expired > 0 && random_.Unit() < plan_.expired) return CallbackKind::kExpired;
  return CallbackKind::kGenuine;
}

bool LoadRun::Next(MonoTime now, Shot* shot) {
  if (!retries_.empty() && retries_.begin()->first <= now) {
    *shot = std::move(retries_.begin()->second);
    retries_.erase(retries_.begin());
    maker_.SignAgain(loop_.clock().WallNow(), &shot->callback);
    return true;
  }
  if (!again_.empty()) {
    *shot = std::move(again_.front());
    again_.pop_front();
    return true;
  }
  const bool making_new = MakingNew(now);
  // One of those held back goes when enough others have overtaken it, or when no others come.
  if (!held_back_.empty() &&
      (!making_new || held_back_.size() >= kHeldBackMax || random_.Below(kHeldBackMax) == 0)) {
    *shot = std::move(held_back_.front());
    shot->due = now;  // That it waited was our own wish.
    held_back_.pop_front();
    return true;
  }
  return making_new && NextNew(now, shot);
}

bool LoadRun::NextNew(MonoTime now, Shot* shot) {
  while (MakingNew(now) && made_ < Due(now) && retries_.size() < kRetriesMax) {
    maker_.Make(made_, PickKind(), loop_.clock().WallNow(), &shot->callback);
    shot->due =
        plan_.open_loop
            ? started_ + Micros(static_cast<int64_t>(static_cast<double>(made_) * 1e6 / plan_.rate))
            : now;
    shot->tries = 0;
    shot->duplicate = false;
    ++made_;
    const bool hold_back =
        plan_.reorder > 0 && held_back_.size() < kHeldBackMax && random_.Unit() < plan_.reorder;
    if (!hold_back) return true;
    held_back_.push_back(std::move(*shot));
  }
  return false;
}

// ---- Sending

void LoadRun::Pump() {
  if (finished_) return;
  const MonoTime now = loop_.clock().Now();
  while (!idle_.empty()) {
    // They take turns, so that none of them falls asleep when a few could do it all.
    ProviderConnection& connection = *connections_[static_cast<size_t>(idle_.front())];
    Shot& shot = shots_[static_cast<size_t>(connection.index())];
    if (!Next(now, &shot)) break;
    idle_.pop_front();
    Send(connection, now);
  }
  FinishIfDone(now);
}

void LoadRun::Send(ProviderConnection& connection, MonoTime now) {
  Shot& shot = shots_[static_cast<size_t>(connection.index())];
  shot.sent = now;
  if (!plan_.open_loop || shot.tries > 0 || shot.duplicate) shot.due = now;
  if (shot.tries == 0 && !shot.duplicate) ++result_.callbacks;
  ++shot.tries;
  ++result_.sent;
  ++outstanding_;
  LogSend(shot);
  connection.Send(shot.callback.headers, shot.callback.body);
}

void LoadRun::OnReady(ProviderConnection& connection) {
  ever_up_ = true;
  idle_.push_back(connection.index());
  Pump();
}

void LoadRun::OnTick() {
  Pump();
}

void LoadRun::OnRetryDue() {
  Pump();
  if (finished_ || retries_.empty()) return;
  // One that is due and has not left waits for a connection.
  const Micros left = retries_.begin()->first - loop_.clock().Now();
  retry_->Arm(std::max(left, kRetryLook));
}

// ---- Answers

bool LoadRun::Expected(const Shot& shot, int status) const {
  return shot.callback.kind == CallbackKind::kGenuine ? IsSuccess(status) : status == 403;
}

void LoadRun::OnAnswer(ProviderConnection& connection, int status) {
  if (finished_) return;
  const MonoTime now = loop_.clock().Now();
  Shot& shot = shots_[static_cast<size_t>(connection.index())];
  if (IsSuccess(status)) {
    ++result_.accepted;
    result_.ack_latency.Record(now - shot.due);
  } else {
    ++result_.refused[status];
  }
  Settle(shot, status, now);
}

void LoadRun::OnDown(ProviderConnection& connection, const Status& why, bool outstanding) {
  last_trouble_ = why;
  std::erase(idle_, connection.index());
  if (finished_ || !outstanding) return;
  ++result_.indeterminate;
  Settle(shots_[static_cast<size_t>(connection.index())], 0, loop_.clock().Now());
}

void LoadRun::Settle(Shot& shot, int status, MonoTime now) {
  --outstanding_;
  LogAnswer(shot, status, now - shot.due);
  progress_.Update(result_.accepted);
  if (Expected(shot, status)) {
    if (!shot.duplicate && plan_.duplicate > 0 && random_.Unit() < plan_.duplicate) {
      again_.push_back(shot);
      again_.back().duplicate = true;
      again_.back().tries = 0;
    }
    return;
  }
  if (const std::optional<Micros> pause = RetryPause(shot)) {
    const auto added = retries_.emplace(now + *pause, std::move(shot));
    if (added == retries_.begin()) retry_->Arm(*pause);
    return;
  }
  ++result_.unexpected;
}

std::optional<Micros> LoadRun::RetryPause(const Shot& shot) const {
  if (!plan_.retry) return std::nullopt;
  const std::span<const Seconds> pauses = maker_.RetryPauses(shot.callback);
  const auto sent = static_cast<size_t>(shot.tries);
  const size_t attempts =
      plan_.retry_attempts ? static_cast<size_t>(*plan_.retry_attempts) : pauses.size();
  if (sent > attempts || pauses.empty()) return std::nullopt;
  const Micros pause = pauses[std::min(sent, pauses.size()) - 1];
  return Micros(static_cast<int64_t>(static_cast<double>(pause.count()) / plan_.time_scale));
}

// ---- Log

void LoadRun::AskForLogWrite() {
  loop_.AtTurnEnd(*this, Phase::kBatch);
}

void LoadRun::LogSend(const Shot& shot) {
  if (!log_.kept()) return;
  const ProviderCallback& callback = shot.callback;
  JsonLine line(log_.lines());
  line.Text("op", "send")
      .Text("seq", callback.seq)
      .Text("sha256", reader_.Read(callback.body).sha256)
      .Number("at_us", MicrosSinceEpoch(loop_.clock().WallNow()))
      .Text("type", callback.type)
      .Text("stream", callback.stream)
      .Text("domain", callback.domain);
  if (!callback.param.empty()) line.Text("param", callback.param);
  if (!callback.appid.empty()) line.Text("appid", callback.appid);
  AskForLogWrite();
}

void LoadRun::LogAnswer(const Shot& shot, int status, Micros latency) {
  if (!log_.kept()) return;
  JsonLine(log_.lines())
      .Text("op", "answer")
      .Text("seq", shot.callback.seq)
      .Number("status", status)
      .Number("latency_us", latency.count())
      .Number("at_us", MicrosSinceEpoch(loop_.clock().WallNow()));
  AskForLogWrite();
}

// Runs before the turn's requests are flushed, because batches come before flushes.
void LoadRun::OnTurnEnd() {
  const Status written = log_.Write();
  if (written.ok() || finished_) return;
  result_.failure = written;
  Finish();
}

// ---- Watching and ending

void LoadRun::OnSweep() {
  if (finished_) return;
  const MonoTime now = loop_.clock().Now();
  bool any_up = false;
  for (const auto& connection : connections_) {
    const Shot& shot = shots_[static_cast<size_t>(connection->index())];
    if (connection->outstanding() && now - shot.sent > maker_.AnswerWithin()) {
      connection->Cut(Status::DeadlineExceeded("no answer within the provider's time"));
    }
    any_up = any_up || connection->up();
  }
  if (any_up) last_up_ = now;
  if (now - last_up_ > (ever_up_ ? kUnreachable : plan_.never_reached)) {
    result_.failure =
        Status::Unavailable("cannot reach " + plan_.to.ToString() + ": " + last_trouble_.text());
    Finish();
    return;
  }
  sweep_->Arm(kSweepEvery);
  Pump();  // A run limited by time ends without any answer coming.
}

void LoadRun::FinishIfDone(MonoTime now) {
  if (outstanding_ > 0 || MakingNew(now) || !retries_.empty() || !again_.empty() ||
      !held_back_.empty()) {
    return;
  }
  Finish();
}

void LoadRun::Finish() {
  if (finished_) return;
  finished_ = true;
  const MonoTime now = loop_.clock().Now();
  for (const auto& connection : connections_) {
    if (!connection->outstanding()) continue;
    const Shot& shot = shots_[static_cast<size_t>(connection->index())];
    ++result_.indeterminate;
    ++result_.unexpected;
    LogAnswer(shot, 0, now - shot.due);
  }
  result_.unexpected += static_cast<int64_t>(retries_.size());
  result_.elapsed = now - started_;
  if (log_.kept() && !log_.empty() && result_.failure.ok()) result_.failure = log_.Write();
  loop_.Stop();
}

}  // namespace relay
