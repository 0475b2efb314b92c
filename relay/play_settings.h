#pragma once

#include <string>

#include "relay/clock.h"

namespace relay {

// Where the streams of a source are played: its table `play`. Without a domain nothing is said.
struct PlaySettings {
  std::string domain;
  std::string key;   // Of the domain's anti-leech, clear text; empty: it asks for no signature.
  std::string path;  // Of the address; empty: that of the push, or "live".
  Millis valid{12 * 3600 * 1000};  // How long an address may be used, from when it is sent.
  bool https = false;              // For flv and hls.

  bool operator==(const PlaySettings&) const = default;
};

}  // namespace relay
