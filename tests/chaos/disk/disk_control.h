#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "relay/clock.h"
#include "relay/random.h"
#include "relay/status.h"
#include "tests/chaos/disk/disk_state.h"

namespace relay {

// The disk under one redis-server: a folder, watched by the disk shim that the server runs with.
// What the server has synced stands; what else it did, a power cut may undo.
class DiskControl {
 public:
  // What a cut has undone, for whoever wants to know that it was one.
  struct Cut {
    int files_torn = 0;    // Bytes at the end are gone, or some in the middle.
    int names_undone = 0;  // Files were created, renamed or removed, and now are not.
    int64_t bytes_lost = 0;
  };

  // `root` is the server's folder, `state` one beside it for the records; both are made.
  static Result<std::unique_ptr<DiskControl>> Create(const std::string& root,
                                                     const std::string& state);
  ~DiskControl();
  DiskControl(const DiskControl&) = delete;

  // For the server.
  std::vector<std::string> environment() const;
  // From now on: each sync takes so long; fails (EIO); writes take at most so many bytes more
  // (ENOSPC; negative: no limit).
  void SetSyncDelay(Micros delay) { table_->sync_delay_us = delay.count(); }
  void FailSyncs(bool fail) { table_->fail_syncs = fail ? 1 : 0; }
  void LeaveSpace(int64_t bytes) { table_->space_left = bytes; }

  // Makes of the folder what the disk may show after the power went: of the operations that were
  // not synced any subset has happened, of the bytes that were not synced any sectors are there.
  // Requires: the server and all its children are dead. Afterwards all of it counts as synced.
  Result<Cut> CutPower(Random& random);

 private:
  DiskControl(std::string root, std::string state, disk::Table* table);
  Status Reset();

  const std::string root_;
  const std::string state_;
  disk::Table* const table_;
};

}  // namespace relay
