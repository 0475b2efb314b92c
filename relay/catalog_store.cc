#include "relay/catalog_store.h"

#include <charconv>
#include <limits>
#include <utility>

#include "relay/catalog_json.h"
#include "relay/redis_scripts.h"
#include "relay/script_keys.h"
#include "relay/script_reply.h"
#include "relay/stream_layout.h"

namespace relay {

namespace {

// A waiter that wants whatever is newest, not a version.
constexpr uint64_t kNewest = std::numeric_limits<uint64_t>::max();

const RedisScript& StateScript() {
  static const RedisScript kScript = MakeScript("endpoint_state", ScriptHead::kNone);
  return kScript;
}

std::string_view WordOf(EndpointChange change) {
  switch (change) {
    case EndpointChange::kPause:
      return "pause";
    case EndpointChange::kResume:
      return "resume";
    case EndpointChange::kDisable:
      return "disable";
    case EndpointChange::kEnable:
      return "enable";
  }
  return "";
}

RedisCommand NewestChange() {
  return RedisCommand("XREVRANGE").Arg(kCatalogChangesKey).Arg("+").Arg("-").Arg("COUNT").Arg("1");
}

// The id of the newest entry; empty when there is none.
std::string ChangeId(const RedisValue& reply) {
  if (!reply.is_array() || reply.items.empty() || reply.items[0].items.empty()) return "";
  return reply.items[0].items[0].text;
}

Result<EndpointRuntimeStates> ParseStates(const RedisValue& reply) {
  Result<std::vector<std::string>> texts = TextsOf(reply, "endpoint states");
  if (!texts.ok()) return texts.status();
  EndpointRuntimeStates out;
  for (size_t i = 0; i + 1 < texts->size(); i += 2) {
    uint64_t number = 0;
    const std::string& digits = (*texts)[i];
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    Result<EndpointRuntimeState> state = DecodeEndpointState(std::move((*texts)[i + 1]));
    if (!state.ok()) return state.status();
    out[number] = *std::move(state);
  }
  return out;
}

}  // namespace

std::vector<const RedisScript*> CatalogScripts() {
  std::vector<const RedisScript*> scripts = CatalogWriterScripts();
  scripts.push_back(&StateScript());
  return scripts;
}

// One reading of Redis: three small questions in one write, then the catalog if it is a new one.
struct CatalogStore::Reading {
  std::vector<Waiter> waiters;
  std::string run_id;
  std::string change;
  EndpointRuntimeStates states;
  Status status;
};

CatalogStore::CatalogStore(EventLoop& loop, RedisClient& redis, const SecretBox& box, Log& log)
    : loop_(loop),
      redis_(redis),
      log_(log),
      snapshot_(std::make_shared<const CatalogSnapshot>()),
      reader_(redis, box),
      writer_(redis, box),
      retire_timer_(loop.NewTimer([this] { ForgetOneRetired(); })) {}

CatalogStore::~CatalogStore() = default;

void CatalogStore::Later(std::function<void()> call) {
  loop_.Post([watch = scope_.watch(), call = std::move(call)] {
    if (!watch.gone()) call();
  });
}

// ---- Reading

void CatalogStore::Load(OnCatalog on_catalog) {
  waiters_.push_back({kNewest, std::move(on_catalog)});
  if (!reading_) StartReading();
}

void CatalogStore::EnsureVersion(uint64_t version, OnCatalog on_catalog) {
  if (snapshot_->version() >= version) {
    Later([held = snapshot_, on_catalog = std::move(on_catalog)] { on_catalog(held); });
    return;
  }
  // A reading that is under way may have begun before that version was written; it is looked at
  // when it ends, and another one follows if need be.
  waiters_.push_back({version, std::move(on_catalog)});
  if (!reading_) StartReading();
}

void CatalogStore::StartReading() {
  reading_ = std::make_unique<Reading>();
  reading_->waiters.swap(waiters_);
  reading_->run_id = redis_.run_id();
  // The newest change first: what changes after this answer is announced behind it, and the next
  // poll sees that.
  redis_.Send(NewestChange(), scope_,
              [this](Result<RedisValue> reply) { OnNewestChange(std::move(reply)); });
  redis_.Send(RedisCommand("HGETALL").Arg(kEndpointStateKey), scope_,
              [this](Result<RedisValue> reply) { OnStates(std::move(reply)); });
  redis_.Send(RedisCommand("HGET").Arg(kCatalogKey).Arg("version"), scope_,
              [this](Result<RedisValue> reply) { OnVersion(std::move(reply)); });
}

void CatalogStore::OnNewestChange(Result<RedisValue> reply) {
  reading_->status = StatusOfReply(reply);
  if (reading_->status.ok()) reading_->change = ChangeId(*reply);
}

void CatalogStore::OnStates(Result<RedisValue> reply) {
  if (!reading_->status.ok()) return;
  reading_->status = StatusOfReply(reply);
  if (!reading_->status.ok()) return;
  Result<EndpointRuntimeStates> states = ParseStates(*reply);
  reading_->status = states.status();
  if (states.ok()) reading_->states = *std::move(states);
}

void CatalogStore::OnVersion(Result<RedisValue> reply) {
  if (reading_->status.ok()) reading_->status = StatusOfReply(reply);
  if (!reading_->status.ok()) return FinishReading(nullptr);
  const bool known =
      reading_->run_id == read_run_id_ && NumberOr(*reply, 0) == snapshot_->version();
  if (!known) {
    reader_.Read(snapshot_, CatalogReader::Secrets::kOpen,
                 [this](Result<CatalogReader::Reading> read) { OnCatalogRead(std::move(read)); });
    return;
  }
  if (reading_->states == snapshot_->runtime()) return FinishReading(snapshot_);
  auto next = std::make_shared<CatalogSnapshot>(*snapshot_);
  next->SetRuntime(std::move(reading_->states));
  FinishReading(std::move(next));
}

void CatalogStore::OnCatalogRead(Result<CatalogReader::Reading> read) {
  reading_->status = read.status();
  if (!read.ok()) return FinishReading(nullptr);
  read->catalog->SetRuntime(std::move(reading_->states));
  FinishReading(std::move(read->catalog));
}

void CatalogStore::FinishReading(CatalogPtr next) {
  const std::unique_ptr<Reading> reading = std::move(reading_);
  const Status& status = reading->status;
  if (status.code() != StatusCode::kUnavailable && status.code() != StatusCode::kDeadlineExceeded) {
    // Good or bad, it will not read otherwise before something changes.
    read_change_ = reading->change;
    read_run_id_ = reading->run_id;
    ComplainOnce(status);
  }
  const bool swapped = next && next != snapshot_;
  if (swapped) Retire(std::exchange(snapshot_, std::move(next)));
  const Result<CatalogPtr> result =
      status.ok() ? Result<CatalogPtr>(snapshot_) : Result<CatalogPtr>(status);

  // Whoever is called may destroy the store.
  const CallScope::Watch watch = scope_.watch();
  if (swapped && on_snapshot_) {
    const OnSnapshot tell = on_snapshot_;
    tell(snapshot_);
  }
  for (const Waiter& waiter : reading->waiters) {
    if (watch.gone()) return;
    waiter.on_catalog(result);
  }
  if (!watch.gone()) ServeLateWaiters();
}

// Forgets the parts of an old snapshot that no newer one shares, one a turn: to free 100,000
// tenants takes longer than a callback may wait.
void CatalogStore::Retire(const CatalogPtr& old) {
  const bool idle = retired_.empty();
  for (int part = 0; part < kCatalogParts; ++part) {
    if (old->part(part) && old->part(part) != snapshot_->part(part)) {
      retired_.push_back(old->part(part));
    }
  }
  if (idle && !retired_.empty()) retire_timer_->Arm(Micros(0));
}

void CatalogStore::ForgetOneRetired() {
  retired_.pop_back();
  // By a timer, because what is posted may still run in the same turn.
  if (!retired_.empty()) retire_timer_->Arm(Micros(0));
}

void CatalogStore::ServeLateWaiters() {
  if (waiters_.empty() || reading_) return;
  std::vector<Waiter> late;
  late.swap(waiters_);
  for (Waiter& waiter : late) {
    if (waiter.version <= snapshot_->version()) {
      Later([held = snapshot_, call = std::move(waiter.on_catalog)] { call(held); });
    } else {
      waiters_.push_back(std::move(waiter));
    }
  }
  if (!waiters_.empty()) StartReading();
}

void CatalogStore::ComplainOnce(const Status& status) {
  const std::string text = status.ok() ? "" : status.text();
  if (text == complained_) return;
  complained_ = text;
  if (text.empty()) {
    log_.Info("catalog_readable", "the catalog can be read again");
  } else {
    log_.Error("catalog_unreadable", "the catalog in Redis cannot be used; the last one stays",
               {{"reason", text}});
  }
}

// ---- Watching

void CatalogStore::Watch(OnSnapshot on_snapshot) {
  on_snapshot_ = std::move(on_snapshot);
  poll_timer_ = loop_.NewTimer([this] { Poll(); });
  poll_timer_->Arm(Micros(0));
  redis_.WatchState(scope_, [this] { poll_timer_->Arm(Micros(0)); });
}

void CatalogStore::Poll() {
  poll_timer_->Arm(kPollInterval);
  if (!redis_.up() || polling_ || reading_) return;
  if (redis_.run_id() != read_run_id_) return StartReading();
  polling_ = true;
  redis_.Send(NewestChange(), scope_,
              [this](Result<RedisValue> reply) { OnPolled(std::move(reply)); });
}

void CatalogStore::OnPolled(Result<RedisValue> reply) {
  polling_ = false;
  if (!StatusOfReply(reply).ok() || reading_) return;
  if (ChangeId(*reply) != read_change_) StartReading();
}

// ---- Writing

void CatalogStore::Apply(Catalog desired, std::optional<uint64_t> expected_version,
                         OnApplied on_applied) {
  if (writer_.busy()) {
    Later([on_applied = std::move(on_applied)] {
      on_applied(Status::Conflict("another catalog is being applied"));
    });
    return;
  }
  writer_.Write(std::move(desired), expected_version, snapshot_, std::move(on_applied));
}

void CatalogStore::SetEndpointState(uint64_t number, EndpointChange change,
                                    const std::string& reason, OnState on_state) {
  const std::vector<std::string> keys = {std::string(kEndpointStateKey),
                                         std::string(kCatalogChangesKey), LaneKey(number)};
  const std::vector<std::string> args = {std::to_string(number), std::string(WordOf(change)),
                                         reason};
  redis_.Eval(StateScript(), keys, args, scope_,
              [on_state = std::move(on_state)](Result<RedisValue> reply) {
                const Status status = StatusOfReply(reply);
                on_state(status.ok() ? DecodeEndpointState(std::move(reply->text))
                                     : Result<EndpointRuntimeState>(status));
              });
}

}  // namespace relay
