#pragma once

#include <span>
#include <string>
#include <string_view>

#include "relay/clock.h"
#include "relay/status.h"

namespace relay {

// Where a live stream is played and pushed, and the signature that keeps others from doing so.
// Rules of the provider (Tencent Cloud live):
//
//   rtmp  rtmp://BIZID.liveplay.myqcloud.com/live/CODE
//   flv   http://BIZID.liveplay.myqcloud.com/live/CODE.flv
//   hls   http://BIZID.liveplay.myqcloud.com/live/CODE.m3u8
//   push  rtmp://BIZID.livepush.myqcloud.com/live/CODE
//   each followed, where protected, by ?txSecret=MD5(KEY CODE txTime)&txTime=...
//
// The stream's name stands in an address as it is, percent-encoded or not: what is signed is what
// is written. All of this is pure.

enum class StreamProtocol { kRtmp, kFlv, kHls, kPush };

struct StreamPlace {
  std::string bizid;   // Digits. Not needed beside a domain.
  std::string domain;  // A play or push domain of one's own, instead of the provider's.
  std::string path = "live";
  StreamProtocol protocol = StreamProtocol::kFlv;
  bool https = false;  // For flv and hls.
};

// The address of `code` there, with `query` behind a '?' unless it is empty.
//
// InvalidArgument when the BIZID is no number (or missing, without a domain), when the domain is no
// host name, when path or code hold what cannot stand in a URL's path as it is, and for https with
// rtmp. Whether the code is one of the BIZID's is not looked at: see CheckBizid().
Result<std::string> StreamAddress(const StreamPlace& place, std::string_view code,
                                  std::string_view query);

// Whether `text` can be a txTime: 8 hexadecimal digits of either case or 10 decimal ones, seconds
// since 1970. Of two spellings of a time each has its own signature.
bool IsTxTime(std::string_view text);
// As the provider's console writes it: upper-case hexadecimal.
// Requires: not after 2106-02-07, where 8 digits end.
std::string TxTimeText(int64_t seconds);

// "txSecret=...&txTime=...", with `tx_time` as it is given. Requires: IsTxTime(tx_time).
std::string AntiLeechQuery(std::string_view key, std::string_view code, std::string_view tx_time);

// Whether the query of `address` (rtmp, http or https; of a stream in any protocol) carries a
// txSecret that one of `keys` made for its stream and txTime; in constant time. When an address
// ends is not looked at: to txTime the provider adds what its domain is configured with.
// InvalidArgument says what is missing or wrong and repeats no secret.
Status CheckAntiLeech(std::span<const std::string> keys, std::string_view address);

}  // namespace relay
