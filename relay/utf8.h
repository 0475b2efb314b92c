#pragma once

#include <string_view>

namespace relay {

// Whether `bytes` are well-formed UTF-8 (Unicode, table 3-7): no overlong forms, no surrogates,
// nothing beyond U+10FFFF. Text that is mostly ASCII costs an eighth of a step a byte.
bool IsUtf8(std::string_view bytes);

}  // namespace relay
