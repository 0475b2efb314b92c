#include "cli/simulate_ticker.h"

#include <event2/event.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <utility>

#include "relay/c_handle.h"
#include "relay/check.h"

namespace relay {

struct PreciseTicker::Impl {
  ~Impl() {
    event.reset();
    if (fd >= 0) close(fd);
  }

  static void Tick(evutil_socket_t fd, short, void* self) noexcept {
    uint64_t expirations = 0;
    // Several ticks that were missed are one: whoever counts looks at the clock.
    if (read(fd, &expirations, sizeof(expirations)) == sizeof(expirations)) {
      static_cast<Impl*>(self)->on_tick();
    }
  }

  std::function<void()> on_tick;
  int fd = -1;
  std::unique_ptr<::event, FreeWith<event_free>> event;
};

PreciseTicker::PreciseTicker(SystemLoop& loop, Micros period, std::function<void()> on_tick)
    : impl_(std::make_unique<Impl>()) {
  impl_->on_tick = std::move(on_tick);
  impl_->fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
  RELAY_CHECK(impl_->fd >= 0);
  const timespec each{static_cast<time_t>(period.count() / 1'000'000),
                      static_cast<long>(period.count() % 1'000'000 * 1000)};
  const itimerspec times{each, each};
  RELAY_CHECK(timerfd_settime(impl_->fd, 0, &times, nullptr) == 0);
  impl_->event.reset(
      event_new(loop.base(), impl_->fd, EV_READ | EV_PERSIST, &Impl::Tick, impl_.get()));
  RELAY_CHECK(impl_->event && event_add(impl_->event.get(), nullptr) == 0);
}

PreciseTicker::~PreciseTicker() = default;

}  // namespace relay
