#include "workers/archive_thread.h"

#include <utility>

namespace relay {

ArchiveThread::ArchiveThread(EventLoop& loop, std::string folder, std::string writer)
    : loop_(loop),
      file_(std::move(folder), std::move(writer)),
      inbox_(loop.NewInbox()),
      thread_([this] { Run(); }) {}

ArchiveThread::~ArchiveThread() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  given_.notify_one();
  thread_.join();
}

void ArchiveThread::Append(std::vector<ArchivedLetter> letters, const CallScope& scope, Done done) {
  waiting_.push_back({scope.watch(), std::move(done)});
  {
    const std::lock_guard lock(mutex_);
    batches_.push_back({std::move(letters), loop_.clock().WallNow()});
  }
  given_.notify_one();
}

void ArchiveThread::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    given_.wait(lock, [this] { return stopping_ || !batches_.empty(); });
    if (stopping_) return;
    const Batch batch = std::move(batches_.front());
    batches_.pop_front();
    lock.unlock();
    // The inbox stands until the thread has ended.
    inbox_->Post([this, status = Write(batch)] { OnWritten(status); });
    lock.lock();
  }
}

Status ArchiveThread::Write(const Batch& batch) {
  if (batch.letters.empty()) return file_.Prepare();
  std::string lines;
  for (const ArchivedLetter& letter : batch.letters) AppendLetterLine(letter, lines);
  return file_.Append(lines, batch.now);
}

void ArchiveThread::OnWritten(const Status& status) {
  const Waiting waiting = std::move(waiting_.front());
  waiting_.pop_front();
  if (!waiting.watch.gone()) waiting.done(status);
}

}  // namespace relay
