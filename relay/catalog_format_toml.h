#pragma once

#include "relay/catalog.h"
#include "relay/toml_reader.h"

namespace relay {

// Reads the keys `format`, `content_mode` and `redact` of an endpoint. What could not be done is a
// complaint: a mode without CloudEvents, something to hide in a body that goes out as it came.
void ReadDeliveryFormat(TomlTable& table, Endpoint& endpoint);

}  // namespace relay
