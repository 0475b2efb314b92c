// Does to files what it is told, for the tests of the disk shim; each word list is one call of the
// C library: `append F TEXT`, `overwrite F AT TEXT`, `truncate F SIZE`, `sync F`, `rename A B`,
// `unlink F`. Ends with 0, or with the errno of the first call that failed.

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

bool Write(int fd, const char* text) {
  const size_t length = std::strlen(text);
  errno = 0;
  const bool written = write(fd, text, length) == static_cast<ssize_t>(length);
  // A write that is cut short says nothing of why.
  const int error = written ? 0 : errno == 0 ? ENOSPC : errno;
  close(fd);
  errno = error;
  return written;
}

// Takes the words of one call; false when it failed.
bool Call(char**& word) {
  const std::string what = *word++;
  const char* const file = *word++;
  if (what == "append") return Write(open(file, O_WRONLY | O_APPEND | O_CREAT, 0600), *word++);
  if (what == "overwrite") {
    const int fd = open(file, O_WRONLY);
    lseek(fd, std::atoi(*word++), SEEK_SET);
    return Write(fd, *word++);
  }
  if (what == "truncate") {
    const int fd = open(file, O_WRONLY);
    const bool done = ftruncate(fd, std::atoi(*word++)) == 0;
    close(fd);
    return done;
  }
  if (what == "sync") {
    const int fd = open(file, O_RDONLY);
    const bool done = fsync(fd) == 0;
    const int error = errno;
    close(fd);
    errno = error;
    return done;
  }
  if (what == "rename") return std::rename(file, *word++) == 0;
  if (what == "unlink") return unlink(file) == 0;
  errno = EINVAL;
  return false;
}

}  // namespace

int main(int, char** argv) {
  for (char** word = argv + 1; *word;) {
    errno = 0;
    if (!Call(word)) return errno;
  }
  return 0;
}
