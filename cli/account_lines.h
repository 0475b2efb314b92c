#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "cli/callback_reader.h"
#include "relay/json_object.h"
#include "relay/status.h"

namespace relay {

// A line of simulate's log: a request about to leave, or what was answered to one.
struct SentLine {
  bool answer = false;
  std::string seq;
  std::string sha256;  // Of a request, as the six that follow.
  std::string type;
  std::string stream;
  std::string domain;
  std::string param;
  std::string appid;
  int64_t at_us = 0;
  int status = 0;          // Of an answer; 0 when nobody knows what became of the request.
  int64_t latency_us = 0;  // Of an answer: since the request was meant to leave.
};

// A line of a sink's log.
struct ReceivedLine {
  std::string webhook_id;
  std::string endpoint;
  std::string seq;
  std::string sha256;
  std::string signature;
  int attempt = 0;
  int status = 0;  // What was answered; 0 for nothing.
  int64_t at_us = 0;
};

// What a line of the relay's own lists is about.
struct ListedLine {
  std::string webhook_id;  // The event id.
  std::string endpoint;    // "tenant/endpoint".
  std::string seq;         // Where the line carries the event's body, out of that.
};

// A line of `relayctl dlq list --json`.
struct DeadLine : ListedLine {
  std::string reason;  // Empty when the line gives none.
};

// A line of `relayctl pending list --json`. Without an endpoint it is about the whole event.
struct PendingLine : ListedLine {};

// A line of a fault log: {"at_us":N,"until_us":N,"kind":"kill","target":"worker-1"}.
struct FaultLine {
  int64_t at_us = 0;
  int64_t until_us = 0;  // The same as at_us where the line has none: the fault was a moment.
  std::string kind;
  std::string target;
  int64_t may_lose_us = 0;  // What was acknowledged so shortly before it may be lost in it.
};

// Reads the lines of logs into structs whose memory is reused. A line that is not what it should be
// gives InvalidArgument.
class AccountLineParser {
 public:
  Status Parse(std::string_view text, SentLine* line);
  Status Parse(std::string_view text, ReceivedLine* line);
  Status Parse(std::string_view text, DeadLine* line);
  Status Parse(std::string_view text, PendingLine* line);
  Status Parse(std::string_view text, FaultLine* line);

 private:
  // Absent members give an empty text and 0.
  void SetText(const char* name, std::string* out);
  int64_t Number(const char* name);
  Status Listed(std::string_view text, ListedLine* line);

  JsonObject object_;
  std::string buffer_;
  CallbackReader reader_;
};

// Calls `on_line` for each line of the file, without its newline and in blocks, so that a file of
// any length can be read. NotFound or Unavailable when it cannot.
Status ForEachLine(const std::string& path, const std::function<void(std::string_view)>& on_line);

}  // namespace relay
