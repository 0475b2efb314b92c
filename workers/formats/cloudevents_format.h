#pragma once

#include "workers/formats/body_format.h"

namespace relay {

// An event as a CloudEvent 1.0 in an HTTP request, by the CloudEvents specification v1.0.2, its
// HTTP protocol binding and its JSON event format:
//
//   binary      the body as it came; the attributes are headers, "ce-id" and so on, in which
//               characters are percent-encoded as section 3.1.3.2 of the binding asks
//   structured  one JSON object of type application/cloudevents+json; the body stands byte for byte
//               under `data` when it is a JSON object, and otherwise in base64 under `data_base64`
//
// `id` is the event's id and so the same for every attempt, `source` is "/relay/<source id>",
// `subject` the stream, `time` when it happened or, where that is not told, when it was accepted.
// The extensions are `relaytenant` and `relayactivity`. An attribute whose text CloudEvents does
// not allow (control characters) is left out.
void FormatCloudEvent(const FormatInput& input, FormattedBody& out);

}  // namespace relay
