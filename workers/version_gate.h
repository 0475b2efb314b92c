#pragma once

#include <cstdint>
#include <deque>
#include <functional>

#include "relay/call_scope.h"
#include "relay/catalog_store.h"
#include "relay/event_loop.h"
#include "workers/held_event.h"

namespace relay {

// Lets an event pass to the matching when this worker's catalog is at least as new as the one the
// event was routed under; else the newer one is loaded first, and the event waits (its credit
// bounds how many do). Without it a worker that has not yet heard of a new endpoint would owe it
// nothing.
//
// Events of a partition keep their order: while one waits, those behind it wait too.
//
// All references outlive the gate. Loop thread only.
class VersionGate {
 public:
  using OnPass = std::function<void(const HeldEventPtr&)>;
  // When the catalog could not be read, it is asked for again after this.
  static constexpr Millis kAskAgain{250};

  VersionGate(EventLoop& loop, CatalogStore& catalogs, OnPass on_pass);

  void Take(const HeldEventPtr& held);
  void Drop(const TenurePtr& tenure);
  // Events that wait, under `tenure`.
  int count(const TenurePtr& tenure) const;

 private:
  void Ask();
  void OnCatalog(uint64_t asked, const Result<CatalogPtr>& catalog);
  void Pass(uint64_t version);
  uint64_t Version() const;

  EventLoop& loop_;
  CatalogStore& catalogs_;
  const OnPass on_pass_;
  std::deque<HeldEventPtr> waiting_;
  // While snapshot `newest_` is in force, versions up to `as_good_as_` need not be asked for again:
  // Redis itself had nothing newer.
  uint64_t newest_ = 0;
  uint64_t as_good_as_ = 0;
  bool asking_ = false;
  std::unique_ptr<Timer> again_timer_;
  CallScope scope_;
};

}  // namespace relay
