#include "relay/redis_error.h"

#include <utility>

namespace relay {

RedisErrorKind ClassifyRedisError(const RedisValue& reply) {
  using enum RedisErrorKind;
  static constexpr std::pair<std::string_view, RedisErrorKind> kByFirstWord[] = {
      {"OOM", kOutOfMemory},         {"MISCONF", kMisconfigured}, {"NOREPLICAS", kNoReplicas},
      {"LOADING", kLoading},         {"READONLY", kReadOnly},     {"MASTERDOWN", kMasterDown},
      {"CLUSTERDOWN", kClusterDown}, {"TRYAGAIN", kTryAgain},     {"BUSY", kBusy},
      {"NOAUTH", kNoAuth},           {"WRONGPASS", kNoAuth},      {"NOPERM", kNoAuth},
      {"NOSCRIPT", kNoScript},       {"NOGROUP", kNoGroup},       {"STALE", kStale},
      {"BADARG", kBadArgument},
  };
  if (!reply.is_error()) return kNone;
  for (const auto& [word, kind] : kByFirstWord) {
    if (reply.is_error(word)) return kind;
  }
  return kOther;
}

bool IsRefusalForNow(RedisErrorKind kind) {
  using enum RedisErrorKind;
  switch (kind) {
    case kOutOfMemory:
    case kMisconfigured:
    case kNoReplicas:
    case kLoading:
    case kReadOnly:
    case kMasterDown:
    case kClusterDown:
    case kTryAgain:
    case kBusy:
    case kNoAuth:
      return true;
    case kNone:
    case kNoScript:
    case kNoGroup:
    case kStale:
    case kBadArgument:
    case kOther:
      return false;
  }
  return false;
}

}  // namespace relay
