#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "relay/call_scope.h"
#include "relay/clock.h"
#include "relay/redis_command.h"
#include "relay/redis_value.h"
#include "relay/status.h"

namespace relay {

// A Lua script that is called by its SHA-1. Constant for the life of the program.
struct RedisScript {
  std::string name;  // For messages and metrics.
  std::string text;  // With the line "#!lua flags=allow-oom" on top where releases need it.
  std::string sha1;  // Lower-case hexadecimal.

  static RedisScript Make(std::string name, std::string text);
};

// The seam to Redis: one connection, commands in, replies in the same order.
//
// Guarantees: `on_reply` is called exactly once for each Send unless its scope dies first, never
// from inside Send. A reply of Redis arrives as a value, errors of Redis too (RedisValue::kError);
// a non-OK Status means there was no reply: kUnavailable when the command was not sent or the
// connection broke, kDeadlineExceeded when the answer took too long (the connection is then closed,
// because replies are known by their order alone). After a broken connection it is unknown whether
// a command took effect.
//
// A command sent while there is no connection fails at once (well: at the end of the turn); nothing
// is queued for later, so that no caller's promise ages in a queue it cannot see.
class RedisClient {
 public:
  // May move from its argument or leave it in place: then its memory serves the next reply.
  using OnReply = std::function<void(Result<RedisValue>&&)>;

  virtual ~RedisClient() = default;

  virtual void Send(const RedisCommand& command, const CallScope& scope, OnReply on_reply) = 0;
  // Send() with `deadline` in place of the client's own: for a command that waits inside Redis
  // (XREADGROUP BLOCK). Everything sent behind it waits too, so it wants a connection of its own.
  virtual void SendWithDeadline(const RedisCommand& command, Micros deadline,
                                const CallScope& scope, OnReply on_reply) = 0;
  // EVALSHA of a script that the client was constructed with; it loads it again when Redis has
  // forgotten it (NOSCRIPT), without the caller noticing.
  virtual void Eval(const RedisScript& script, std::span<const std::string> keys,
                    std::span<const std::string> args, const CallScope& scope,
                    OnReply on_reply) = 0;

  // True from the moment the connection has authenticated, loaded its scripts and learned run_id().
  virtual bool up() const = 0;
  // Identity of the server process behind the present (or last) connection. Stream ids read under
  // another run id must not be used any more: they may be reused after a failover.
  virtual const std::string& run_id() const = 0;
  // Calls `on_change` after each change of up(), until the scope dies.
  virtual void WatchState(const CallScope& scope, std::function<void()> on_change) = 0;
};

}  // namespace relay
