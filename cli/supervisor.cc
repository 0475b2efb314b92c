#include "cli/supervisor.h"

#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <utility>

namespace relay {

struct Supervisor::Child {
  ChildSpec spec;
  pid_t pid = 0;  // 0: does not run.
  MonoTime started_at;
  int deaths_in_row = 0;
  bool asked_to_end = false;
  MonoTime killed_at;  // When patience with it ends; meaningful once asked_to_end.
  std::unique_ptr<Timer> restart_timer;
};

Supervisor::Supervisor(SystemLoop& loop, OnDeath on_death)
    : loop_(loop),
      on_death_(std::move(on_death)),
      patience_timer_(loop.NewTimer([this] { OnPatienceOver(); })) {
  // The loop keeps its signal watches for life; the scope ends this one.
  loop_.OnSignal(SIGCHLD, [this, here = alive_.watch()] {
    if (!here.gone()) OnSomeChildEnded();
  });
}

Supervisor::~Supervisor() {
  for (const auto& child : children_) {
    if (child->pid == 0) continue;
    kill(child->pid, SIGKILL);
    waitpid(child->pid, nullptr, 0);
  }
}

Status Supervisor::Start(ChildSpec spec) {
  if (spec.before_start) {
    if (Status status = spec.before_start(); !status.ok()) return status;
  }
  Result<pid_t> pid = StartChild(spec);
  if (!pid.ok()) return pid.status();
  auto child = std::make_unique<Child>();
  child->spec = std::move(spec);
  child->pid = *pid;
  child->started_at = loop_.clock().Now();
  child->restart_timer = loop_.NewTimer([this, it = child.get()] { StartAgain(*it); });
  children_.push_back(std::move(child));
  return Status::Ok();
}

// One SIGCHLD may stand for several ends, so each child is asked.
void Supervisor::OnSomeChildEnded() {
  const CallScope::Watch here = alive_.watch();
  for (size_t i = 0; i < children_.size(); ++i) {
    Child& child = *children_[i];
    int wait_status = 0;
    if (child.pid == 0 || waitpid(child.pid, &wait_status, WNOHANG) != child.pid) continue;
    child.pid = 0;
    OnEnd(child, wait_status);
    if (here.gone()) return;
  }
  if (stopping_) StopNextGroup();
}

void Supervisor::OnEnd(Child& child, int wait_status) {
  if (stopping_) return;
  if (loop_.clock().Now() - child.started_at >= kSteadyAfter) child.deaths_in_row = 0;
  const Millis delay =
      std::min(kRestartDelayMax, kRestartDelayFirst * (1 << std::min(child.deaths_in_row, 5)));
  ++child.deaths_in_row;
  child.restart_timer->Arm(delay);
  on_death_({child.spec, wait_status, delay});
}

void Supervisor::StartAgain(Child& child) {
  child.started_at = loop_.clock().Now();
  const Status ready = child.spec.before_start ? child.spec.before_start() : Status::Ok();
  Result<pid_t> pid = ready.ok() ? StartChild(child.spec) : Result<pid_t>(ready);
  if (pid.ok()) {
    child.pid = *pid;
    return;
  }
  // As if it had started and ended at once: told, and tried again.
  OnEnd(child, W_EXITCODE(127, 0));
}

void Supervisor::Stop(std::function<void()> on_stopped) {
  on_stopped_ = std::move(on_stopped);
  if (stopping_) return;
  stopping_ = true;
  for (const auto& child : children_) child->restart_timer->Cancel();
  // Not from inside this call, even when nothing runs.
  loop_.Post([this, here = alive_.watch()] {
    if (!here.gone()) StopNextGroup();
  });
}

void Supervisor::StopNextGroup() {
  const Child* first = nullptr;
  for (const auto& child : children_) {
    if (child->pid == 0) continue;
    if (!first || child->spec.stop_order < first->spec.stop_order) first = child.get();
  }
  if (!first) {
    patience_timer_->Cancel();
    if (on_stopped_) std::exchange(on_stopped_, nullptr)();
    return;
  }
  const MonoTime now = loop_.clock().Now();
  MonoTime next = MonoTime::max();
  for (const auto& child : children_) {
    if (child->pid == 0 || child->spec.stop_order != first->spec.stop_order) continue;
    if (!child->asked_to_end) {
      child->asked_to_end = true;
      child->killed_at = now + child->spec.stop_patience;
      kill(child->pid, SIGTERM);
    }
    next = std::min(next, child->killed_at);
  }
  patience_timer_->Arm(next - now);
}

void Supervisor::OnPatienceOver() {
  const MonoTime now = loop_.clock().Now();
  for (const auto& child : children_) {
    if (child->pid == 0 || !child->asked_to_end || child->killed_at > now) continue;
    kill(child->pid, SIGKILL);
    // Its end comes as SIGCHLD; until then there is nothing more to do to it.
    child->killed_at = now + child->spec.stop_patience;
  }
  StopNextGroup();
}

void Supervisor::KillAll() {
  stopping_ = true;
  for (const auto& child : children_) {
    child->restart_timer->Cancel();
    if (child->pid != 0) kill(child->pid, SIGKILL);
  }
}

pid_t Supervisor::PidOf(const std::string& name) const {
  for (const auto& child : children_) {
    if (child->spec.name == name) return child->pid;
  }
  return 0;
}

size_t Supervisor::running() const {
  return std::count_if(children_.begin(), children_.end(),
                       [](const auto& child) { return child->pid != 0; });
}

}  // namespace relay
