#pragma once

#include <sys/types.h>

#include "relay/clock.h"

namespace relay {

// What /proc knows of a process; 0 when it has ended.
Millis CpuTimeOf(pid_t pid);  // In user and kernel mode, of all its threads so far.
int DescriptorsOf(pid_t pid);

}  // namespace relay
