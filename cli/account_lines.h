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
  std::string sha256;  // Of a request, as the five that follow.
  std::string type;
  std::string stream;
  std::string domain;
  std::string param;
  int64_t at_us = 0;
  int status = 0;  // Of an answer; 0 when nobody knows what became of the request.
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

// A line of `relayctl dlq list --json`.
struct DeadLine {
  std::string webhook_id;  // The event id.
  std::string endpoint;    // "tenant/endpoint".
  std::string seq;         // Where the line carries the event's body, out of that.
};

// Reads the lines of logs into structs whose memory is reused. A line that is not what it should be
// gives InvalidArgument.
class AccountLineParser {
 public:
  Status Parse(std::string_view text, SentLine* line);
  Status Parse(std::string_view text, ReceivedLine* line);
  Status Parse(std::string_view text, DeadLine* line);
  // The moment of a fault: {"at_us":...}, whatever else the line says.
  Status Parse(std::string_view text, int64_t* at_us);

 private:
  // Absent members give an empty text and 0.
  void SetText(const char* name, std::string* out);
  int64_t Number(const char* name);

  JsonObject object_;
  std::string buffer_;
  CallbackReader reader_;
};

// Calls `on_line` for each line of the file, without its newline and in blocks, so that a file of
// any length can be read. NotFound or Unavailable when it cannot.
Status ForEachLine(const std::string& path, const std::function<void(std::string_view)>& on_line);

}  // namespace relay
