#pragma once

#include <string>
#include <string_view>

#include "relay/clock.h"
#include "relay/tencent_signature.h"

namespace relay {

constexpr std::string_view kTestKey = "testkey";

// A start of push, signed under kTestKey, with `t` ten minutes after `sent`: what the provider
// sends, in its order of members.
inline std::string PushBody(WallTime sent, const std::string& stream = "test_stream",
                            const std::string& sequence = "2210464508206756938",
                            int event_type = 1) {
  TencentSignature signature;
  const std::string t = std::to_string(SecondsSinceEpoch(sent) + 600);
  return "{\"app\":\"test.domain.com\",\"appid\":12345678,\"appname\":\"live\",\"channel_id\":\"" +
         stream + "\",\"errcode\":0,\"errmsg\":\"ok\",\"event_time\":1703731478,\"event_type\":" +
         std::to_string(event_type) + ",\"sequence\":\"" + sequence + "\",\"sign\":\"" +
         signature.Sign(kTestKey, t) + "\",\"stream_id\":\"" + stream +
         "\",\"stream_param\":\"tenant=acme&relay_seq=1\",\"t\":" + t + ",\"width\":0}";
}

// `members` (without braces) as a callback with a `t` of these digits and its right sign.
inline std::string SignedBody(const std::string& members, const std::string& t) {
  TencentSignature signature;
  return "{" + members + (members.empty() ? "" : ",") + "\"t\":" + t + ",\"sign\":\"" +
         signature.Sign(kTestKey, t) + "\"}";
}

}  // namespace relay
