#include "relay/catalog_store.h"

#include <charconv>
#include <limits>
#include <unordered_map>
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

const RedisScript& ApplyScript() {
  static const RedisScript kScript = MakeScript("catalog_apply", ScriptHead::kNone);
  return kScript;
}

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

RedisCommand WholeCatalog() {
  return RedisCommand("HMGET").Arg(kCatalogKey).Arg("version").Arg("text").Arg("next_endpoint");
}

// The reply behind `result`; an error of Redis becomes a Status here.
Status Check(const Result<RedisValue>& result) {
  if (!result.ok()) return result.status();
  return result->is_error() ? StatusOfError(*result) : Status::Ok();
}

// The id of the newest entry; empty when there is none.
std::string ChangeId(const RedisValue& reply) {
  if (!reply.is_array() || reply.items.empty() || reply.items[0].items.empty()) return "";
  return reply.items[0].items[0].text;
}

// A number that may be absent, which is `absent`.
uint64_t NumberOr(const RedisValue& value, uint64_t absent) {
  const Result<int64_t> number = NumberOf(value, "catalog");
  return number.ok() ? static_cast<uint64_t>(*number) : absent;
}

using States = std::unordered_map<uint64_t, EndpointRuntimeState>;

Result<States> ParseStates(const RedisValue& reply) {
  Result<std::vector<std::string>> texts = TextsOf(reply, "endpoint states");
  if (!texts.ok()) return texts.status();
  States out;
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

// Gives each endpoint of `desired` the number it has in `base`, or the next free one, and returns
// the numbers that nobody has any more, each with a blank before it.
std::string AssignNumbers(const Catalog& base, Catalog& desired, uint64_t& next_endpoint) {
  std::unordered_map<std::string, uint64_t> numbers;
  for (const Tenant& tenant : base.tenants) {
    for (const Endpoint& endpoint : tenant.endpoints) {
      numbers[tenant.id + "/" + endpoint.id] = endpoint.number;
      // A counter that was lost must not give out what is in use.
      next_endpoint = std::max(next_endpoint, endpoint.number + 1);
    }
  }
  for (Tenant& tenant : desired.tenants) {
    for (Endpoint& endpoint : tenant.endpoints) {
      const auto known = numbers.extract(tenant.id + "/" + endpoint.id);
      endpoint.number = known.empty() ? next_endpoint++ : known.mapped();
    }
  }
  std::string removed;
  for (const auto& [name, number] : numbers) removed += " " + std::to_string(number);
  return removed;
}

}  // namespace

std::vector<const RedisScript*> CatalogScripts() {
  return {&ApplyScript(), &StateScript()};
}

// One reading of Redis: three small questions in one write, then the text if it is a new one.
struct CatalogStore::Reading {
  std::vector<Waiter> waiters;
  std::string run_id;
  std::string change;
  States states;
  Status status;
};

struct CatalogStore::Applying {
  Catalog desired;
  std::optional<uint64_t> expected_version;
  OnApplied on_applied;
  int attempts = 0;
};

CatalogStore::CatalogStore(EventLoop& loop, RedisClient& redis, const SecretBox& box, Log& log)
    : loop_(loop),
      redis_(redis),
      box_(box),
      log_(log),
      snapshot_(std::make_shared<const Catalog>()) {}

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
  if (snapshot_->version >= version) {
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
  reading_->status = Check(reply);
  if (reading_->status.ok()) reading_->change = ChangeId(*reply);
}

void CatalogStore::OnStates(Result<RedisValue> reply) {
  if (!reading_->status.ok()) return;
  reading_->status = Check(reply);
  if (!reading_->status.ok()) return;
  Result<States> states = ParseStates(*reply);
  reading_->status = states.status();
  if (states.ok()) reading_->states = *std::move(states);
}

void CatalogStore::OnVersion(Result<RedisValue> reply) {
  if (reading_->status.ok()) reading_->status = Check(reply);
  if (!reading_->status.ok()) return FinishReading(nullptr);
  const bool known = reading_->run_id == read_run_id_ && NumberOr(*reply, 0) == snapshot_->version;
  if (!known) {
    redis_.Send(WholeCatalog(), scope_,
                [this](Result<RedisValue> text) { OnText(std::move(text)); });
    return;
  }
  if (reading_->states == snapshot_->runtime) return FinishReading(snapshot_);
  auto next = std::make_shared<Catalog>(*snapshot_);
  next->runtime = std::move(reading_->states);
  next->BuildIndex();
  FinishReading(std::move(next));
}

void CatalogStore::OnText(Result<RedisValue> reply) {
  reading_->status = Check(reply);
  if (reading_->status.ok()) reading_->status = ExpectArray(*reply, 3, "catalog");
  if (!reading_->status.ok()) return FinishReading(nullptr);
  auto next = std::make_shared<Catalog>();
  // Nothing was ever applied: an empty catalog of version 0.
  if (!reply->items[1].is_nil()) {
    Result<Catalog> decoded = DecodeCatalog(std::move(reply->items[1].text), &box_);
    reading_->status = decoded.status();
    if (!decoded.ok()) return FinishReading(nullptr);
    *next = *std::move(decoded);
    next->version = NumberOr(reply->items[0], 0);
  }
  next->runtime = std::move(reading_->states);
  FinishReading(std::move(next));
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
  if (swapped) snapshot_ = std::move(next);
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

void CatalogStore::ServeLateWaiters() {
  if (waiters_.empty() || reading_) return;
  std::vector<Waiter> late;
  late.swap(waiters_);
  for (Waiter& waiter : late) {
    if (waiter.version <= snapshot_->version) {
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
  if (!Check(reply).ok() || reading_) return;
  if (ChangeId(*reply) != read_change_) StartReading();
}

// ---- Writing

void CatalogStore::Apply(Catalog desired, std::optional<uint64_t> expected_version,
                         OnApplied on_applied) {
  if (applying_) {
    Later([on_applied = std::move(on_applied)] {
      on_applied(Status::Conflict("another catalog is being applied"));
    });
    return;
  }
  applying_ = std::make_unique<Applying>();
  applying_->desired = std::move(desired);
  applying_->expected_version = expected_version;
  applying_->on_applied = std::move(on_applied);
  ReadBase();
}

void CatalogStore::ReadBase() {
  ++applying_->attempts;
  redis_.Send(WholeCatalog(), scope_,
              [this](Result<RedisValue> reply) { OnBase(std::move(reply)); });
}

void CatalogStore::OnBase(Result<RedisValue> reply) {
  Status status = Check(reply);
  if (status.ok()) status = ExpectArray(*reply, 3, "catalog");
  if (!status.ok()) return FinishApplying(status);
  const uint64_t version = NumberOr(reply->items[0], 0);
  if (applying_->expected_version.value_or(version) != version) {
    return FinishApplying(Status::Conflict("Redis holds version " + std::to_string(version) +
                                           " of the catalog, not " +
                                           std::to_string(*applying_->expected_version)));
  }

  Catalog& desired = applying_->desired;
  Catalog base;
  if (!reply->items[1].is_nil()) {
    const std::string& text = reply->items[1].text;
    Result<Catalog> decoded = DecodeCatalog(text, &box_);
    if (decoded.ok() && SameContent(*decoded, desired)) {
      return FinishApplying(Applied{version, false});
    }
    // Numbers are needed even where the key that opened the secrets is lost.
    if (!decoded.ok()) decoded = DecodeCatalog(text, nullptr);
    if (!decoded.ok()) return FinishApplying(decoded.status());
    base = *std::move(decoded);
  }
  // Number 0 is "none".
  uint64_t next_endpoint = NumberOr(reply->items[2], 1);
  const std::string removed = AssignNumbers(base, desired, next_endpoint);
  const std::vector<std::string> keys = {std::string(kCatalogKey), std::string(kCatalogChangesKey),
                                         std::string(kEndpointStateKey)};
  const std::vector<std::string> args = {std::to_string(version), EncodeCatalog(desired, box_),
                                         std::to_string(next_endpoint), removed};
  redis_.Eval(ApplyScript(), keys, args, scope_,
              [this](Result<RedisValue> written) { OnWritten(std::move(written)); });
}

void CatalogStore::OnWritten(Result<RedisValue> reply) {
  Status status = Check(reply);
  if (status.ok()) status = ExpectArray(*reply, 2, "catalog_apply");
  if (!status.ok()) return FinishApplying(status);
  const uint64_t version = NumberOr(reply->items[1], 0);
  if (reply->items[0].integer == 1) return FinishApplying(Applied{version, true});
  // Somebody else was faster.
  if (!applying_->expected_version && applying_->attempts < kApplyAttemptsMax) return ReadBase();
  FinishApplying(
      Status::Conflict("the catalog was changed meanwhile, to version " + std::to_string(version)));
}

void CatalogStore::FinishApplying(Result<Applied> result) {
  const std::unique_ptr<Applying> applying = std::move(applying_);
  applying->on_applied(std::move(result));
}

void CatalogStore::SetEndpointState(uint64_t number, EndpointChange change,
                                    const std::string& reason, OnState on_state) {
  const std::vector<std::string> keys = {std::string(kEndpointStateKey),
                                         std::string(kCatalogChangesKey)};
  const std::vector<std::string> args = {std::to_string(number), std::string(WordOf(change)),
                                         reason};
  redis_.Eval(StateScript(), keys, args, scope_,
              [on_state = std::move(on_state)](Result<RedisValue> reply) {
                const Status status = Check(reply);
                on_state(status.ok() ? DecodeEndpointState(std::move(reply->text))
                                     : Result<EndpointRuntimeState>(status));
              });
}

}  // namespace relay
