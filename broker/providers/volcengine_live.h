#pragma once

#include <string>

#include "broker/providers/expiring_sign.h"
#include "broker/providers/provider.h"
#include "relay/json_object.h"

namespace relay {

// Callbacks of Volcengine Live (volcengine.com/docs/6469/1126932): signed as Tencent's are, by `t`
// and `sign` in the body, with other names for what happened. The type is the text of event_type,
// e.g. "push_start". The older shape, with the event in a member `data`, is taken as well.
class VolcengineLive final : public Provider {
 public:
  explicit VolcengineLive(const Source&) {}

  Verdict Verify(const HttpRequest& request, const Source& source, WallTime now,
                 CallbackFacts& facts) override;

 private:
  bool ReadFacts(CallbackFacts& facts);

  ExpiringSign sign_;
  JsonObject callback_;
  JsonObject data_;
  std::string buffer_;
};

}  // namespace relay
