#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "relay/catalog.h"
#include "relay/event.h"

namespace relay {

inline constexpr std::string_view kSampleKey = "testkey";

// A genuine Tencent callback (start of push), as the provider would send it now, signed with
// kSampleKey; padded to `body_bytes`, or of its own size, about 0.5 KB, where that is less.
std::string SampleBody(int64_t body_bytes = 0);

// The event that such a callback becomes.
Event SampleEvent(int64_t body_bytes = 0);

// The source that it comes to; it routes by push domain, which is kSampleDomain.
inline constexpr std::string_view kSampleDomain = "push-0.livepush.example";
Source SampleSource();

}  // namespace relay
