#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "relay/event_loop.h"
#include "relay/fifo.h"
#include "relay/log.h"
#include "relay/metrics.h"
#include "relay/random.h"
#include "relay/redis_client.h"
#include "relay/redis_options.h"
#include "relay/redis_reader.h"
#include "relay/tls_context.h"
#include "relay/transport.h"

namespace relay {

// The RedisClient of the programs: one connection that is kept up for ever.
//
// It writes all commands of a turn in one write, which Redis answers with one fsync for all of
// them. It starts to connect with the first turn of the loop. After a break it connects again by
// itself, after 50 ms at first and 500 ms at last, with jitter, so that a restarted Redis is not
// met by all clients in one instant. An attempt that hangs is given up after a second (or the
// command deadline, when that is shorter): its first packet may have been lost with the link. While
// a server is loading its data or refuses us, the connection is not up(), and last_error() says
// why.
//
// A command whose deadline passes closes the connection: replies are known by their order alone.
// The deadline of a command counts from its sending, and is looked at once all before it are
// answered. A script that Redis has forgotten is sent again with its text, and so takes effect
// after what was sent behind it.
//
// `loop`, `random`, `log` and `metrics` outlive it. Loop thread only. Destroying it closes the
// socket; callbacks that have not come do not come.
class RedisConnection final : public RedisClient, private TransportObserver {
 public:
  // What may wait unsent before Send() refuses: a Redis that does not read must not fill our
  // memory.
  static constexpr size_t kUnsentBytesMax = 8 * 1024 * 1024;

  // InvalidArgument when the file of authorities cannot be used or TLS lacks a name to verify.
  static Result<std::unique_ptr<RedisConnection>> Create(SystemLoop& loop,
                                                         RedisConnectionOptions options,
                                                         Random& random, Log& log,
                                                         Metrics& metrics);
  ~RedisConnection() override;

  void Send(const RedisCommand& command, const CallScope& scope, OnReply on_reply) override;
  void SendWithDeadline(const RedisCommand& command, Micros deadline, const CallScope& scope,
                        OnReply on_reply) override;
  void Eval(const RedisScript& script, std::span<const std::string> keys,
            std::span<const std::string> args, const CallScope& scope, OnReply on_reply) override;
  bool up() const override { return state_ == State::kUp; }
  const std::string& run_id() const override { return run_id_; }
  void WatchState(const CallScope& scope, std::function<void()> on_change) override;

  // Why it is not up, or was not the last time; empty when nothing has ever gone wrong.
  const std::string& last_error() const { return last_error_; }
  // Commands sent and not answered yet.
  size_t unanswered() const { return waiting_.size(); }

 private:
  enum class State {
    kDown,         // no socket; `state_timer_` connects
    kConnecting,   // TCP or TLS under way; `state_timer_` is the deadline
    kHandshaking,  // the opening commands are under way, under the same deadline
    kUp,
  };
  struct SentEval {
    const RedisScript* script;
    RedisCommand command;
  };
  struct Waiting {
    CallScope::Watch watch;
    OnReply on_reply;
    MonoTime sent_at;
    MonoTime deadline_at;
    std::unique_ptr<SentEval> eval;  // Of an EVALSHA that may yet be answered NOSCRIPT.
  };
  struct Watcher {
    CallScope::Watch watch;
    std::function<void()> on_change;
  };

  RedisConnection(SystemLoop& loop, RedisConnectionOptions options, TlsContextPtr tls,
                  Random& random, Log& log, Metrics& metrics);

  void OnStateTimer();
  void Connect();
  void OnConnected() override;
  void OnReadable() override;
  void OnClosed(const Status& why) override;

  void BeginHandshake();
  void SendOpening(const RedisCommand& command,
                   void (RedisConnection::*on_reply)(const RedisValue&));
  void OnOpeningReply(const RedisValue& reply);
  void OnServerInfo(const RedisValue& reply);

  void Submit(const RedisCommand& command, Waiting waiting);
  void SubmitOrRefuse(const RedisCommand& command, Micros deadline, const CallScope& scope,
                      OnReply on_reply, std::unique_ptr<SentEval> eval);
  // False when a callback has destroyed this connection, or the connection had to be given up.
  bool FeedReader();
  bool DispatchReplies();
  void Answer(Waiting waiting, Result<RedisValue>& reply);
  void SendAgainWithText(Waiting waiting);
  void WatchFrontDeadline();
  void OnDeadline();
  // The one exit from every state with a socket: closes, fails what waits, plans the next attempt.
  // The last thing a member function does: a callback may destroy this connection.
  void GiveUp(const Status& why);
  // The same, with a Status of its own for the oldest command.
  void GiveUp(const Status& front, const Status& others);
  void NotifyLater();

  SystemLoop& loop_;
  const RedisConnectionOptions options_;
  const TlsContextPtr tls_;
  Random& random_;
  Log& log_;
  Gauge& up_gauge_;
  Histogram& round_trip_;

  State state_ = State::kDown;
  int failures_in_row_ = 0;
  std::string run_id_;
  std::string last_error_;
  std::unique_ptr<Timer> state_timer_;
  std::unique_ptr<Timer> deadline_timer_;
  MonoTime deadline_timer_at_;

  std::unique_ptr<Transport> transport_;
  std::unique_ptr<RedisReader> reader_;  // Of the present connection.
  Fifo<Waiting> waiting_;                // In the order of sending.
  std::vector<Watcher> watchers_;
  CallScope opening_;  // Of the opening commands of the present connection.
  CallScope alive_;    // Last: ends what is posted, and tells a loop over callbacks to stop.
};

}  // namespace relay
