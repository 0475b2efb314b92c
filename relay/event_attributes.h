#pragma once

#include <string_view>

namespace relay {

// What a pattern can ask of an event beside the members of its body.
struct EventAttributes {
  std::string_view type;    // $type, e.g. "100"
  std::string_view source;  // $source
  std::string_view tenant;  // $tenant
};

}  // namespace relay
