#pragma once

#include <string>
#include <string_view>

#include "relay/event_facts.h"
#include "relay/json_object.h"
#include "workers/formats/body_format.h"
#include "workers/formats/normalized_format.h"
#include "workers/formats/tencent_format.h"

namespace relay {

// Makes the body of an attempt in the endpoint's format: one file here for each. An event that is
// owed is owed: what a format cannot take goes out as it came.
//
// One object serves one attempt after another and keeps its buffers. Not thread-safe.
class DeliveryBodies {
 public:
  // Fills `out`, which is new. `input` lacks what is made here: body, object and facts.
  // Requires: the endpoint's format is not raw, which needs nothing made.
  void Make(FormatInput input, FormattedBody& out);

 private:
  void SignForTencent(const FormatInput& input, FormattedBody& out);

  TencentFormat tencent_;
  NormalizedFormat normalized_;
  EventFactsReader facts_reader_;
  EventFacts facts_;
  JsonObject object_;
};

}  // namespace relay
