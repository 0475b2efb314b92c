#include "cli/sink.h"

#include <algorithm>
#include <utility>

#include "relay/check.h"
#include "relay/http_status.h"

namespace relay {

namespace {

// A load test keeps thousands of connections to one sink open.
constexpr int kConnectionsMax = 20'000;
constexpr size_t kReceivedBytesMax = 64 * 1024 * 1024;
// 40 bytes each.
constexpr size_t kIdsMax = 2'000'000;

HttpLimits Limits() {
  HttpLimits limits;
  limits.connections_max = kConnectionsMax;
  limits.body_bytes_max = kReceivedBytesMax;
  // The relay closes what it does not use; a sink that closed first would race with its requests.
  limits.idle = Seconds(3600);
  return limits;
}

uint64_t Mix(uint64_t a, uint64_t b) {
  return (a ^ (b + 0x9e3779b97f4a7c15ULL + (a << 6) + (a >> 2))) * 0xbf58476d1ce4e5b9ULL;
}

}  // namespace

Result<std::unique_ptr<Sink>> Sink::Create(SystemLoop& loop, SinkPlan plan, LineLog& log) {
  Result<std::unique_ptr<ReceiptReader>> receipts =
      ReceiptReader::Create(plan.secrets, plan.tencent_keys);
  if (!receipts.ok()) return receipts.status();
  return std::unique_ptr<Sink>(new Sink(loop, std::move(plan), log, std::move(*receipts)));
}

Sink::Sink(SystemLoop& loop, SinkPlan plan, LineLog& log, std::unique_ptr<ReceiptReader> receipts)
    : loop_(loop),
      plan_(std::move(plan)),
      log_(log),
      random_(plan_.seed),
      receipts_(std::move(receipts)),
      delay_(loop.NewTimer([this] { OnDelayOver(); })),
      server_(
          loop, Limits(), [this](HttpExchange exchange) { OnRequest(std::move(exchange)); },
          [](std::string_view, int) {}) {}

Sink::~Sink() = default;

Status Sink::Listen(const SocketAddress& address) {
  return server_.ListenExclusively(address);
}

// ---- One request

void Sink::OnRequest(HttpExchange exchange) {
  const HttpRequest& request = exchange.request();
  if (request.method != "POST") {
    std::string body;
    JsonLine(body)
        .Number("received", tally_.received)
        .Number("accepted", tally_.accepted)
        .Number("distinct_ids", tally_.distinct_ids)
        .Number("bad_signatures", tally_.bad_signatures);
    HttpAnswer answer;
    answer.body = body;
    exchange.Answer(answer);
    return;
  }
  const std::string_view webhook_id = request.Header("webhook-id");
  const WallTime now = loop_.clock().WallNow();
  const ReceiptReader::Signature signature = receipts_->Read(request, now);
  const int status = PickStatus(request, webhook_id);

  ++tally_.received;
  if (IsSuccess(status)) ++tally_.accepted;
  if (status == 0) ++tally_.hung;
  if (signature == ReceiptReader::Signature::kBad) ++tally_.bad_signatures;
  if (!webhook_id.empty() && ids_.size() < kIdsMax) {
    ids_.insert(std::hash<std::string_view>()(webhook_id));
    tally_.distinct_ids = static_cast<int64_t>(ids_.size());
  }
  if (log_.kept()) receipts_->AppendLine(request, status, now, log_.lines());
  if (status == 0) {
    KeepHanging(std::move(exchange));
  } else {
    this_turn_.push_back(Pending{loop_.clock().Now() + plan_.delay, std::move(exchange), status});
  }
  loop_.AtTurnEnd(*this, Phase::kBatch);
}

bool Sink::KnownPath(std::string_view path) const {
  if (plan_.paths == 0) return true;
  const int64_t number = NumberOr(path.substr(path.rfind('/') + 1), 0);
  return number >= 1 && number <= plan_.paths;
}

int Sink::PickStatus(const HttpRequest& request, std::string_view webhook_id) {
  if (!KnownPath(request.path)) return 404;
  if (plan_.hang > 0 && random_.Unit() < plan_.hang) return 0;
  if (plan_.fail > 0 && random_.Unit() < plan_.fail) return 500;
  if (plan_.fail_first > 0 && failed_so_far_.size() < kIdsMax) {
    const std::hash<std::string_view> hash;
    const uint64_t delivery = Mix(hash(webhook_id), hash(request.path));
    int& failed = failed_so_far_[delivery];
    if (failed < plan_.fail_first) {
      ++failed;
      return 500;
    }
  }
  return plan_.status;
}

// ---- Answers

void Sink::OnTurnEnd() {
  if (const Status written = log_.Write(); !written.ok()) {
    failure_ = written;
    // Unanswered, they count as not received, which is what the log says too.
    this_turn_.clear();
    loop_.Stop();
    return;
  }
  for (Pending& pending : this_turn_) {
    if (plan_.delay == Micros(0)) {
      AnswerNow(pending);
    } else {
      delayed_.push_back(std::move(pending));
    }
  }
  this_turn_.clear();
  if (!delayed_.empty() && !delay_->armed()) {
    delay_->Arm(delayed_.front().due - loop_.clock().Now());
  }
}

void Sink::OnDelayOver() {
  const MonoTime now = loop_.clock().Now();
  while (!delayed_.empty() && delayed_.front().due <= now) {
    AnswerNow(delayed_.front());
    delayed_.pop_front();
  }
  if (!delayed_.empty()) delay_->Arm(delayed_.front().due - now);
}

void Sink::AnswerNow(Pending& pending) {
  if (!pending.exchange.open()) return;
  HttpAnswer answer;
  answer.status = pending.status;
  answer.body = IsSuccess(pending.status) ? R"({"code":0})" : R"({"code":1})";
  pending.exchange.Answer(answer);
}

void Sink::KeepHanging(HttpExchange exchange) {
  if (hanging_.size() >= hanging_sweep_at_) {
    std::erase_if(hanging_, [](const HttpExchange& held) { return !held.open(); });
    hanging_sweep_at_ = std::max(kHangingSweepMin, hanging_.size() * 2);
  }
  hanging_.push_back(std::move(exchange));
}

}  // namespace relay
