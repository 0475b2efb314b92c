#include "workers/version_gate.h"

#include <algorithm>
#include <utility>

namespace relay {

VersionGate::VersionGate(EventLoop& loop, CatalogStore& catalogs, OnPass on_pass)
    : loop_(loop),
      catalogs_(catalogs),
      on_pass_(std::move(on_pass)),
      again_timer_(loop_.NewTimer([this] { Ask(); })) {}

void VersionGate::Take(const HeldEventPtr& held) {
  if (waiting_.empty() && held->event.catalog_version <= Version()) return on_pass_(held);
  waiting_.push_back(held);
  Ask();
}

void VersionGate::Ask() {
  if (asking_ || waiting_.empty()) return;
  asking_ = true;
  const uint64_t wanted = waiting_.front()->event.catalog_version;
  catalogs_.EnsureVersion(
      wanted, [this, wanted, watch = scope_.watch()](const Result<CatalogPtr>& catalog) {
        if (!watch.gone()) OnCatalog(wanted, catalog);
      });
}

void VersionGate::OnCatalog(uint64_t asked, const Result<CatalogPtr>& catalog) {
  asking_ = false;
  if (!catalog.ok()) return again_timer_->Arm(kAskAgain);
  // Where Redis has lost the version that the event names, its newest must do.
  newest_ = catalogs_.snapshot()->version();
  as_good_as_ = std::max(asked, newest_);
  Pass(as_good_as_);
  Ask();
}

uint64_t VersionGate::Version() const {
  const uint64_t version = catalogs_.snapshot()->version();
  return version == newest_ ? std::max(version, as_good_as_) : version;
}

void VersionGate::Pass(uint64_t version) {
  while (!waiting_.empty() && waiting_.front()->event.catalog_version <= version) {
    const HeldEventPtr held = std::move(waiting_.front());
    waiting_.pop_front();
    if (!held->tenure->over) on_pass_(held);
  }
}

int VersionGate::count(const TenurePtr& tenure) const {
  return static_cast<int>(
      std::count_if(waiting_.begin(), waiting_.end(),
                    [&tenure](const HeldEventPtr& held) { return held->tenure == tenure; }));
}

void VersionGate::Drop(const TenurePtr& tenure) {
  std::erase_if(waiting_, [&tenure](const HeldEventPtr& held) { return held->tenure == tenure; });
}

}  // namespace relay
