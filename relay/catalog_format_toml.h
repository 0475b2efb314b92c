#pragma once

#include "relay/catalog.h"
#include "relay/toml_reader.h"

namespace relay {

// Reads the keys `format`, `content_mode` and `redact` of an endpoint. What could not be done is a
// complaint: a mode without CloudEvents, something to hide in a body that goes out as it came.
void ReadDeliveryFormat(TomlTable& table, Endpoint& endpoint);

// Reads the table `play` of a source, which the format normalized tells its readers of. A domain or
// path that no address could be made with is a complaint.
void ReadPlaySettings(TomlTable& table, PlaySettings& play);

}  // namespace relay
