#pragma once

#include <string>

#include "relay/json_object.h"
#include "workers/formats/body_format.h"

namespace relay {

// An event of whatever provider as one JSON object with the same members for all, by
// docs/normalized.schema.json: who, what, which stream, when; the provider's object byte for byte
// under `data`, and under `opened` the JSON that stands inside its strings, as JSON. So numbers
// keep their digits. A body that is no JSON object stands under `data_text` or, when it is no
// UTF-8, `data_base64`. What is not known has no member.
//
// One object serves one event after another. Not thread-safe.
class NormalizedFormat {
 public:
  void Format(const FormatInput& input, FormattedBody& out);

 private:
  // The JSON object or array that `text` is, blanks around it aside; empty when it is none.
  std::string_view OpenText(std::string_view text);
  void CollectOpened(const JsonObject& object);

  JsonObject inner_;
  std::string inner_text_;
  std::string buffer_;
  std::string opened_;
};

}  // namespace relay
