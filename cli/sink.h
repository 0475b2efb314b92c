#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "cli/line_log.h"
#include "cli/receipt.h"
#include "relay/event_loop.h"
#include "relay/http_server.h"
#include "relay/random.h"

namespace relay {

// How a customer's server behaves.
struct SinkPlan {
  int paths = 0;       // Only /1 to /N, under any folder, are known; 0: every path is.
  int status = 200;    // What is answered when nothing below says otherwise.
  Micros delay{0};     // From the request to its answer.
  double fail = 0;     // Chance of a 500.
  int fail_first = 0;  // The first so many requests of each delivery are answered 500.
  double hang = 0;     // Chance of no answer at all.
  std::vector<std::string> secrets;  // Standard Webhooks, "whsec_..."; any of them may have signed.
  std::vector<std::string> tencent_keys;  // For bodies with `t` and `sign`.
  uint64_t seed = 0;
};

struct SinkTally {
  int64_t received = 0;
  int64_t accepted = 0;  // Answered 2xx.
  int64_t hung = 0;
  int64_t bad_signatures = 0;
  int64_t distinct_ids = 0;  // Of the header webhook-id; counted up to two million.
};

// A customer's server that takes what comes, behaves as well or badly as it is told, and writes
// down what it got. A request has its line in the log before its answer leaves: all lines of a loop
// turn go with one write, and that turn's answers after it. So "answered 2xx" in the log is what
// the relay was promised, whatever is killed.
//
// GET is answered with the tally. `loop` and `log` outlive it.
class Sink final : private TurnEndHook {
 public:
  // InvalidArgument says which of the secrets is wrong.
  static Result<std::unique_ptr<Sink>> Create(SystemLoop& loop, SinkPlan plan, LineLog& log);
  ~Sink() override;

  // Opens a listener of its own (nobody shares the port). May be called for several addresses.
  Status Listen(const SocketAddress& address);
  // The port of the first TCP listener.
  int port() const { return server_.port(); }
  const SinkTally& tally() const { return tally_; }
  // Not OK once the log could not be written: the loop has been stopped then.
  const Status& failure() const { return failure_; }

 private:
  struct Pending {
    MonoTime due;
    HttpExchange exchange;
    int status;
  };

  Sink(SystemLoop& loop, SinkPlan plan, LineLog& log, std::unique_ptr<ReceiptReader> receipts);
  void OnRequest(HttpExchange exchange);
  void OnTurnEnd() override;
  void OnDelayOver();
  void AnswerNow(Pending& pending);
  void KeepHanging(HttpExchange exchange);

  bool KnownPath(std::string_view path) const;
  // What to answer; 0 for never.
  int PickStatus(const HttpRequest& request, std::string_view webhook_id);

  SystemLoop& loop_;
  const SinkPlan plan_;
  LineLog& log_;
  Random random_;
  const std::unique_ptr<ReceiptReader> receipts_;
  SinkTally tally_;
  Status failure_;
  std::unordered_set<uint64_t> ids_;                 // Hashes of webhook ids.
  std::unordered_map<uint64_t, int> failed_so_far_;  // By hash of webhook id and path.
  std::vector<Pending> this_turn_;  // To be answered once this turn's lines are written.
  std::deque<Pending> delayed_;     // In the order of their due times.
  std::unique_ptr<Timer> delay_;
  // Never answered. Looked through for those whose client has gone at ever greater lengths.
  static constexpr size_t kHangingSweepMin = 1000;
  std::vector<HttpExchange> hanging_;
  size_t hanging_sweep_at_ = kHangingSweepMin;
  HttpServer server_;  // Last, so that it lets go of its exchanges first.
};

}  // namespace relay
