#pragma once

#include <string>
#include <string_view>

namespace relay {

// The CloudEvents type of an event: a name that receivers write into their code, so one that has
// been given is never changed.
//
//   tencent-live       com.tencent.live.stream.started, ... a name for each known number, and
//                      com.tencent.live.event.<number> for the others
//   tencent-trtc       com.tencent.trtc.room.entered, ... com.tencent.trtc.event.<number>
//   volcengine-live    com.volcengine.live.stream.started, ... com.volcengine.live.event.<type>
//   all others         the event's type as its sender wrote it
//
// An event without a type, and one whose source has left the catalog (`provider` is empty), so that
// nobody knows how to read its type, is "relay.callback". `type` is printable ASCII.
std::string CloudEventsType(std::string_view provider, std::string_view type);

}  // namespace relay
