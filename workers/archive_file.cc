#include "workers/archive_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "relay/check.h"
#include "relay/units.h"

namespace relay {
namespace {

// The directory entry of a new file or folder outlives a power cut only once this is done.
bool SyncFolder(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool synced = fsync(fd) == 0;
  const int error = errno;
  close(fd);
  errno = error;
  return synced;
}

std::string FolderAbove(const std::string& path) {
  const size_t end = path.find_last_not_of('/');
  const size_t slash = path.rfind('/', end);
  return slash == 0 || slash == std::string::npos ? "/" : path.substr(0, slash);
}

// One whole gzip member.
std::string Compress(std::string_view text) {
  constexpr int kGzipWrapper = 16;  // Added to the window bits: deflateInit2 in zlib.h.
  z_stream stream{};
  RELAY_CHECK(deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, MAX_WBITS + kGzipWrapper,
                           MAX_MEM_LEVEL, Z_DEFAULT_STRATEGY) == Z_OK);
  std::string out(deflateBound(&stream, text.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  RELAY_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace

ArchiveFile::ArchiveFile(std::string folder, std::string writer)
    : folder_(std::move(folder)), writer_(std::move(writer)) {}

ArchiveFile::~ArchiveFile() {
  Close();
}

void ArchiveFile::Close() {
  if (fd_ >= 0) close(fd_);
  fd_ = -1;
}

Status ArchiveFile::Failed(const char* what) const {
  return Status::Unavailable(std::string(what) + ": " + std::strerror(errno));
}

Status ArchiveFile::Prepare() {
  if (!folder_seen_ && mkdir(folder_.c_str(), 0750) == 0) {
    if (!SyncFolder(FolderAbove(folder_)))
      return Failed("cannot sync the folder above archive_dir");
  } else if (!folder_seen_ && errno != EEXIST) {
    return Failed("cannot make the folder archive_dir");
  }
  if (access(folder_.c_str(), W_OK | X_OK) != 0) return Failed("cannot write to archive_dir");
  folder_seen_ = true;
  return Status::Ok();
}

Status ArchiveFile::Append(std::string_view lines, WallTime now) {
  if (Status status = Prepare(); !status.ok()) return status;
  if (Status status = OpenFor(now); !status.ok()) return status;
  const std::string member = Compress(lines);
  if (Status status = WriteWhole(member); !status.ok()) return CutBack(std::move(status));
  if (fsync(fd_) != 0) return CutBack(Failed("cannot sync the archive"));
  length_ += static_cast<int64_t>(member.size());
  return Status::Ok();
}

// Somebody may have moved the file away, or the disk under the folder.
bool ArchiveFile::StandsInFolder() const {
  struct stat open_file {};
  struct stat named {};
  return fd_ >= 0 && fstat(fd_, &open_file) == 0 && stat(path_.c_str(), &named) == 0 &&
         open_file.st_dev == named.st_dev && open_file.st_ino == named.st_ino;
}

Status ArchiveFile::OpenFor(WallTime now) {
  const std::string day = TimeText(MillisSinceEpoch(now)).substr(0, 10);
  std::string path = folder_ + "/dead-letters-" + day + "." + writer_ + ".jsonl.gz";
  if (path == path_ && StandsInFolder()) return Status::Ok();
  Close();
  if (path != path_) length_ = 0;
  path_ = std::move(path);
  fd_ = open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0640);
  if (fd_ < 0) return Failed("cannot open a file of the archive");
  struct stat file {};
  if (fstat(fd_, &file) != 0 || !SyncFolder(folder_)) {
    Status status = Failed("cannot sync archive_dir");
    Close();
    return status;
  }
  // The name is ours alone: what is beyond the safe length is left of a write that failed.
  if (file.st_size > length_ && ftruncate(fd_, length_) != 0) {
    Status status = Failed("cannot cut off a torn end of the archive");
    Close();
    return status;
  }
  length_ = std::min<int64_t>(length_, file.st_size);
  return Status::Ok();
}

Status ArchiveFile::WriteWhole(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return Failed("cannot write to the archive");
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return Status::Ok();
}

// After a failed fsync the kernel may take lost pages for written ones, so nothing is tried on the
// same descriptor again.
Status ArchiveFile::CutBack(Status why) {
  const bool cut = ftruncate(fd_, length_) == 0;
  Close();
  return cut ? why : Status::Unavailable(why.text() + ", nor cut off what was written of it");
}

}  // namespace relay
