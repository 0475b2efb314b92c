#include "cli/account.h"

#include <algorithm>
#include <charconv>
#include <functional>

namespace relay {

namespace {

constexpr int64_t kFaultNearUs = 30'000'000;
constexpr int64_t kLateUs = 2'000'000;
// Two processes' stamps of one moment: each takes its own at its own turn of the loop.
constexpr int64_t kStampSlackUs = 20'000;
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

bool Accepted(int status) {
  return status >= 200 && status < 300;
}

template <typename Map>
uint32_t Intern(Map& map, const std::string& text) {
  return map.try_emplace(text, static_cast<uint32_t>(map.size())).first->second;
}

}  // namespace

Account::Account(Expectation* expectation) : expectation_(expectation) {}

void Account::AddFault(int64_t at_us) {
  faults_.insert(std::upper_bound(faults_.begin(), faults_.end(), at_us), at_us);
}

bool Account::NearFault(int64_t at_us) const {
  const auto after = std::upper_bound(faults_.begin(), faults_.end(), at_us);
  return after != faults_.begin() && at_us - *std::prev(after) <= kFaultNearUs;
}

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
    if (callback.unanswered > 0) --callback.unanswered;
    if (line.status == 0) callback.indeterminate = true;
    if (line.status >= 500) callback.refused_5xx = true;
    if (!Accepted(line.status) || callback.acked) return;
    callback.acked = true;
    callback.acked_us = line.at_us;
    return;
  }
  ++callback.unanswered;
  if (callback.sent_us != 0) return;  // A retry, or a repeat on purpose: the same callback.
  callback.sent_us = line.at_us;
  callback.hash = LeadingHex(line.sha256);
  callback.stream = Intern(streams_, line.stream);
  if (expectation_) callback.owed = &expectation_->EndpointsOwed(line);
}

// ---- What arrived

uint32_t Account::EndpointNumber(const std::string& name) {
  const auto [found, is_new] =
      endpoints_.try_emplace(name, static_cast<uint32_t>(endpoint_names_.size()));
  if (is_new) endpoint_names_.push_back(name);
  return found->second;
}

Account::Delivery& Account::DeliveryOf(uint32_t callback, uint32_t endpoint) {
  return deliveries_[(uint64_t{callback} << kEndpointBits) | endpoint];
}

void Account::Add(const ReceivedLine& line) {
  const uint32_t endpoint = EndpointNumber(line.endpoint);
  const auto found = by_seq_.find(line.seq);
  if (found == by_seq_.end()) {
    Example("phantom, never sent", ++result_.phantom, line.seq, line.endpoint);
    return;
  }
  Callback& callback = callbacks_[found->second];
  CheckIntegrity(line, callback);
  CheckEntitlement(line, callback);

  Delivery& delivery = DeliveryOf(found->second, endpoint);
  CheckTiming(line, delivery);
  delivery.last_us = line.at_us;
  delivery.last_attempt = static_cast<uint16_t>(line.attempt);
  delivery.last_status = static_cast<uint16_t>(line.status);
  if (!Accepted(line.status)) return;
  if (++delivery.ok > 1) {
    ++result_.duplicates;
    if (NearFault(line.at_us)) ++result_.duplicates_near_fault;
    Example("duplicate", result_.duplicates, line.seq, line.endpoint);
    return;
  }
  delivery.first_ok_us = line.at_us;
  CountFirstDelivery(line, found->second, endpoint);
}

void Account::CheckIntegrity(const ReceivedLine& line, Callback& callback) {
  if (LeadingHex(line.sha256) != callback.hash || line.signature == "bad") {
    Example(line.signature == "bad" ? "bad signature" : "altered body", ++result_.corrupt, line.seq,
            line.endpoint);
    return;
  }
  if (line.webhook_id.empty()) return;
  const uint64_t id = HashOf(line.webhook_id);
  if (callback.webhook_id == 0) {
    callback.webhook_id = id;
    by_webhook_id_[id] = by_seq_.find(line.seq)->second;
  } else if (callback.webhook_id != id) {
    Example("changed webhook id", ++result_.corrupt, line.seq, line.endpoint);
  }
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

void Account::CheckTiming(const ReceivedLine& line, const Delivery& delivery) {
  const Endpoint* endpoint = expectation_ ? expectation_->Find(line.endpoint) : nullptr;
  // An attempt that got no answer ended at a moment that only the worker knows.
  const bool follows =
      line.attempt >= 2 && delivery.last_attempt == line.attempt - 1 && delivery.last_status != 0;
  if (!endpoint || !follows) return;
  const auto step = static_cast<size_t>(line.attempt - 2);
  if (step >= endpoint->retry_schedule.size()) return;
  const auto planned_us = static_cast<double>(Micros(endpoint->retry_schedule[step]).count());
  const auto gap_us = static_cast<double>(line.at_us - delivery.last_us);
  if (gap_us < planned_us * (1 - endpoint->retry_jitter) - kStampSlackUs) {
    Example("early retry", ++result_.early_retries, line.seq, line.endpoint);
  } else if (gap_us > planned_us * (1 + endpoint->retry_jitter) + kLateUs) {
    Example("late retry", ++result_.late_retries, line.seq, line.endpoint);
  }
}

void Account::CountFirstDelivery(const ReceivedLine& line, uint32_t callback, uint32_t endpoint) {
  const Callback& sent = callbacks_[callback];
  if (sent.sent_us > 0) {
    result_.sent_to_receipt.Record(Micros(std::max<int64_t>(0, line.at_us - sent.sent_us)));
  }
  if (sent.acked) {
    result_.acked_to_receipt.Record(Micros(std::max<int64_t>(0, line.at_us - sent.acked_us)));
  }
  const uint64_t lane = (uint64_t{sent.stream} << kEndpointBits) | endpoint;
  const auto [last, is_first] = last_of_stream_.try_emplace(lane, callback);
  if (is_first) return;
  if (callback < last->second) ++result_.inversions;
  last->second = std::max(last->second, callback);
}

// ---- What is dead

void Account::Add(const DeadLine& line) {
  const auto by_seq = by_seq_.find(line.seq);
  uint32_t callback = 0;
  if (!line.seq.empty() && by_seq != by_seq_.end()) {
    callback = by_seq->second;
  } else {
    const auto by_id = by_webhook_id_.find(HashOf(line.webhook_id));
    if (by_id == by_webhook_id_.end()) {
      Example("unknown dead letter", ++result_.dead_unknown, line.webhook_id, line.endpoint);
      return;
    }
    callback = by_id->second;
  }
  DeliveryOf(callback, EndpointNumber(line.endpoint)).dead = true;
}

// ---- The sum

void Account::ConcludeObligation(const std::string& seq, const Callback& callback, uint32_t number,
                                 uint32_t endpoint) {
  if (!callback.acked) return;
  ++result_.obligations;
  const auto found = deliveries_.find((uint64_t{number} << kEndpointBits) | endpoint);
  if (found != deliveries_.end() && found->second.ok > 0) {
    ++result_.delivered;
  } else if (found != deliveries_.end() && found->second.dead) {
    ++result_.dead;
  } else {
    Example("loss", ++result_.loss, seq, endpoint_names_[endpoint]);
  }
}

AccountResult Account::Conclude() {
  // Owed endpoints that received nothing must be counted too.
  for (const Callback& callback : callbacks_) {
    if (!callback.owed) continue;
    for (const std::string& name : *callback.owed) EndpointNumber(name);
  }
  result_.endpoints = static_cast<int64_t>(endpoint_names_.size());
  result_.callbacks = static_cast<int64_t>(callbacks_.size());
  for (const auto& [seq, number] : by_seq_) {
    const Callback& callback = callbacks_[number];
    if (callback.acked) {
      ++result_.acked;
    } else if (callback.indeterminate || callback.unanswered > 0) {
      ++result_.indeterminate;
    } else {
      ++result_.refused;
    }
    if (expectation_) {
      if (!callback.owed) continue;
      for (const std::string& name : *callback.owed) {
        ConcludeObligation(seq, callback, number, EndpointNumber(name));
      }
    } else {
      for (uint32_t endpoint = 0; endpoint < endpoint_names_.size(); ++endpoint) {
        ConcludeObligation(seq, callback, number, endpoint);
      }
    }
  }
  return std::move(result_);
}

}  // namespace relay
