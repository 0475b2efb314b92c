#pragma once

#include <string>

#include "relay/settings.h"

namespace relay {

// A conf file that says exactly `settings`: ParseSettings() of it gives them back. For the conf
// that `relayctl up` writes; the commented one for people is conf/relay.toml.
std::string SettingsToToml(const Settings& settings);

}  // namespace relay
