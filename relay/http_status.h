#pragma once

#include <cstdint>

namespace relay {

// 2xx (RFC 9110, section 15.3).
constexpr bool IsSuccess(int64_t status) {
  return status >= 200 && status < 300;
}

}  // namespace relay
