#include "broker/store_backlog.h"

#include <chrono>

namespace relay {

void StoreBacklog::OnAnswered(MonoTime now) {
  sent_at_.pop_front();
  if (now - begun_ >= window_) {
    answered_before_ = now - begun_ < 2 * window_ ? answered_ : 0;
    answered_ = 0;
    begun_ = now;
  }
  ++answered_;
}

double StoreBacklog::Answered(MonoTime now) const {
  using Part = std::chrono::duration<double, Micros::period>;
  const double windows = Part(now - begun_) / Part(window_);
  if (windows >= 2) return 0;
  if (windows >= 1) return static_cast<double>(answered_) * (2 - windows);
  return static_cast<double>(answered_) + static_cast<double>(answered_before_) * (1 - windows);
}

bool StoreBacklog::full(MonoTime now) const {
  if (sent_at_.empty() || now - sent_at_.front() < kPatience) return false;
  if (sent_at_.size() < kAlways) return false;
  return static_cast<double>(sent_at_.size()) >= Answered(now);
}

}  // namespace relay
