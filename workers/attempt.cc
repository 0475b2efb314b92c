#include "workers/attempt.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "relay/http_status.h"
#include "relay/json_object.h"
#include "workers/delivery_headers.h"
#include "workers/formats/delivery_bodies.h"
#include "workers/prepared_endpoint.h"
#include "workers/retry_after.h"

namespace relay {
namespace {

// The answer of a receiver that was written for Tencent: {"code":0} among whatever else.
bool SaysCodeZero(JsonObject& object, std::string_view answer) {
  if (!object.Parse(answer).ok()) return false;
  const JsonMember* code = object.Find("code");
  return code && code->kind == JsonKind::kNumber && code->raw == "0";
}

// Of a look-up that gave nothing to connect to.
AttemptOutcome OutcomeOfLookup(LookupResult::Kind kind) {
  return kind == LookupResult::Kind::kBlocked ? AttemptOutcome::kBlocked
                                              : AttemptOutcome::kUnreachable;
}

AttemptOutcome OutcomeWithoutAnswer(HttpError error) {
  switch (error) {
    case HttpError::kTimedOut:
      return AttemptOutcome::kTimedOut;
    case HttpError::kTlsFailed:
      return AttemptOutcome::kTlsFailed;
    case HttpError::kTooLarge:
      return AttemptOutcome::kTooLarge;
    case HttpError::kUnreachable:
    case HttpError::kNone:
      break;
  }
  return AttemptOutcome::kUnreachable;
}

AttemptOutcome OutcomeOfSuccess(const Endpoint& endpoint, const HttpReply& reply,
                                JsonObject& object) {
  // The status has been given: what becomes of the body afterwards changes nothing.
  if (endpoint.ack == AckRule::kStatus) return AttemptOutcome::kAccepted;
  if (reply.answer_whole && SaysCodeZero(object, reply.answer)) return AttemptOutcome::kAccepted;
  return reply.error == HttpError::kTimedOut ? AttemptOutcome::kTimedOut
                                             : AttemptOutcome::kAckMissing;
}

AttemptOutcome OutcomeOf(const Endpoint& endpoint, const HttpReply& reply, JsonObject& object) {
  const int status = reply.status;
  if (status == 0) return OutcomeWithoutAnswer(reply.error);
  if (IsSuccess(status)) return OutcomeOfSuccess(endpoint, reply, object);
  if (status == 410) return AttemptOutcome::kGone;
  if (IsFinalStatus(endpoint, status)) return AttemptOutcome::kFinalStatus;
  if (status == 429 || status == 503) return AttemptOutcome::kOverloaded;
  return AttemptOutcome::kRejected;
}

}  // namespace

bool HasTooManyHops(const Event& event) {
  return HopsBehind(event) > kHopsMax;
}

class Attempts::Impl {
 public:
  Impl(EventLoop& l, HttpClient& h, Resolver& r, const AddressGuard& g, const Settings::Delivery& s,
       Random& rnd)
      : loop(l), http(h), resolver(r), settings(s), random(rnd), endpoints(g) {}

  EventLoop& loop;
  HttpClient& http;
  Resolver& resolver;
  const Settings::Delivery settings;
  Random& random;
  PreparedEndpoints endpoints;
  DeliveryBodies bodies;
  JsonObject answer_object;
};

// One attempt: the name is looked up, unless the URL holds an address or the answer is at hand,
// then the request goes out. The endpoint's timeout runs over both.
class Attempts::Running final : public Attempt {
 public:
  Running(Impl& impl, AttemptRequest request, Done done);
  void Begin();

 private:
  enum class State { kNew, kResolving, kSending, kRefused, kFinished };

  void OnResolved(const LookupResult& result);
  void OnDeadline();
  void OnReply(HttpReply reply);
  void Send(const IpAddress& address);
  void FinishLater(AttemptOutcome outcome, std::string why);
  void FinishWithoutAnswer(AttemptOutcome outcome, std::string why);
  void Finish(AttemptResult result);
  Millis TimeLeft() const;
  std::string_view MakeBody();
  std::string MakeHeaders(std::string_view body);

  Impl& impl_;
  const AttemptRequest request_;
  Done done_;
  const MonoTime started_;
  Micros dns_{0};  // Until there was an address.
  std::shared_ptr<const PreparedEndpoint> prepared_;
  State state_ = State::kNew;
  FormattedBody formatted_;          // Of an endpoint whose format is not raw.
  std::unique_ptr<Timer> deadline_;  // While the name is looked up; then the HTTP client has it.
  std::unique_ptr<HttpCall> call_;
  CallScope scope_;
};

Attempts::Running::Running(Impl& impl, AttemptRequest request, Done done)
    : impl_(impl),
      request_(std::move(request)),
      done_(std::move(done)),
      started_(impl.loop.clock().Now()),
      prepared_(impl.endpoints.Get(request_.catalog, *request_.tenant, *request_.endpoint)) {}

void Attempts::Running::Begin() {
  // Met here too, and not only where an event is first matched: a loop may have been redriven.
  if (HasTooManyHops(*request_.event)) {
    return FinishLater(AttemptOutcome::kLoop, "has passed through too many relays");
  }
  if (!prepared_->why_refused.empty()) {
    return FinishLater(AttemptOutcome::kBlocked, prepared_->why_refused);
  }
  if (prepared_->address) return Send(*prepared_->address);
  state_ = State::kResolving;
  const std::string& host = prepared_->route->url.host;
  if (const LookupResult* known = impl_.resolver.Cached(host)) {
    if (known->kind == LookupResult::Kind::kVetted) return OnResolved(*known);
    return FinishLater(OutcomeOfLookup(known->kind), known->why);
  }
  deadline_ = impl_.loop.NewTimer([this] { OnDeadline(); });
  deadline_->Arm(TimeLeft());
  impl_.resolver.Resolve(host, scope_, [this](const LookupResult& result) { OnResolved(result); });
}

void Attempts::Running::OnResolved(const LookupResult& result) {
  RELAY_CHECK(state_ == State::kResolving);
  deadline_.reset();
  dns_ = impl_.loop.clock().Now() - started_;
  if (result.kind != LookupResult::Kind::kVetted) {
    return FinishWithoutAnswer(OutcomeOfLookup(result.kind), result.why);
  }
  // The next attempt tries the next address: one dead server of several costs one attempt.
  RELAY_CHECK(!result.addresses.empty());
  Send(result.addresses[size_t(request_.attempts_made) % result.addresses.size()]);
}

void Attempts::Running::OnDeadline() {
  RELAY_CHECK(state_ == State::kResolving);
  scope_.CancelAll();  // So no OnResolved() can follow.
  dns_ = impl_.loop.clock().Now() - started_;
  FinishWithoutAnswer(AttemptOutcome::kTimedOut, "the look-up took too long");
}

void Attempts::Running::Send(const IpAddress& address) {
  RELAY_CHECK(state_ == State::kNew || state_ == State::kResolving);
  state_ = State::kSending;
  HttpPost post;
  post.route = prepared_->route;
  post.address = address;
  post.body = MakeBody();
  post.headers = MakeHeaders(post.body);
  post.timeout = TimeLeft();
  // Whether a receiver says {"code":0} can only be told from its whole answer.
  post.answer_kept = size_t(request_.endpoint->ack == AckRule::kCode0 ? impl_.settings.answer_max
                                                                      : impl_.settings.answer_kept);
  call_ = impl_.http.Post(std::move(post), [this](HttpReply reply) { OnReply(std::move(reply)); });
}

void Attempts::Running::OnReply(HttpReply reply) {
  RELAY_CHECK(state_ == State::kSending);
  AttemptResult result;
  result.outcome = OutcomeOf(*request_.endpoint, reply, impl_.answer_object);
  result.status = reply.status;
  if (result.outcome == AttemptOutcome::kOverloaded) {
    result.retry_after = ParseRetryAfter(reply.retry_after, impl_.loop.clock().WallNow());
  }
  result.times.connect = reply.connect;
  result.times.tls = reply.tls;
  result.times.first_byte = reply.first_byte;
  result.answer = std::move(reply.answer);
  result.answer_cut = result.status != 0 && !reply.answer_whole;
  if (result.answer.size() > size_t(impl_.settings.answer_kept)) {
    result.answer.resize(size_t(impl_.settings.answer_kept));
    result.answer_cut = true;
  }
  result.connection_reused = reply.connection_reused;
  Finish(std::move(result));
}

void Attempts::Running::FinishLater(AttemptOutcome outcome, std::string why) {
  state_ = State::kRefused;
  impl_.loop.Post([this, outcome, why = std::move(why), watch = scope_.watch()] {
    if (!watch.gone()) FinishWithoutAnswer(outcome, why);
  });
}

void Attempts::Running::FinishWithoutAnswer(AttemptOutcome outcome, std::string why) {
  AttemptResult result;
  result.outcome = outcome;
  result.why = std::move(why);
  Finish(std::move(result));
}

void Attempts::Running::Finish(AttemptResult result) {
  RELAY_CHECK(state_ != State::kFinished);
  state_ = State::kFinished;
  result.latency = impl_.loop.clock().Now() - started_;
  result.times.dns = dns_;
  result.times.total = result.latency;
  // Our owner may let go of us inside `done`, so nothing may follow this line.
  std::exchange(done_, nullptr)(std::move(result));
}

// The endpoint's timeout, within the limit of all, less what has gone by.
Millis Attempts::Running::TimeLeft() const {
  const Millis timeout = std::min(request_.endpoint->timeout, impl_.settings.timeout);
  const auto gone_by = std::chrono::duration_cast<Millis>(impl_.loop.clock().Now() - started_);
  return std::max(timeout - gone_by, Millis(1));
}

std::string_view Attempts::Running::MakeBody() {
  const Event& event = *request_.event;
  if (request_.endpoint->format == DeliveryFormat::kRaw) return event.body;
  FormatInput input{.event = event, .endpoint = *request_.endpoint};
  input.source = request_.catalog->FindSource(event.source);
  input.now = impl_.loop.clock().WallNow();
  input.stream_verdict = request_.stream_verdict;
  input.room = request_.room.get();
  impl_.bodies.Make(input, formatted_);
  return formatted_.is_own ? std::string_view(formatted_.own_body) : event.body;
}

std::string Attempts::Running::MakeHeaders(std::string_view body) {
  const Event& event = *request_.event;
  const int64_t now_s = SecondsSinceEpoch(impl_.loop.clock().WallNow());
  std::string headers;
  headers.reserve(512);
  AppendHeader("webhook-id", event.id, headers);
  AppendHeader("webhook-timestamp", std::to_string(now_s), headers);
  if (prepared_->signer) {
    std::string signature;
    prepared_->signer->AppendSignature(event.id, now_s, body, signature);
    AppendHeader("webhook-signature", signature, headers);
  }
  AppendHeader("relay-attempt", std::to_string(request_.attempts_made + 1), headers);
  AppendHeader("relay-sequence", request_.entry_id, headers);
  AppendHeader("relay-hops", std::to_string(HopsBehind(event) + 1), headers);
  if (!request_.stream_verdict.empty()) {
    AppendHeader("relay-stream", request_.stream_verdict, headers);
  }
  if (!prepared_->sets_traceparent) {
    AppendHeader("traceparent", MakeTraceparent(event, impl_.random), headers);
  }
  if (!prepared_->sets_content_type) {
    std::string_view type = formatted_.content_type;
    if (type.empty()) type = KeptHeader(event, "content-type");
    AppendHeader("content-type", type.empty() ? "application/json" : type, headers);
  }
  headers += formatted_.headers;
  return headers;
}

Attempts::Attempts(EventLoop& loop, HttpClient& http, Resolver& resolver, const AddressGuard& guard,
                   const Settings::Delivery& settings, Random& random)
    : impl_(std::make_unique<Impl>(loop, http, resolver, guard, settings, random)) {}
Attempts::~Attempts() = default;

std::unique_ptr<Attempt> Attempts::Start(AttemptRequest request, Done done) {
  RELAY_CHECK(request.catalog && request.tenant && request.endpoint && request.event);
  auto running = std::make_unique<Running>(*impl_, std::move(request), std::move(done));
  running->Begin();
  return running;
}

}  // namespace relay
