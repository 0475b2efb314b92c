#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/callback_maker.h"
#include "cli/callback_reader.h"
#include "cli/latency_histogram.h"
#include "cli/line_log.h"
#include "cli/progress.h"
#include "cli/simulate_connection.h"
#include "cli/simulate_ticker.h"
#include "relay/event_loop.h"
#include "relay/random.h"

namespace relay {

// What a simulated provider is to send, and how.
struct LoadPlan {
  SocketAddress to;
  std::string host;    // For the Host header.
  std::string target;  // The path, with query.
  int connections = 16;
  double rate = 0;         // New callbacks a second; 0: as fast as the answers allow.
  int64_t count = 0;       // 0: no end by number.
  Micros duration{0};      // 0: no end by time.
  bool open_loop = false;  // Latency counts from when the callback was due. Requires a rate.
  double duplicate = 0;    // Chance that a callback is sent once more, as it was.
  double reorder = 0;      // Chance that a callback is held back behind others.
  double forge = 0;
  double expired = 0;
  bool retry = false;  // What is refused or cut off is sent again, as the provider would.
  // Further sendings at most; the provider's own number where it is not given. Where there are more
  // than the provider's, its last pause goes on.
  std::optional<int> retry_attempts;
  double time_scale = 60;  // The provider's pauses are so many times shorter.
  // A receiver that was never there is a mistyped address.
  Micros never_reached = Seconds(3);
  uint64_t seed = 0;
};

struct LoadResult {
  int64_t callbacks = 0;  // Distinct ones sent.
  int64_t sent = 0;       // Requests: callbacks, duplicates and retries.
  int64_t accepted = 0;   // Answered 2xx.
  int64_t indeterminate = 0;
  int64_t unexpected = 0;  // Callbacks whose last answer was not the one that they should get.
  std::map<int, int64_t> refused;  // By status.
  LatencyHistogram ack_latency;    // Of 2xx answers.
  Micros elapsed{0};
  Status failure;  // Why the run ended early, if it did.
  bool interrupted = false;
};

// Sends callbacks over a number of keep-alive connections, one at a time on each, and accounts for
// every one. A genuine callback expects 2xx; a forged or expired one expects 403.
//
// The log gets a line before each request leaves (all lines of a loop turn go with one write, and
// that turn's requests after it) and a line for each answer: status 0 when nobody can know what
// became of the request. So whoever reads the log after a crash of this program or of the relay
// knows of every callback that may have arrived.
//
// `loop`, `maker`, `log` and `progress` outlive it.
class LoadRun final : private ProviderConnection::Observer, private TurnEndHook {
 public:
  // Requires: the maker can make what the plan asks for.
  LoadRun(SystemLoop& loop, LoadPlan plan, CallbackMaker& maker, LineLog& log, Progress& progress);
  ~LoadRun() override;

  // Begins; the loop stops when all is answered, when the receiver cannot be reached for long, or
  // on Interrupt().
  void Start();
  // Ends the run at once: what is outstanding counts as indeterminate.
  void Interrupt();
  // Requires: the loop has stopped.
  const LoadResult& result() const { return result_; }

 private:
  // One callback on its way through the run.
  struct Shot {
    ProviderCallback callback;
    MonoTime due;   // When it was meant to leave.
    MonoTime sent;  // When it left.
    int tries = 0;  // Requests made for it.
    bool duplicate = false;
  };

  void OnReady(ProviderConnection& connection) override;
  void OnAnswer(ProviderConnection& connection, int status) override;
  void OnDown(ProviderConnection& connection, const Status& why, bool outstanding) override;
  void OnTurnEnd() override;
  void OnTick();
  void OnSweep();
  void OnRetryDue();

  // Gives work to connections that wait for it.
  void Pump();
  // Puts the next callback to be sent into `shot`; false when there is none at this moment.
  bool Next(MonoTime now, Shot* shot);
  bool NextNew(MonoTime now, Shot* shot);
  // How many new callbacks may have been made by `now`.
  int64_t Due(MonoTime now) const;
  bool MakingNew(MonoTime now) const;
  CallbackKind PickKind();
  void Send(ProviderConnection& connection, MonoTime now);
  void Settle(Shot& shot, int status, MonoTime now);
  // How long until `shot` is sent again; nothing when the provider has given up.
  std::optional<Micros> RetryPause(const Shot& shot) const;
  bool Expected(const Shot& shot, int status) const;
  void LogSend(const Shot& shot);
  void LogAnswer(const Shot& shot, int status, Micros latency);
  void AskForLogWrite();
  void FinishIfDone(MonoTime now);
  void Finish();

  SystemLoop& loop_;
  const LoadPlan plan_;
  LineLog& log_;
  Progress& progress_;
  Random random_;
  CallbackMaker& maker_;
  CallbackReader reader_;
  LoadResult result_;
  MonoTime started_;
  MonoTime last_up_;  // When a connection was last seen standing.
  bool ever_up_ = false;
  bool finished_ = false;
  int64_t made_ = 0;  // New callbacks so far.
  int outstanding_ = 0;
  Status last_trouble_;

  std::vector<std::unique_ptr<ProviderConnection>> connections_;
  std::vector<Shot> shots_;  // By connection: what it has sent and not settled.
  std::deque<int> idle_;     // Connections that are ready, in the order in which they became so.
  std::multimap<MonoTime, Shot> retries_;  // By when they are due.
  std::deque<Shot> held_back_;             // Reordered ones.
  std::deque<Shot> again_;                 // Duplicates to be sent.
  std::unique_ptr<PreciseTicker> ticker_;
  std::unique_ptr<Timer> sweep_;
  std::unique_ptr<Timer> retry_;  // For the first of retries_, while there is any.
};

}  // namespace relay
