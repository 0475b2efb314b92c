#pragma once

#include "relay/hmac_settings.h"
#include "relay/toml_reader.h"

namespace relay {

// Reads the table `hmac` of a source. What could let a callback pass that is not wholly signed is
// a complaint: a text that leaves out the body, a timestamp that nothing signs.
void ReadHmacSettings(TomlTable& table, HmacSettings& settings);

}  // namespace relay
