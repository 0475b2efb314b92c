#pragma once

#include <string_view>

#include "relay/redis_value.h"

namespace relay {

// What an error reply of Redis means to a caller, told by its first word: the only part of an error
// that is an interface. The texts behind it change between versions.
enum class RedisErrorKind {
  kNone,           // not an error
  kOutOfMemory,    // OOM: over maxmemory
  kMisconfigured,  // MISCONF: the last write to disk failed, writes are refused
  kNoReplicas,     // NOREPLICAS: fewer replicas than min-replicas-to-write
  kLoading,        // LOADING: reads its AOF after a start
  kReadOnly,       // READONLY: has become a replica
  kMasterDown,     // MASTERDOWN: a replica that has lost its master
  kClusterDown,    // CLUSTERDOWN
  kTryAgain,       // TRYAGAIN: keys are being moved between nodes
  kBusy,           // BUSY: a script runs too long
  kNoAuth,         // NOAUTH, WRONGPASS or NOPERM: our credentials do not suffice
  kNoScript,       // NOSCRIPT: forgotten script; RedisConnection loads it again by itself
  kNoGroup,        // NOGROUP: the stream or its consumer group is gone
  kStale,          // STALE: ours; the caller no longer owns the partition
  kBadArgument,    // BADARG: ours; a script refused its arguments before any write
  kOther,
};

RedisErrorKind ClassifyRedisError(const RedisValue& reply);

// The server refuses for now and nothing is wrong with the command: a provider is answered 503, a
// worker waits and asks again.
bool IsRefusalForNow(RedisErrorKind kind);

}  // namespace relay
