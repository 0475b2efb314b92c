#pragma once

#include <cstdint>

namespace relay {

// How often memory was asked for. Growing a block is asking; giving it back is not counted.
struct AllocationCount {
  // operator new, malloc, calloc, realloc and their aligned kin, whoever called them: our code, and
  // what hiredis, OpenSSL and prometheus-cpp do on its behalf.
  int64_t ours = 0;
  // libevent's: evbuffer chains above all. They hold bytes on their way between the kernel and us,
  // and their number follows the sizes in which the kernel hands those over.
  int64_t libevent = 0;

  AllocationCount operator-(const AllocationCount& earlier) const {
    return {ours - earlier.ours, libevent - earlier.libevent};
  }
  AllocationCount& operator+=(const AllocationCount& more) {
    ours += more.ours;
    libevent += more.libevent;
    return *this;
  }
};

// What the calling thread has asked for since it began.
//
// Linking this unit puts a counting malloc into the program, which operator new and every library
// then use, and tells libevent to allocate through functions that count apart. glibc only, and not
// together with a sanitizer, which brings a malloc of its own.
AllocationCount AllocationsOfThisThread();

// While on, the first few allocations of `ours` print a backtrace to stderr: how a count that
// should be zero is traced to its line.
void TraceAllocationsOfThisThread(bool on);

}  // namespace relay
