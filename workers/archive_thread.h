#pragma once

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "relay/event_loop.h"
#include "workers/archive_file.h"
#include "workers/dead_letter_archive.h"

namespace relay {

// The archive on the disk. A disk may take seconds for a sync, and a worker must not wait for it: a
// thread of its own makes the lines, compresses, writes and syncs, one batch after the other, and
// hands the result back to the loop.
//
// Destroying it waits for the batch that is being written; those behind it are given up.
//
// `loop` outlives it. Loop thread only.
class ArchiveThread final : public DeadLetterArchive {
 public:
  // As ArchiveFile takes them.
  ArchiveThread(EventLoop& loop, std::string folder, std::string writer);
  ~ArchiveThread() override;

  void Append(std::vector<ArchivedLetter> letters, const CallScope& scope, Done done) override;

 private:
  struct Batch {
    std::vector<ArchivedLetter> letters;
    WallTime now{};
  };
  struct Waiting {
    CallScope::Watch watch;
    Done done;
  };

  void Run();  // The thread.
  Status Write(const Batch& batch);
  void OnWritten(const Status& status);

  EventLoop& loop_;
  ArchiveFile file_;             // Of the thread alone.
  std::deque<Waiting> waiting_;  // In the order of the batches.
  std::mutex mutex_;
  std::condition_variable given_;
  std::deque<Batch> batches_;  // Guarded by mutex_.
  bool stopping_ = false;      // Guarded by mutex_.
  std::unique_ptr<Inbox> inbox_;
  std::thread thread_;
};

}  // namespace relay
