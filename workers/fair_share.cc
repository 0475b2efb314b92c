#include "workers/fair_share.h"

#include <algorithm>

namespace relay {

int FairShare(std::vector<std::string> live, const std::string& self, int partitions) {
  std::sort(live.begin(), live.end());
  auto mine = std::lower_bound(live.begin(), live.end(), self);
  if (mine == live.end() || *mine != self) mine = live.insert(mine, self);
  const int workers = static_cast<int>(live.size());
  const int rank = static_cast<int>(mine - live.begin());
  return partitions / workers + (rank < partitions % workers ? 1 : 0);
}

}  // namespace relay
