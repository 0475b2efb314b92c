// Loaded in front of redis-server (LD_PRELOAD), it writes down what the disk would have for certain
// if the power went now: bytes of a file up to its last fsync or fdatasync, names of a folder up to
// its last fsync. Nothing is really synced: that is DiskControl's to decide, which makes of the
// folder what a disk could show after a power cut. It can also delay syncs and let them fail, and
// take no more bytes.
//
// Bytes behind what is durable are not written down one by one: all of them are uncertain.

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tests/chaos/disk/disk_state.h"

namespace {

using relay::disk::FileEntry;
using relay::disk::Find;
using relay::disk::Table;

constexpr int kFilesMax = 4096;

template <typename Function>
Function* Next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

struct State {
  Table* table = nullptr;  // Null: nothing is watched.
  int journal = -1;
  char root[PATH_MAX] = "";
  char kept[PATH_MAX] = "";
  bool watched[kFilesMax] = {};  // By descriptor.
};
State state;

int (*real_open)(const char*, int, ...) = nullptr;
FILE* (*real_fopen)(const char*, const char*) = nullptr;
ssize_t (*real_write)(int, const void*, size_t) = nullptr;
int (*real_close)(int) = nullptr;
int (*real_rename)(const char*, const char*) = nullptr;
int (*real_unlink)(const char*) = nullptr;
int (*real_ftruncate)(int, off_t) = nullptr;
int (*real_fsync)(int) = nullptr;

__attribute__((constructor)) void Initialise() {
  real_open = Next<int(const char*, int, ...)>("open64");
  real_fopen = Next<FILE*(const char*, const char*)>("fopen64");
  real_write = Next<ssize_t(int, const void*, size_t)>("write");
  real_close = Next<int(int)>("close");
  real_rename = Next<int(const char*, const char*)>("rename");
  real_unlink = Next<int(const char*)>("unlink");
  real_ftruncate = Next<int(int, off_t)>("ftruncate64");
  real_fsync = Next<int(int)>("fsync");
  const char* const root = getenv(relay::disk::kRootVariable);
  const char* const folder = getenv(relay::disk::kStateVariable);
  char path[PATH_MAX];
  if (!root || !folder || !realpath(root, state.root)) return;
  snprintf(state.kept, sizeof(state.kept), "%s%s", folder, relay::disk::kKeptFolder);
  snprintf(path, sizeof(path), "%s%s", folder, relay::disk::kJournalFile);
  state.journal = real_open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
  snprintf(path, sizeof(path), "%s%s", folder, relay::disk::kTableFile);
  const int fd = real_open(path, O_RDWR | O_CLOEXEC);
  void* const mapped =
      fd < 0 ? MAP_FAILED : mmap(nullptr, sizeof(Table), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (fd >= 0) real_close(fd);
  if (mapped != MAP_FAILED && state.journal >= 0) state.table = static_cast<Table*>(mapped);
}

// ---- Names

// The absolute name, when it is one below the root; the last part need not exist.
bool Below(const char* name, char* absolute) {
  if (!state.table) return false;
  char folder[PATH_MAX];
  const char* const slash = strrchr(name, '/');
  const char* const last = slash ? slash + 1 : name;
  if (slash && slash != name) {
    snprintf(folder, sizeof(folder), "%.*s", static_cast<int>(slash - name), name);
  } else {
    strcpy(folder, slash ? "/" : ".");
  }
  char resolved[PATH_MAX];
  if (!realpath(folder, resolved)) return false;
  const size_t length = strlen(state.root);
  if (strncmp(resolved, state.root, length) != 0) return false;
  if (resolved[length] != '\0' && resolved[length] != '/') return false;
  return snprintf(absolute, PATH_MAX, "%s/%s", resolved, last) < PATH_MAX;
}

bool Exists(const char* name) {
  struct stat found;
  return lstat(name, &found) == 0;
}

int64_t NextNumber() {
  return state.table->records.fetch_add(1) + 1;
}

__attribute__((format(printf, 2, 3))) void Record(int64_t number, const char* format, ...) {
  char line[3 * PATH_MAX];
  int length = snprintf(line, sizeof(line), "%lld\t", static_cast<long long>(number));
  va_list arguments;
  va_start(arguments, format);
  length += vsnprintf(line + length, sizeof(line) - static_cast<size_t>(length), format, arguments);
  va_end(arguments);
  line[length++] = '\n';
  if (real_write(state.journal, line, static_cast<size_t>(length)) != length) abort();
}

// Keeps the file although its name goes.
bool Keep(const char* name, int64_t number) {
  char kept[PATH_MAX + 32];
  snprintf(kept, sizeof(kept), "%s/%lld", state.kept, static_cast<long long>(number));
  return link(name, kept) == 0;
}

// ---- Bytes

void KeepBytes(int fd, int64_t at, int64_t end, int64_t number) {
  char name[PATH_MAX + 32];
  snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
  const int from = real_open(name, O_RDONLY | O_CLOEXEC);
  snprintf(name, sizeof(name), "%s/%lld", state.kept, static_cast<long long>(number));
  const int to = real_open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  char buffer[1 << 14];
  while (from >= 0 && to >= 0 && at < end) {
    const auto wanted = static_cast<size_t>(end - at);
    const ssize_t got = pread(from, buffer, wanted < sizeof(buffer) ? wanted : sizeof(buffer), at);
    if (got <= 0 || real_write(to, buffer, static_cast<size_t>(got)) != got) break;
    at += got;
  }
  if (from >= 0) real_close(from);
  if (to >= 0) real_close(to);
}

// Bytes [at, end) of the file are about to change: what of them is durable is kept.
void BeforeChange(int fd, int64_t at, int64_t end) {
  struct stat found;
  if (fstat(fd, &found) != 0) return;
  FileEntry* const entry = Find(*state.table, found.st_ino, true, found.st_size);
  if (!entry || at >= entry->durable_size) return;
  const int64_t durable_end = end < entry->durable_size ? end : entry->durable_size.load();
  const int64_t number = NextNumber();
  KeepBytes(fd, at, durable_end, number);
  Record(number, "O\t%llu\t%lld", static_cast<unsigned long long>(found.st_ino),
         static_cast<long long>(at));
}

bool Watched(int fd) {
  return fd >= 0 && fd < kFilesMax && state.watched[fd];
}

// The descriptor was opened for a name below the root.
void Watch(int fd, const char* name, bool existed) {
  if (fd < 0 || fd >= kFilesMax) return;
  struct stat found;
  if (fstat(fd, &found) != 0) return;
  state.watched[fd] = true;
  if (!S_ISREG(found.st_mode)) return;
  Find(*state.table, found.st_ino, true, existed ? found.st_size : 0);
  if (!existed) Record(NextNumber(), "C\t%s", name);
}

int Open(const char* name, int flags, mode_t mode) {
  char absolute[PATH_MAX];
  if (!Below(name, absolute)) return real_open(name, flags, mode);
  const bool existed = Exists(absolute);
  if (existed && (flags & O_TRUNC)) {
    const int fd = real_open(name, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
      BeforeChange(fd, 0, INT64_MAX);
      real_close(fd);
    }
  }
  const int fd = real_open(name, flags, mode);
  Watch(fd, absolute, existed);
  return fd;
}

void Wait(int64_t us) {
  timespec left{us / 1'000'000, us % 1'000'000 * 1000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) continue;
}

int Sync(int fd) {
  if (!Watched(fd)) return real_fsync(fd);
  struct stat found;
  if (fstat(fd, &found) != 0) return -1;
  // What is written meanwhile is not part of it.
  const int64_t number = state.table->records;
  Wait(state.table->sync_delay_us);
  if (state.table->fail_syncs) {
    errno = EIO;
    return -1;
  }
  if (S_ISDIR(found.st_mode)) {
    char link_name[64];
    char folder[PATH_MAX];
    snprintf(link_name, sizeof(link_name), "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(link_name, folder, sizeof(folder) - 1);
    if (length <= 0) return -1;
    folder[length] = '\0';
    // It speaks of the records up to `number`: those behind it stand before it in the journal.
    Record(number, "D\t%s", folder);
    return 0;
  }
  FileEntry* const entry = Find(*state.table, found.st_ino, true, found.st_size);
  if (!entry) return -1;
  // Two threads may sync one file: the later beginning has the last word.
  if (entry->durable_size < found.st_size) entry->durable_size = found.st_size;
  entry->synced_at = number;
  return 0;
}

}  // namespace

extern "C" {

int open(const char* name, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if (!real_open) Initialise();
  return Open(name, flags, mode);
}

int open64(const char* name, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const mode_t mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(arguments, mode_t) : 0;
  va_end(arguments);
  if (!real_open) Initialise();
  return Open(name, flags, mode);
}

FILE* fopen64(const char* name, const char* how) {
  char absolute[PATH_MAX];
  if (!real_fopen) Initialise();
  if (!Below(name, absolute)) return real_fopen(name, how);
  const bool existed = Exists(absolute);
  FILE* const file = real_fopen(name, how);
  if (file) Watch(fileno(file), absolute, existed);
  return file;
}

FILE* fopen(const char* name, const char* how) {
  return fopen64(name, how);
}

int fclose(FILE* file) {
  const int fd = fileno(file);
  if (Watched(fd)) state.watched[fd] = false;
  return Next<int(FILE*)>("fclose")(file);
}

int close(int fd) {
  if (!real_close) Initialise();
  if (Watched(fd)) state.watched[fd] = false;
  return real_close(fd);
}

ssize_t write(int fd, const void* bytes, size_t count) {
  if (!real_write) Initialise();
  if (!Watched(fd)) return real_write(fd, bytes, count);
  const int64_t left = state.table->space_left;
  if (left == 0 && count > 0) {
    errno = ENOSPC;
    return -1;
  }
  if (left > 0 && static_cast<size_t>(left) < count) count = static_cast<size_t>(left);
  struct stat found;
  const bool appends = fcntl(fd, F_GETFL) & O_APPEND;
  const int64_t at =
      appends ? (fstat(fd, &found) == 0 ? found.st_size : 0) : lseek(fd, 0, SEEK_CUR);
  BeforeChange(fd, at, at + static_cast<int64_t>(count));
  const ssize_t written = real_write(fd, bytes, count);
  if (left > 0 && written > 0) state.table->space_left -= written;
  return written;
}

int ftruncate64(int fd, off_t size) noexcept {
  if (!real_ftruncate) Initialise();
  if (Watched(fd)) BeforeChange(fd, size, INT64_MAX);
  const int result = real_ftruncate(fd, size);
  struct stat found;
  if (Watched(fd) && result == 0 && fstat(fd, &found) == 0) {
    FileEntry* const entry = Find(*state.table, found.st_ino, true, size);
    if (entry && entry->durable_size > size) entry->durable_size = size;
  }
  return result;
}

int ftruncate(int fd, off_t size) noexcept {
  return ftruncate64(fd, size);
}

int rename(const char* from, const char* to) noexcept {
  char absolute_from[PATH_MAX];
  char absolute_to[PATH_MAX];
  if (!real_rename) Initialise();
  if (!Below(from, absolute_from) || !Below(to, absolute_to)) return real_rename(from, to);
  const int64_t number = NextNumber();
  const bool kept = Keep(absolute_to, number);
  const int result = real_rename(from, to);
  if (result == 0) Record(number, "R\t%s\t%s\t%d", absolute_from, absolute_to, kept ? 1 : 0);
  return result;
}

int unlink(const char* name) noexcept {
  char absolute[PATH_MAX];
  if (!real_unlink) Initialise();
  struct stat found;
  if (!Below(name, absolute) || lstat(absolute, &found) != 0 || !S_ISREG(found.st_mode)) {
    return real_unlink(name);
  }
  const int64_t number = NextNumber();
  Keep(absolute, number);
  const int result = real_unlink(name);
  if (result == 0) Record(number, "U\t%s", absolute);
  return result;
}

int fsync(int fd) {
  if (!real_fsync) Initialise();
  return Sync(fd);
}

int fdatasync(int fd) {
  return fsync(fd);
}

}  // extern "C"
