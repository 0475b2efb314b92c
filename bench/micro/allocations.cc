#include "bench/micro/allocations.h"

#include <errno.h>
#include <event2/event.h>
#include <execinfo.h>
#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

// glibc's own allocator, under the names by which it stays within reach of one who takes `malloc`
// for himself.
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);
}

namespace relay {
namespace {

// Constant-initialized: malloc is called before any constructor has run.
thread_local constinit AllocationCount count;
thread_local constinit int traces_left = 0;

void Trace() {
  // Zero meanwhile, because the tracing itself may allocate.
  const int left = traces_left;
  traces_left = 0;
  void* frames[24];
  backtrace_symbols_fd(frames, backtrace(frames, 24), STDERR_FILENO);
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, "--\n", 3);
  traces_left = left - 1;
}

void CountOurs() {
  ++count.ours;
  if (traces_left > 0) [[unlikely]]
    Trace();
}

void* LibeventMalloc(size_t size) {
  ++count.libevent;
  return __libc_malloc(size);
}

void* LibeventRealloc(void* block, size_t size) {
  ++count.libevent;
  return __libc_realloc(block, size);
}

// Before main(), because libevent must not have allocated anything yet.
[[maybe_unused]] const bool installed = [] {
  event_set_mem_functions(LibeventMalloc, LibeventRealloc, free);
  return true;
}();

}  // namespace

AllocationCount AllocationsOfThisThread() {
  return count;
}

void TraceAllocationsOfThisThread(bool on) {
  constexpr int kTracesMax = 40;
  traces_left = on ? kTracesMax : 0;
}

}  // namespace relay

// `free` stays glibc's: every block comes from there.
extern "C" {

void* malloc(size_t size) noexcept {
  relay::CountOurs();
  return __libc_malloc(size);
}

void* calloc(size_t items, size_t size) noexcept {
  relay::CountOurs();
  return __libc_calloc(items, size);
}

void* realloc(void* block, size_t size) noexcept {
  relay::CountOurs();
  return __libc_realloc(block, size);
}

void* memalign(size_t alignment, size_t size) noexcept {
  relay::CountOurs();
  return __libc_memalign(alignment, size);
}

void* aligned_alloc(size_t alignment, size_t size) noexcept {
  return memalign(alignment, size);
}

int posix_memalign(void** block, size_t alignment, size_t size) noexcept {
  *block = memalign(alignment, size);
  return *block == nullptr ? ENOMEM : 0;
}

}  // extern "C"
