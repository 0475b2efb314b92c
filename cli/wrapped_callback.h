#pragma once

#include <string>
#include <string_view>

#include "relay/http_request.h"
#include "relay/json_object.h"

namespace relay {

// Finds the provider's callback within a delivery, so that what arrived can be compared with what
// was sent whatever the endpoint's format: `data`, `data_text` or `data_base64` of a body in format
// "normalized" and of a structured CloudEvent (docs/formats.md). All other bodies are the callback.
class WrappedCallback {
 public:
  // A view of the request's body or of this object, until the next call. A body counts as wrapped
  // when it begins as the relay writes it, with the delivery's own webhook-id as its `id`: a
  // callback that merely has such members is not taken apart, and no body is parsed for nothing.
  std::string_view Open(const HttpRequest& request);

 private:
  JsonObject object_;
  std::string buffer_;
};

}  // namespace relay
