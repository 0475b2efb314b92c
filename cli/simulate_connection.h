#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "relay/event_loop.h"
#include "relay/transport.h"

namespace relay {

// One keep-alive connection of a simulated provider: sends a request, waits for its answer, sends
// the next. Connects anew by itself, with growing pauses, whenever it has been cut. As fast as a
// load tool needs it, and no general HTTP client: an answer must carry a Content-Length or no body.
//
// `loop` and `observer` outlive it.
class ProviderConnection final : private TransportObserver {
 public:
  // No call but OnDown() by Cut() comes from inside a call of the owner's.
  class Observer {
   public:
    virtual ~Observer() = default;
    // The connection can take a request, now or later: it has come up, or the answer before has
    // been read whole.
    virtual void OnReady(ProviderConnection& connection) = 0;
    // The whole answer to the last request has come. OnReady follows, at once or after a new
    // connection.
    virtual void OnAnswer(ProviderConnection& connection, int status) = 0;
    // The connection was cut, or could not be made. With `outstanding`, a request had been sent and
    // nobody knows what became of it.
    virtual void OnDown(ProviderConnection& connection, const Status& why, bool outstanding) = 0;
  };

  // `head` is the request head up to and with "Content-Length: ".
  ProviderConnection(SystemLoop& loop, SocketAddress to, std::string head, int index,
                     Observer& observer);
  ~ProviderConnection() override;

  void Open();
  bool up() const { return state_ != State::kDown && state_ != State::kConnecting; }
  bool ready() const { return state_ == State::kReady; }
  bool outstanding() const { return state_ == State::kHead || state_ == State::kBody; }
  // Its number among its fellows, as given.
  int index() const { return index_; }
  // Has the request sent at the end of this turn; `headers` ("Name: value\r\n" each) come behind
  // those of every request. Requires: ready().
  void Send(std::string_view headers, std::string_view body);
  // Cuts the connection, as when an answer is overdue; OnDown follows before this returns.
  void Cut(const Status& why);

 private:
  enum class State { kDown, kConnecting, kReady, kHead, kBody, kClosing };

  void OnConnected() override;
  void OnReadable() override;
  void OnClosed(const Status& why) override;
  void OnTimer();
  // Each returns false when there is nothing more to do for now.
  bool ReadHead();
  bool SkipBody();
  void FinishAnswer();
  void GoDown(const Status& why);

  SystemLoop& loop_;
  const SocketAddress to_;
  const std::string head_;
  const int index_;
  Observer& observer_;
  State state_ = State::kDown;
  std::unique_ptr<Transport> transport_;
  std::unique_ptr<Timer> timer_;  // To connect anew, or to tell of a failure to connect.
  Status connect_failure_;
  Millis pause_;
  int status_ = 0;            // Of the answer that is being read.
  size_t body_left_ = 0;      // Its bytes that have not come.
  bool close_after_ = false;  // It said "Connection: close".
};

// The head of an answer, as far as a load tool needs it.
struct AnswerHead {
  int status = 0;
  size_t content_length = 0;
  bool close = false;
};
// Reads `head`, which ends with its empty line. InvalidArgument for what is no answer or is framed
// in a way that is not understood here (chunked).
Result<AnswerHead> ParseAnswerHead(std::string_view head);

}  // namespace relay
