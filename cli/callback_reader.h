#pragma once

#include <string>
#include <string_view>

#include "relay/json_object.h"
#include "relay/sha256.h"

namespace relay {

// What the load tools read out of a body, on both ends of the relay alike.
struct CallbackReading {
  std::string seq;     // relay_seq, wherever the body has it; empty when there is none.
  std::string sha256;  // Over the body with the values of `t` and `sign` blanked; lower-case hex.
  std::string t;       // The digits of `t`; empty when there are none.
  std::string sign;    // Empty when there is none.
};

// Reads bodies one after another and reuses its memory. A body that is not a JSON object has only
// a hash, over its bytes as they are.
class CallbackReader {
 public:
  // The reading stands until the next call.
  const CallbackReading& Read(std::string_view body);

 private:
  void SetText(const char* key, std::string* out);
  void SetHash(std::string_view bytes);

  JsonObject object_;
  std::string buffer_;
  CallbackReading reading_;
  Sha256 sha256_;
};

// The value of relay_seq in a query string such as "txTime=5F&relay_seq=run.17", or an empty view.
std::string_view SeqOf(std::string_view stream_param);
// The same out of any text of a body, however deep it stands: "relay_seq=" is looked for in the
// bytes themselves, and its value ends before '&', a quote, a backslash, a blank or a control
// character.
std::string_view SeqWithin(std::string_view body);

}  // namespace relay
