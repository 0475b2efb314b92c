#pragma once

#include <memory>
#include <string_view>

#include "relay/c_handle.h"
#include "relay/redis_value.h"
#include "relay/status.h"

struct redisReader;
extern "C" void redisReaderFree(redisReader*);

namespace relay {

// Makes replies out of the bytes of one connection (RESP2), however they are split: hiredis'
// reader, which builds a RedisValue in place.
class RedisReader {
 public:
  RedisReader();
  RedisReader(const RedisReader&) = delete;
  RedisReader& operator=(const RedisReader&) = delete;

  // Takes in the bytes that follow those of the last call. InvalidArgument: an earlier one has
  // already met bytes that are no replies.
  Status Feed(std::string_view bytes);
  // The next whole reply, or null while there is none. It is the caller's until the next call, and
  // may be moved from; what is left in place serves a later reply, so that short ones allocate
  // nothing. InvalidArgument when the bytes are no replies; nothing more can be read then.
  Result<RedisValue*> Next();

 private:
  RedisValue reply_;  // The one being built.
  std::unique_ptr<redisReader, FreeWith<redisReaderFree>> reader_;
};

}  // namespace relay
