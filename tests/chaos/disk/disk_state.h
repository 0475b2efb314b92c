#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>

// What the disk shim, inside of the programs, and DiskControl, in the harness, share: a file that
// both map, and a journal beside it. All of it lies outside of the folder that is watched.

namespace relay::disk {

inline constexpr const char* kRootVariable = "RELAY_DISK_ROOT";    // The folder that is watched.
inline constexpr const char* kStateVariable = "RELAY_DISK_STATE";  // The folder of the files below.
inline constexpr const char* kTableFile = "/table";
inline constexpr const char* kJournalFile = "/journal";
// Hard links to what was removed or replaced and may come back, by their number in the journal.
inline constexpr const char* kKeptFolder = "/kept";

// How much of a file the disk has for certain. What was there before the shim has no entry.
struct FileEntry {
  std::atomic<uint64_t> inode;  // 0: free.
  std::atomic<int64_t> durable_size;
  std::atomic<int64_t> synced_at;  // Number of the journal's newest record at its last sync.
};

struct Table {
  std::atomic<int64_t> sync_delay_us;
  std::atomic<int64_t> space_left;  // Bytes that writes may still take; negative: no limit.
  std::atomic<int32_t> fail_syncs;  // Not 0: they fail with EIO.
  std::atomic<int64_t> records;     // In the journal so far.
  static constexpr size_t kEntries = 1 << 14;
  FileEntry entries[kEntries];
};

// The entry of a file; a new one when `create`, else null. Lock-free: a process may be killed at
// any point.
inline FileEntry* Find(Table& table, uint64_t inode, bool create, int64_t durable_size = 0) {
  for (size_t i = 0; i < Table::kEntries; ++i) {
    FileEntry& entry = table.entries[(inode + i) % Table::kEntries];
    uint64_t found = entry.inode.load();
    if (found == inode) return &entry;
    if (found != 0) continue;
    if (!create) return nullptr;
    if (entry.inode.compare_exchange_strong(found, inode)) {
      entry.durable_size = durable_size;
      return &entry;
    }
    if (found == inode) return &entry;
  }
  return nullptr;
}

// A record of the journal, a line: number, kind, and what the kind needs, parted by tabs.
//   C name         created
//   R from to kept renamed; kept: 1 when `to` was there before and is kept
//   U name         removed, and kept
//   D folder       a folder was synced: what was recorded of it before is durable
//   O inode at     bytes of a file from `at` on were overwritten or cut off, and are kept
// Names are absolute.

}  // namespace relay::disk
