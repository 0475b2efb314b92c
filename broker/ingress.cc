#include "broker/ingress.h"

#include <array>
#include <chrono>
#include <utility>

#include "relay/check.h"

namespace relay {
namespace {

constexpr std::string_view kPathPrefix = "/in/";
// Where a path names no source. No id of the catalog looks like it.
constexpr std::string_view kNoSource = "-";

// A provider that retries faster than this finds what it found.
constexpr Seconds kNotReadyRetryAfter{5};
constexpr Seconds kStoreRetryAfter{2};
constexpr Seconds kSlowRetryAfter{1};

constexpr std::array<std::string_view, 4> kKeptHeaders = {"content-type", "traceparent",
                                                          "tracestate", "relay-hops"};

bool IsSaneHeaderValue(std::string_view value) {
  for (const char c : value) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F) return false;
  }
  return !value.empty();
}

}  // namespace

void KeepHeaders(const HttpRequest& request, std::string& kept) {
  kept.clear();
  for (const std::string_view name : kKeptHeaders) {
    const std::string_view value = request.Header(name);
    if (!IsSaneHeaderValue(value)) continue;
    if (kept.size() + name.size() + value.size() + 3 > kKeptHeadersMax) continue;
    kept.append(name).append(": ").append(value).append("\n");
  }
}

struct Ingress::SourceState {
  const Source* source;
  std::unique_ptr<Provider> provider;  // Null: the catalog was written by a newer version.
  Counter* accepted;
  Counter* unrouted;
};

// A request whose event is on its way to Redis.
struct Ingress::Waiting {
  bool open = false;
  bool unrouted = false;
  size_t bytes = 0;
  MonoTime arrived;
  std::string source;  // Its id: the snapshot may have changed when the outcome comes.
  Counter* counter = nullptr;
  // As the provider wants it, whatever the source may have become since.
  int answer_status = 200;
  std::string answer_body;
};

struct Ingress::Refusal {
  int status = 400;
  std::string_view reason;
  std::string_view detail;
  Seconds retry_after{0};  // Zero: not said.
};

Ingress::Ingress(EventLoop& loop, std::vector<RedisClient*> store_clients, int partitions,
                 Admission& admission, HeldQuota& held_quota, RefusalLog& refusals,
                 Metrics& metrics, OnAnswer on_answer)
    : loop_(loop),
      admission_(admission),
      held_quota_(held_quota),
      refusals_(refusals),
      metrics_(metrics),
      on_answer_(std::move(on_answer)),
      ack_seconds_(metrics.GetHistogram("relay_ack_seconds",
                                        "From a callback's first byte to its acknowledgement")),
      publisher_(loop, std::move(store_clients), partitions, admission.store_wait_max(), metrics,
                 [this](Ticket ticket, StoreOutcome outcome) { OnOutcome(ticket, outcome); }) {}

Ingress::~Ingress() = default;

void Ingress::SetCatalog(CatalogPtr catalog) {
  std::vector<SourceState> sources;
  for (const Source& source : catalog->sources()) {
    const Labels labels = {{"source", source.id}};
    sources.push_back(
        {&source, TakeProvider(source),
         &metrics_.GetCounter("relay_accepted_total", "Callbacks stored and acknowledged", labels),
         &metrics_.GetCounter("relay_unrouted_total",
                              "Authentic callbacks that belonged to no tenant", labels)});
  }
  sources_ = std::move(sources);
  held_quota_.SetCatalog(catalog);
  router_ = std::make_unique<TenantRouter>(std::move(catalog));
}

// A source that stays what it was keeps its verifier, with its keyed states and buffers.
std::unique_ptr<Provider> Ingress::TakeProvider(const Source& source) {
  const Source* held = router_ == nullptr ? nullptr : router_->catalog()->FindSource(source.id);
  if (held == nullptr || *held != source) return MakeProvider(source);
  return std::move(sources_[held - router_->catalog()->sources().data()].provider);
}

std::optional<HttpAnswer> Ingress::Take(Ticket ticket, const HttpRequest& request,
                                        const PeerName& peer) {
  if (!request.path.starts_with(kPathPrefix)) {
    return Refuse(kNoSource, {404, "not_found", "the path is not /in/<source path>"}, peer());
  }
  if (!ready_ || router_ == nullptr) {
    return Refuse(kNoSource, {503, "not_ready", "see /readyz", kNotReadyRetryAfter}, peer());
  }
  const Source* found =
      router_->catalog()->FindSourceByPath(request.path.substr(kPathPrefix.size()));
  if (found == nullptr) {
    return Refuse(kNoSource, {404, "unknown_source", "no source has this path"}, peer());
  }
  SourceState& source = sources_[found - router_->catalog()->sources().data()];
  const std::optional<Refusal> refusal = TakeFor(source, ticket, request);
  if (!refusal) return std::nullopt;
  return Refuse(found->id, *refusal, peer());
}

std::optional<Ingress::Refusal> Ingress::TakeFor(SourceState& source, Ticket ticket,
                                                 const HttpRequest& request) {
  if (request.method != "POST") return Refusal{405, "method", "callbacks come by POST"};
  if (source.provider == nullptr) {
    return Refusal{503, "unknown_provider", "this version does not know the source's provider",
                   kNotReadyRetryAfter};
  }
  if (const auto busy = admission_.RefuseRequest(request.body.size())) {
    return Refusal{busy->status, busy->reason, "over a limit of the broker", busy->retry_after};
  }
  const WallTime now = loop_.clock().WallNow();
  const Verdict verdict = source.provider->Verify(request, *source.source, now, facts_);
  switch (verdict.authenticity) {
    case Authenticity::kAuthentic:
      return Store(source, ticket, request);
    case Authenticity::kExpired:
      return Refusal{403, "expired", verdict.why};
    case Authenticity::kForged:
      return Refusal{403, "forged", verdict.why};
    case Authenticity::kUnsigned:
      return Refusal{403, "unsigned", verdict.why};
    case Authenticity::kMalformed:
      break;
  }
  return Refusal{400, "malformed", verdict.why};
}

std::optional<Ingress::Refusal> Ingress::Store(SourceState& source, Ticket ticket,
                                               const HttpRequest& request) {
  const Tenant* tenant = router_->Route(*source.source, facts_.route);
  if (tenant == nullptr && !source.source->keep_unroutable) {
    return Refusal{503, "unroutable", "the callback belongs to no tenant", kStoreRetryAfter};
  }
  if (tenant != nullptr) {
    held_quota_.NoteActive(*tenant);
    if (const auto over = admission_.RefuseTenant(*tenant)) {
      return Refusal{over->status, over->reason, "over a limit of the tenant", over->retry_after};
    }
  }
  FillEvent(*source.source, request);
  event_.tenant = tenant == nullptr ? std::string_view() : std::string_view(tenant->id);
  if (publisher_.Full(event_)) {
    return Refusal{503, "redis_slow", "Redis is behind with storing", kSlowRetryAfter};
  }

  if (ticket >= waiting_.size()) waiting_.resize(ticket + 1);
  Waiting& waiting = waiting_[ticket];
  RELAY_CHECK(!waiting.open);
  waiting.open = true;
  waiting.bytes = request.body.size();
  waiting.arrived = request.arrived;
  waiting.source = source.source->id;
  waiting.counter = tenant == nullptr ? source.unrouted : source.accepted;
  const Acknowledgement acknowledgement = source.provider->acknowledgement();
  waiting.answer_status = acknowledgement.status;
  waiting.answer_body = acknowledgement.body;
  admission_.Begin(waiting.bytes);
  if (tenant == nullptr) {
    publisher_.PublishUnrouted(event_, facts_.route, ticket);
  } else {
    publisher_.Publish(event_, ticket);
  }
  return std::nullopt;
}

void Ingress::FillEvent(const Source& source, const HttpRequest& request) {
  DeriveEventId(source.id, facts_.dedupe_key, event_.id);
  event_.source = source.id;
  event_.type = facts_.type;
  event_.ordering_key = facts_.ordering_key;
  KeepHeaders(request, event_.headers);
  event_.body = request.body;
  event_.catalog_version = router_->catalog()->version();
  event_.accepted_us = MicrosSinceEpoch(loop_.clock().WallNow());
  event_.window_ms = source.window.count();
}

void Ingress::OnOutcome(Ticket ticket, StoreOutcome outcome) {
  RELAY_CHECK(ticket < waiting_.size() && waiting_[ticket].open);
  Waiting& waiting = waiting_[ticket];
  waiting.open = false;
  admission_.End(waiting.bytes);
  if (outcome == StoreOutcome::kStored) {
    waiting.counter->Increment();
    const std::chrono::duration<double> took = loop_.clock().Now() - waiting.arrived;
    ack_seconds_.Observe(took.count());
    HttpAnswer answer;
    answer.status = waiting.answer_status;
    answer.body = waiting.answer_body;
    on_answer_(ticket, answer);
    return;
  }
  // Whether it was stored may be unknown. The provider sends again, and the repeat has the same
  // event id.
  on_answer_(ticket,
             Refuse(waiting.source,
                    {503, StoreOutcomeName(outcome), "Redis did not store it", kStoreRetryAfter},
                    kNoSource));
}

HttpAnswer Ingress::Refuse(std::string_view source, const Refusal& refusal, std::string_view peer) {
  const std::pair<std::string, std::string> key(source, refusal.reason);
  Counter*& counter = refused_[key];
  if (counter == nullptr) {
    counter = &metrics_.GetCounter("relay_refused_total", "Requests that were not acknowledged",
                                   {{"source", key.first}, {"reason", key.second}});
  }
  counter->Increment();
  refusals_.Note(source, refusal.reason, refusal.detail, refusal.status, peer);

  answer_body_ = "{\"code\":" + std::to_string(refusal.status) + ",\"error\":\"";
  answer_body_.append(refusal.reason).append("\"}");
  answer_headers_.clear();
  if (refusal.status == 405) answer_headers_ = "Allow: POST\r\n";
  if (refusal.retry_after > Seconds(0)) {
    answer_headers_ = "Retry-After: " + std::to_string(refusal.retry_after.count()) + "\r\n";
  }
  HttpAnswer answer;
  answer.status = refusal.status;
  answer.body = answer_body_;
  answer.extra_headers = answer_headers_;
  return answer;
}

void Ingress::NoteServerRefusal(std::string_view reason, int status) {
  // The server has answered already; only the count and the record are ours.
  static_cast<void>(Refuse(kNoSource, {status, reason, "refused by the HTTP server"}, kNoSource));
}

}  // namespace relay
