#include "relay/redis_connection.h"

#include <event2/buffer.h>

#include <algorithm>
#include <utility>

#include "relay/check.h"
#include "relay/redis_error.h"

namespace relay {

namespace {

constexpr Millis kRetryDelayFirst{50};
// Short, as is the patience with an opening: callbacks are refused until we are back.
constexpr Millis kRetryDelayMax{500};
constexpr Millis kOpeningDeadlineMax{1000};

std::string FieldOf(std::string_view text, std::string_view field) {
  const size_t at = text.find(field);
  if (at == std::string_view::npos) return "";
  text.remove_prefix(at + field.size());
  return std::string(text.substr(0, text.find_first_of("\r\n")));
}

}  // namespace

Result<std::unique_ptr<RedisConnection>> RedisConnection::Create(SystemLoop& loop,
                                                                 RedisConnectionOptions options,
                                                                 Random& random, Log& log,
                                                                 Metrics& metrics) {
  TlsContextPtr tls;
  if (!options.tls_ca_file.empty()) {
    if (options.tls_server_name.empty()) {
      return Status::InvalidArgument("TLS to Redis needs the name in the server's certificate");
    }
    Result<TlsContextPtr> made = MakeClientTlsContext(options.tls_ca_file);
    if (!made.ok()) return made.status();
    tls = *std::move(made);
  }
  return std::unique_ptr<RedisConnection>(
      new RedisConnection(loop, std::move(options), std::move(tls), random, log, metrics));
}

RedisConnection::RedisConnection(SystemLoop& loop, RedisConnectionOptions options,
                                 TlsContextPtr tls, Random& random, Log& log, Metrics& metrics)
    : loop_(loop),
      options_(std::move(options)),
      tls_(std::move(tls)),
      random_(random),
      log_(log),
      up_gauge_(metrics.GetGauge("relay_redis_up", "1 while the connection to Redis is usable.",
                                 {{"connection", options_.name}})),
      round_trip_(metrics.GetHistogram("relay_redis_round_trip_seconds",
                                       "Time from sending a command to its reply.")),
      state_timer_(loop.NewTimer([this] { OnStateTimer(); })),
      deadline_timer_(loop.NewTimer([this] { OnDeadline(); })) {
  state_timer_->Arm(Micros(0));
}

RedisConnection::~RedisConnection() {
  up_gauge_.Set(0);
}

// ---- Connecting

void RedisConnection::OnStateTimer() {
  if (state_ == State::kDown) {
    Connect();
    return;
  }
  GiveUp(Status::Unavailable("no connection within the deadline"));
}

void RedisConnection::Connect() {
  RELAY_CHECK(state_ == State::kDown && waiting_.empty());
  reader_ = std::make_unique<RedisReader>();
  state_ = State::kConnecting;
  auto transport = Transport::Connect(loop_, options_.address, *this, tls_.get(),
                                      tls_ ? options_.tls_server_name : "");
  if (!transport.ok()) {
    GiveUp(transport.status());
    return;
  }
  transport_ = *std::move(transport);
  state_timer_->Arm(std::min<Micros>(options_.command_deadline, kOpeningDeadlineMax));
}

void RedisConnection::OnConnected() {
  RELAY_CHECK(state_ == State::kConnecting);
  state_ = State::kHandshaking;
  BeginHandshake();
}

void RedisConnection::BeginHandshake() {
  if (!options_.password.empty()) {
    RedisCommand auth("AUTH");
    if (!options_.username.empty()) auth.Arg(options_.username);
    auth.Arg(options_.password);
    SendOpening(auth, &RedisConnection::OnOpeningReply);
  }
  SendOpening(RedisCommand("CLIENT").Arg("SETNAME").Arg("relay-" + options_.name),
              &RedisConnection::OnOpeningReply);
  // Refused while the server is loading its data, which INFO is not.
  SendOpening(RedisCommand("PING"), &RedisConnection::OnOpeningReply);
  for (const RedisScript* script : options_.scripts) {
    SendOpening(RedisCommand("SCRIPT").Arg("LOAD").Arg(script->text),
                &RedisConnection::OnOpeningReply);
  }
  SendOpening(RedisCommand("INFO").Arg("server"), &RedisConnection::OnServerInfo);
}

void RedisConnection::SendOpening(const RedisCommand& command,
                                  void (RedisConnection::*on_reply)(const RedisValue&)) {
  Waiting waiting;
  waiting.watch = opening_.watch();
  // A Status here means that the connection is being given up already.
  waiting.on_reply = [this, on_reply](Result<RedisValue> reply) {
    if (reply.ok()) (this->*on_reply)(*reply);
  };
  waiting.sent_at = loop_.clock().Now();
  waiting.deadline_at = waiting.sent_at + options_.command_deadline;
  Submit(command, std::move(waiting));
}

void RedisConnection::OnOpeningReply(const RedisValue& reply) {
  if (!reply.is_error()) return;
  GiveUp(Status::Unavailable("Redis refuses: " + DebugString(reply)));
}

void RedisConnection::OnServerInfo(const RedisValue& reply) {
  const std::string run_id = FieldOf(reply.text, "run_id:");
  if (reply.is_error() || run_id.empty()) {
    GiveUp(Status::Unavailable("INFO gives no run_id: " + DebugString(reply)));
    return;
  }
  run_id_ = run_id;
  state_ = State::kUp;
  failures_in_row_ = 0;
  state_timer_->Cancel();
  up_gauge_.Set(1);
  log_.Info("redis_up", "connected to Redis",
            {{"connection", options_.name},
             {"address", options_.address.ToString()},
             {"run_id", run_id_}});
  NotifyLater();
}

// ---- Sending

void RedisConnection::Send(const RedisCommand& command, const CallScope& scope, OnReply on_reply) {
  SubmitOrRefuse(command, options_.command_deadline, scope, std::move(on_reply), nullptr);
}

void RedisConnection::SendWithDeadline(const RedisCommand& command, Micros deadline,
                                       const CallScope& scope, OnReply on_reply) {
  SubmitOrRefuse(command, deadline, scope, std::move(on_reply), nullptr);
}

void RedisConnection::Eval(const RedisScript& script, std::span<const std::string> keys,
                           std::span<const std::string> args, const CallScope& scope,
                           OnReply on_reply) {
  RedisCommand command("EVALSHA");
  command.Arg(script.sha1).Arg(static_cast<int64_t>(keys.size()));
  for (const std::string& key : keys) command.Arg(key);
  for (const std::string& arg : args) command.Arg(arg);
  auto eval = std::make_unique<SentEval>(SentEval{&script, std::move(command)});
  const RedisCommand& kept = eval->command;
  SubmitOrRefuse(kept, options_.command_deadline, scope, std::move(on_reply), std::move(eval));
}

void RedisConnection::SubmitOrRefuse(const RedisCommand& command, Micros deadline,
                                     const CallScope& scope, OnReply on_reply,
                                     std::unique_ptr<SentEval> eval) {
  const bool full = state_ == State::kUp && transport_->unsent_bytes() > kUnsentBytesMax;
  if (state_ != State::kUp || full) {
    Status why = Status::Unavailable(full ? "8 MiB wait unsent for Redis"
                                          : "not connected to Redis: " + last_error_);
    loop_.Post([here = alive_.watch(), watch = scope.watch(), on_reply = std::move(on_reply),
                why = std::move(why)] {
      if (!here.gone() && !watch.gone()) on_reply(why);
    });
    return;
  }
  Waiting waiting;
  waiting.watch = scope.watch();
  waiting.on_reply = std::move(on_reply);
  waiting.sent_at = loop_.clock().Now();
  waiting.deadline_at = waiting.sent_at + deadline;
  waiting.eval = std::move(eval);
  Submit(command, std::move(waiting));
}

void RedisConnection::Submit(const RedisCommand& command, Waiting waiting) {
  evbuffer* out = transport_->output();
  const std::string head = command.Head();
  evbuffer_add(out, head.data(), head.size());
  evbuffer_add(out, command.body().data(), command.body().size());
  transport_->Flush();
  waiting_.push_back(std::move(waiting));
  if (waiting_.size() == 1) WatchFrontDeadline();
}

// ---- Replies

void RedisConnection::OnReadable() {
  if (FeedReader() && DispatchReplies()) WatchFrontDeadline();
}

bool RedisConnection::FeedReader() {
  evbuffer* in = transport_->input();
  while (const size_t size = evbuffer_get_contiguous_space(in)) {
    const auto* bytes =
        reinterpret_cast<const char*>(evbuffer_pullup(in, static_cast<ssize_t>(size)));
    const Status fed = reader_->Feed({bytes, size});
    transport_->Drain(size);
    if (!fed.ok()) {
      GiveUp(Status::Unavailable("reply not understood: " + fed.text()));
      return false;
    }
  }
  return true;
}

bool RedisConnection::DispatchReplies() {
  const CallScope::Watch here = alive_.watch();
  const Transport* const present = transport_.get();
  while (true) {
    const Result<RedisValue*> reply = reader_->Next();
    if (!reply.ok()) {
      GiveUp(Status::Unavailable("reply not understood: " + reply.status().text()));
      return false;
    }
    if (*reply == nullptr) return true;
    if (waiting_.empty()) {
      GiveUp(Status::Unavailable("reply without a command: " + DebugString(**reply)));
      return false;
    }
    Result<RedisValue> lent(std::move(**reply));
    Answer(waiting_.pop_front(), lent);
    // The callback may have destroyed us, or an opening command may have given the connection up.
    if (here.gone() || transport_.get() != present) return false;
    // What the callback has left of the reply is memory for the next one.
    **reply = std::move(*lent);
  }
}

void RedisConnection::Answer(Waiting waiting, Result<RedisValue>& reply) {
  round_trip_.Observe(std::chrono::duration<double>(loop_.clock().Now() - waiting.sent_at).count());
  if (waiting.eval && ClassifyRedisError(*reply) == RedisErrorKind::kNoScript) {
    SendAgainWithText(std::move(waiting));
    return;
  }
  if (!waiting.watch.gone()) waiting.on_reply(std::move(reply));
}

// EVAL with the text both runs the script and makes Redis know it again.
void RedisConnection::SendAgainWithText(Waiting waiting) {
  const std::unique_ptr<SentEval> eval = std::move(waiting.eval);
  const std::vector<std::string> args = eval->command.Args();
  RedisCommand again("EVAL");
  again.Arg(eval->script->text);
  for (size_t i = 2; i < args.size(); ++i) again.Arg(args[i]);
  waiting.sent_at = loop_.clock().Now();
  Submit(again, std::move(waiting));
}

// ---- Deadlines and the end of a connection

// One timer for all commands. It is moved only when the oldest one is due before it fires, so that
// in the ordinary flow no command costs a timer operation.
void RedisConnection::WatchFrontDeadline() {
  if (waiting_.empty()) return;
  const MonoTime due = waiting_.front().deadline_at;
  if (deadline_timer_->armed() && deadline_timer_at_ <= due) return;
  deadline_timer_at_ = due;
  deadline_timer_->Arm(due - loop_.clock().Now());
}

void RedisConnection::OnDeadline() {
  if (waiting_.empty()) return;
  if (waiting_.front().deadline_at > loop_.clock().Now()) {
    WatchFrontDeadline();
    return;
  }
  GiveUp(Status::DeadlineExceeded("Redis has not answered in time"),
         Status::Unavailable("connection closed: Redis has not answered in time"));
}

void RedisConnection::OnClosed(const Status& why) {
  GiveUp(Status::Unavailable(why.text()));
}

void RedisConnection::GiveUp(const Status& why) {
  GiveUp(why, why);
}

void RedisConnection::GiveUp(const Status& front, const Status& others) {
  const bool was_up = state_ == State::kUp;
  if (was_up || last_error_ != front.text()) {
    log_.Warning("redis_down", "no connection to Redis",
                 {{"connection", options_.name},
                  {"address", options_.address.ToString()},
                  {"reason", front.text()}});
  }
  last_error_ = front.text();
  state_ = State::kDown;
  up_gauge_.Set(0);
  deadline_timer_->Cancel();
  opening_.CancelAll();
  transport_.reset();

  const Millis longest =
      std::min(kRetryDelayMax, kRetryDelayFirst * (1 << std::min(failures_in_row_, 6)));
  ++failures_in_row_;
  state_timer_->Arm(std::chrono::duration_cast<Micros>(longest * (0.5 + random_.Unit() / 2)));
  if (was_up) NotifyLater();

  // A callback may destroy this connection; the others then do not come.
  const CallScope::Watch here = alive_.watch();
  Fifo<Waiting> failed = std::exchange(waiting_, {});
  for (const Status* why = &front; !failed.empty() && !here.gone(); why = &others) {
    const Waiting oldest = failed.pop_front();
    if (!oldest.watch.gone()) oldest.on_reply(*why);
  }
}

void RedisConnection::WatchState(const CallScope& scope, std::function<void()> on_change) {
  watchers_.push_back({scope.watch(), std::move(on_change)});
}

void RedisConnection::NotifyLater() {
  loop_.Post([this, here = alive_.watch()] {
    if (here.gone()) return;
    std::erase_if(watchers_, [](const Watcher& watcher) { return watcher.watch.gone(); });
    // A copy, because a callback may add a watcher.
    const std::vector<Watcher> watchers = watchers_;
    for (const Watcher& watcher : watchers) {
      if (here.gone()) return;
      if (!watcher.watch.gone()) watcher.on_change();
    }
  });
}

}  // namespace relay
