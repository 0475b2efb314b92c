#pragma once

#include <string>
#include <string_view>

#include "relay/status.h"

namespace relay {

inline constexpr size_t kSecretBytesMax = 4096;

// The secret that `given` names: what the file holds, without the newlines at its end, for
// "file:/path"; else the text itself. A file keeps a secret out of catalogs and out of the list of
// processes. InvalidArgument, without the secret, for a path that is not absolute or cannot be
// read, and for a secret that is empty or longer than kSecretBytesMax.
Result<std::string> ReadSecretText(std::string_view given);

}  // namespace relay
