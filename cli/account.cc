#include "cli/account.h"

#include <algorithm>
#include <charconv>
#include <functional>
#include <optional>

#include "relay/http_status.h"

namespace relay {

namespace {

constexpr int64_t kLateUs = 2'000'000;
// Two processes' stamps of one moment: each takes its own at its own turn of the loop.
constexpr int64_t kStampSlackUs = 20'000;
// A first receipt later than this after its acknowledgement is not the usual speed.
constexpr int64_t kSlowUs = 1'000'000;
// The longest silence of an endpoint that still counts as being well.
constexpr Micros kSilenceMax = Seconds(1);
constexpr int64_t kExamplesMax = 10;
constexpr int kEndpointBits = 24;

uint64_t LeadingHex(const std::string& digits) {
  uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + std::min<size_t>(16, digits.size()), value, 16);
  return value;
}

uint64_t HashOf(const std::string& text) {
  return std::hash<std::string>()(text) | 1;  // Never 0, which stands for none.
}

// A 2xx is followed by another attempt, later than the relay waited for it: it was answered too
// late to be heard. A relay that died before it wrote the success down counts no attempt.
bool FollowsLateAnswer(const ReceivedLine& line, const Endpoint* terms, int last_attempt,
                       int last_status, int64_t last_us) {
  return terms && IsSuccess(last_status) && line.attempt == last_attempt + 1 &&
         line.at_us - last_us >= Micros(terms->timeout).count();
}

template <typename Map>
uint32_t Intern(Map& map, const std::string& text) {
  return map.try_emplace(text, static_cast<uint32_t>(map.size())).first->second;
}

}  // namespace

Account::Account(Expectation* expectation, Micros aftermath)
    : expectation_(expectation), faults_(aftermath) {}

void Account::Example(const char* kind, int64_t count, const std::string& seq,
                      const std::string& endpoint) {
  if (count > kExamplesMax) return;
  result_.examples.push_back(std::string(kind) + ": " + (seq.empty() ? "(no seq)" : seq) +
                             (endpoint.empty() ? "" : " at " + endpoint));
}

// ---- What was sent

void Account::Add(const SentLine& line) {
  const auto [found, is_new] =
      by_seq_.try_emplace(line.seq, static_cast<uint32_t>(callbacks_.size()));
  if (is_new) callbacks_.emplace_back();
  Callback& callback = callbacks_[found->second];
  if (line.answer) {
    AddAnswer(line, callback);
    return;
  }
  ++callback.unanswered;
  ++result_.availability.offered;
  if (callback.sent_us != 0) return;  // A retry, or a repeat on purpose: the same callback.
  callback.sent_us = line.at_us;
  callback.hash = LeadingHex(line.sha256);
  callback.stream = Intern(streams_, line.stream);
  if (expectation_) callback.owed = &expectation_->EndpointsOwed(line);
}

void Account::AddAnswer(const SentLine& line, Callback& callback) {
  if (callback.unanswered > 0) --callback.unanswered;
  if (line.status == 0) callback.indeterminate = true;
  if (line.status >= 500) callback.refused_5xx = true;
  if (line.status == 403) {
    callback.forbidden = true;
    --result_.availability.offered;
  }
  const int64_t waited_us = callback.sent_us - (line.at_us - line.latency_us);
  if (waited_us > callback.waited_us) {
    callback.waited_us = static_cast<uint32_t>(std::min<int64_t>(waited_us, UINT32_MAX));
  }
  if (IsSuccess(line.status)) {
    ++result_.availability.accepted;
    faults_.SawAccepted(line.at_us);
  }
  if (callback.acked) return;
  callback.acked = IsSuccess(line.status);
  callback.answered_us = line.at_us;
}

// ---- What arrived

uint32_t Account::EndpointNumber(const std::string& name) {
  const auto [found, is_new] = endpoints_.try_emplace(name, static_cast<uint32_t>(books_.size()));
  if (is_new) {
    books_.emplace_back();
    books_.back().name = name;
    books_.back().terms = expectation_ ? expectation_->Find(name) : nullptr;
  }
  return found->second;
}

Account::Delivery& Account::DeliveryOf(uint32_t callback, uint32_t endpoint) {
  return deliveries_[(uint64_t{callback} << kEndpointBits) | endpoint];
}

void Account::Add(const ReceivedLine& line) {
  const uint32_t endpoint = EndpointNumber(line.endpoint);
  EndpointBook& book = books_[endpoint];
  book.health.Record(line.at_us, IsSuccess(line.status));
  const auto found = by_seq_.find(line.seq);
  if (found == by_seq_.end()) {
    Example("phantom, never sent", ++result_.phantom, line.seq, line.endpoint);
    return;
  }
  Callback& callback = callbacks_[found->second];
  CheckIntegrity(line, found->second, book);
  CheckEntitlement(line, callback);

  Delivery& delivery = DeliveryOf(found->second, endpoint);
  CheckTiming(line, book, delivery);
  const bool after_late_answer = FollowsLateAnswer(line, book.terms, delivery.last_attempt,
                                                   delivery.last_status, delivery.last_us);
  if (after_late_answer) ++result_.late_answers;
  if (delivery.first_us == 0) delivery.first_us = line.at_us;
  if (line.attempt <= 1) delivery.failed = 0;
  // The same attempt comes again where the relay died before it wrote its outcome down.
  const bool counts = line.attempt <= 1 || line.attempt != delivery.last_attempt;
  if (!IsSuccess(line.status) && counts) ++delivery.failed;
  delivery.last_us = line.at_us;
  delivery.last_attempt = static_cast<uint16_t>(line.attempt);
  delivery.last_status = static_cast<uint16_t>(line.status);
  if (!IsSuccess(line.status)) return;
  faults_.SawDelivered(line.at_us);
  if (++delivery.ok > 1) {
    CountDuplicate(line, after_late_answer);
  } else {
    CountFirstDelivery(line, found->second, endpoint);
  }
}

void Account::CountDuplicate(const ReceivedLine& line, bool after_late_answer) {
  ++result_.duplicates;
  const bool near_fault = faults_.Near(line.at_us);
  if (near_fault) ++result_.duplicates_near_fault;
  if (near_fault || after_late_answer) {
    Example("duplicate", result_.duplicates - result_.duplicates_without_fault, line.seq,
            line.endpoint);
  } else {
    Example("duplicate without a fault", ++result_.duplicates_without_fault, line.seq,
            line.endpoint);
  }
}

void Account::CheckIntegrity(const ReceivedLine& line, uint32_t number, EndpointBook& book) {
  Callback& callback = callbacks_[number];
  const auto corrupt = [this, &line](const char* how) {
    Example(how, ++result_.corrupt, line.seq, line.endpoint);
  };
  if (line.signature == "none") ++book.unsigned_lines;
  if (line.signature == "ok" || line.signature == "bad") book.verifies = true;
  if (line.signature == "bad") return corrupt("bad signature");
  if (LeadingHex(line.sha256) != callback.hash) return corrupt("altered body");
  if (line.webhook_id.empty()) return;
  const uint64_t id = HashOf(line.webhook_id);
  if (callback.webhook_id == 0) callback.webhook_id = id;
  if (callback.webhook_id != id) return corrupt("changed webhook id");
  // Whoever knows repeats by their id would drop the second of the two.
  if (by_webhook_id_.try_emplace(id, number).first->second != number) {
    corrupt("webhook id of another callback");
  }
}

// Whether a sink can verify at all is known once it has verified something.
void Account::ConcludeUnsigned(const EndpointBook& book) {
  if (!book.verifies || book.unsigned_lines == 0) return;
  result_.corrupt += book.unsigned_lines;
  Example("unsigned", 1, std::to_string(book.unsigned_lines) + " deliveries", book.name);
}

void Account::CheckEntitlement(const ReceivedLine& line, const Callback& callback) {
  if (callback.owed && std::find(callback.owed->begin(), callback.owed->end(), line.endpoint) ==
                           callback.owed->end()) {
    Example("phantom, not owed there", ++result_.phantom, line.seq, line.endpoint);
    return;
  }
  if (callback.acked || callback.indeterminate || callback.unanswered > 0) return;
  if (callback.refused_5xx) {
    // Refused because the store's answer was late, stored all the same.
    ++result_.delivered_after_5xx;
  } else {
    Example("phantom, had been refused", ++result_.phantom, line.seq, line.endpoint);
  }
}

void Account::CheckTiming(const ReceivedLine& line, const EndpointBook& book,
                          const Delivery& delivery) {
  // An attempt that got no answer ended at a moment that only the worker knows, and so did one
  // whose 2xx was not heard.
  const bool follows = line.attempt >= 2 && delivery.last_attempt == line.attempt - 1 &&
                       delivery.last_status != 0 && !IsSuccess(delivery.last_status);
  if (!book.terms || !follows) return;
  if (line.attempt > AttemptsMax(*book.terms)) return;
  const auto planned_us =
      static_cast<double>(Micros(RetryDelay(*book.terms, line.attempt - 1)).count());
  const auto gap_us = static_cast<double>(line.at_us - delivery.last_us);
  if (gap_us < planned_us * (1 - book.terms->retry_jitter) - kStampSlackUs) {
    Example("early retry", ++result_.early_retries, line.seq, line.endpoint);
  } else if (gap_us > planned_us * (1 + book.terms->retry_jitter) + kLateUs) {
    if (faults_.Near(line.at_us)) ++result_.late_retries_near_fault;
    Example("late retry", ++result_.late_retries, line.seq, line.endpoint);
  }
}

void Account::CountFirstDelivery(const ReceivedLine& line, uint32_t callback, uint32_t endpoint) {
  const Callback& sent = callbacks_[callback];
  if (sent.sent_us > 0) {
    result_.sent_to_receipt.Record(Micros(std::max<int64_t>(0, line.at_us - sent.sent_us)));
  }
  if (sent.acked) {
    result_.acked_to_receipt.Record(Micros(std::max<int64_t>(0, line.at_us - sent.answered_us)));
  }
  const uint64_t lane = (uint64_t{sent.stream} << kEndpointBits) | endpoint;
  const auto [last, is_first] = last_of_stream_.try_emplace(lane, callback);
  if (is_first) return;
  if (callback < last->second) ++result_.inversions;
  last->second = std::max(last->second, callback);
}

// ---- What the relay lists

const uint32_t* Account::CallbackOf(const ListedLine& line) const {
  const auto by_seq = by_seq_.find(line.seq);
  if (!line.seq.empty() && by_seq != by_seq_.end()) return &by_seq->second;
  const auto by_id = by_webhook_id_.find(HashOf(line.webhook_id));
  return by_id == by_webhook_id_.end() ? nullptr : &by_id->second;
}

void Account::Add(const DeadLine& line) {
  const uint32_t* callback = CallbackOf(line);
  if (!callback) {
    Example("unknown dead letter", ++result_.dead_unknown, line.webhook_id, line.endpoint);
    return;
  }
  const uint32_t endpoint = EndpointNumber(line.endpoint);
  books_[endpoint].has_dead = true;
  Delivery& delivery = DeliveryOf(*callback, endpoint);
  delivery.dead = true;
  delivery.gave_up = line.reason.empty() || line.reason == "attempts_exhausted" ||
                     line.reason == "final_status" || line.reason == "gone";
}

void Account::Add(const PendingLine& line) {
  const uint32_t* callback = CallbackOf(line);
  if (!callback) {
    ++result_.pending_unknown;  // Stored without an acknowledgement that anyone has seen.
  } else if (line.endpoint.empty()) {
    callbacks_[*callback].pending = true;
  } else {
    DeliveryOf(*callback, EndpointNumber(line.endpoint)).pending = true;
  }
}

// ---- The sum

bool Account::FalselyDead(const Callback& callback, const Delivery& delivery,
                          const EndpointBook& book) {
  if (!book.terms || !delivery.gave_up) return false;
  const bool answered = delivery.last_status != 0 && !IsSuccess(delivery.last_status);
  if (answered && IsFinalStatus(*book.terms, delivery.last_status)) return false;
  const int attempts = AttemptsMax(*book.terms);
  const auto failed = static_cast<int>(delivery.failed);
  if (failed >= attempts) return false;  // It had all of its attempts.
  // From its last failure on, the rest of its schedule would have met a well endpoint.
  Millis rest{0};
  for (int i = std::max(failed, 1); i < attempts; ++i) rest += RetryDelay(*book.terms, i);
  if (rest == Millis(0)) return false;
  const int64_t from_us = delivery.failed == 0 ? callback.answered_us : delivery.last_us;
  const auto span_us = static_cast<int64_t>(static_cast<double>(Micros(rest).count()) *
                                            (1 + book.terms->retry_jitter));
  return book.health.WellThroughout(from_us, from_us + span_us);
}

void Account::CountLoss(const std::string& seq, const Callback& callback,
                        const EndpointBook& book) {
  const std::optional<Micros> age = faults_.AgeInCut(callback.answered_us);
  if (age) {
    Example("lost in a cut", ++result_.lost_in_cut, seq, book.name);
    result_.lost_in_cut_oldest = std::max(result_.lost_in_cut_oldest, *age);
    return;
  }
  Example("loss", ++result_.loss, seq, book.name);
}

void Account::ConcludeObligation(const std::string& seq, uint32_t number, uint32_t endpoint) {
  static const Delivery kNone;
  const Callback& callback = callbacks_[number];
  const EndpointBook& book = books_[endpoint];
  const auto found = deliveries_.find((uint64_t{number} << kEndpointBits) | endpoint);
  const Delivery& delivery = found == deliveries_.end() ? kNone : found->second;
  ++result_.obligations;
  // What was never received may be dead because nobody listened; else it is as slow as can be.
  if (delivery.first_us != 0 || !delivery.dead) {
    lags_.Add(callback.answered_us,
              delivery.first_us == 0 || delivery.first_us - callback.answered_us >= kSlowUs);
  }
  if (delivery.ok > 0) {
    ++result_.delivered;
  } else if (delivery.dead) {
    ++result_.dead;
    if (FalselyDead(callback, delivery, book)) {
      Example("false dead", ++result_.false_dead, seq, book.name);
    }
  } else if (delivery.pending || callback.pending) {
    Example("pending", ++result_.pending, seq, book.name);
  } else {
    CountLoss(seq, callback, book);
  }
}

void Account::ConcludeCallback(const Callback& callback) {
  if (callback.acked) {
    ++result_.acked;
  } else if (callback.indeterminate || callback.unanswered > 0) {
    ++result_.indeterminate;
  } else {
    ++result_.refused;
  }
  // A forged callback asks for no 2xx.
  if (callback.sent_us == 0 || (callback.forbidden && !callback.acked)) return;
  offers_.Add(callback.sent_us - callback.waited_us, callback.answered_us, callback.acked);
}

AccountResult Account::Conclude() {
  // Owed endpoints that received nothing must be counted too.
  for (const Callback& callback : callbacks_) {
    if (!callback.owed) continue;
    for (const std::string& name : *callback.owed) EndpointNumber(name);
  }
  for (EndpointBook& book : books_) {
    ConcludeUnsigned(book);
    if (!book.has_dead || !book.terms) continue;
    Micros silence = kSilenceMax;
    for (const Millis step : book.terms->retry_schedule) silence = std::min<Micros>(silence, step);
    book.health.Settle(silence);
  }
  result_.endpoints = static_cast<int64_t>(books_.size());
  result_.callbacks = static_cast<int64_t>(callbacks_.size());
  std::vector<const std::string*> seqs(callbacks_.size());
  for (const auto& [seq, number] : by_seq_) seqs[number] = &seq;
  for (uint32_t number = 0; number < callbacks_.size(); ++number) {
    const Callback& callback = callbacks_[number];
    ConcludeCallback(callback);
    if (!callback.acked) continue;
    if (callback.owed) {
      for (const std::string& name : *callback.owed) {
        ConcludeObligation(*seqs[number], number, EndpointNumber(name));
      }
    } else if (!expectation_) {
      for (uint32_t endpoint = 0; endpoint < books_.size(); ++endpoint) {
        ConcludeObligation(*seqs[number], number, endpoint);
      }
    }
  }
  offers_.Conclude(&result_.availability);
  lags_.Settle();
  result_.recoveries = faults_.Conclude(lags_);
  return std::move(result_);
}

}  // namespace relay
