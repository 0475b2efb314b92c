#include "relay/play_address.h"

#include <algorithm>

#include "relay/ascii.h"
#include "relay/check.h"
#include "relay/md5.h"
#include "relay/stream_code.h"
#include "relay/tenant_router.h"
#include "relay/url.h"

namespace relay {
namespace {

constexpr std::string_view kPlayHost = ".liveplay.myqcloud.com";
constexpr std::string_view kPushHost = ".livepush.myqcloud.com";
constexpr size_t kHexDigits = 8;
constexpr size_t kDecimalDigits = 10;

// The suffix of a stream's name in its address.
std::string_view SuffixOf(StreamProtocol protocol) {
  switch (protocol) {
    case StreamProtocol::kFlv:
      return ".flv";
    case StreamProtocol::kHls:
      return ".m3u8";
    case StreamProtocol::kRtmp:
    case StreamProtocol::kPush:
      break;
  }
  return "";
}

bool IsHttp(StreamProtocol protocol) {
  return protocol == StreamProtocol::kFlv || protocol == StreamProtocol::kHls;
}

Result<std::string> HostOf(const StreamPlace& place) {
  if (place.domain.empty()) {
    if (!IsAccountNumber(place.bizid)) return Status::InvalidArgument("the BIZID is not a number");
    return place.bizid +
           std::string(place.protocol == StreamProtocol::kPush ? kPushHost : kPlayHost);
  }
  const Result<Url> url = ParseUrl("http://" + place.domain);
  if (!url.ok()) return Status::InvalidArgument("the domain: " + url.status().text());
  // Nothing but a host may have been read.
  if (url->target != "/" || place.domain.find_first_of("/?:") != std::string::npos) {
    return Status::InvalidArgument("the domain is a host name without port or path");
  }
  return url->UrlHost();
}

// One segment of a path, as it stands: RFC 3986's without the characters that players and shells
// take for their own.
Status CheckSegment(std::string_view segment, std::string_view what) {
  constexpr std::string_view kAllowed = "-._~@:!,*+=";
  if (segment.empty()) return Status::InvalidArgument(std::string(what) + " is empty");
  for (size_t i = 0; i < segment.size(); ++i) {
    const char c = segment[i];
    if (IsLetterOrDigit(c) || kAllowed.find(c) != std::string_view::npos) continue;
    if (c == '%' && i + 2 < segment.size() && IsHexDigit(segment[i + 1]) &&
        IsHexDigit(segment[i + 2])) {
      continue;
    }
    return Status::InvalidArgument(std::string(what) +
                                   " has a character that must be percent-encoded");
  }
  return Status::Ok();
}

// The name of the stream that `address` is of, as it stands there.
std::string_view CodeOf(std::string_view address) {
  const std::string_view path = address.substr(0, address.find('?'));
  std::string_view code = path.substr(path.rfind('/') + 1);
  if (address.starts_with("rtmp://")) return code;
  for (const StreamProtocol protocol : {StreamProtocol::kFlv, StreamProtocol::kHls}) {
    const std::string_view suffix = SuffixOf(protocol);
    if (!code.ends_with(suffix)) continue;
    code.remove_suffix(suffix.size());
    break;
  }
  return code;
}

}  // namespace

Result<std::string> StreamAddress(const StreamPlace& place, std::string_view code,
                                  std::string_view query) {
  const Result<std::string> host = HostOf(place);
  if (!host.ok()) return host.status();
  if (Status status = CheckSegment(place.path, "the path"); !status.ok()) return status;
  if (Status status = CheckSegment(code, "the code"); !status.ok()) return status;
  if (place.https && !IsHttp(place.protocol)) {
    return Status::InvalidArgument("https is for flv and hls, not for rtmp");
  }
  std::string address = !IsHttp(place.protocol) ? "rtmp://" : place.https ? "https://" : "http://";
  address.append(*host).append("/").append(place.path).append("/");
  address.append(code).append(SuffixOf(place.protocol));
  if (!query.empty()) address.append("?").append(query);
  return address;
}

bool IsTxTime(std::string_view text) {
  if (text.size() == kHexDigits) return std::all_of(text.begin(), text.end(), IsHexDigit);
  return text.size() == kDecimalDigits && std::all_of(text.begin(), text.end(), IsDigit);
}

std::string TxTimeText(int64_t seconds) {
  RELAY_CHECK(seconds >= 0 && seconds <= 0xFFFFFFFF);
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string text(kHexDigits, '0');
  for (size_t i = kHexDigits; i-- > 0; seconds >>= 4) text[i] = kDigits[seconds & 15];
  return text;
}

std::string AntiLeechQuery(std::string_view key, std::string_view code, std::string_view tx_time) {
  RELAY_CHECK(IsTxTime(tx_time));
  return "txSecret=" + Md5Hex({key, code, tx_time}) + "&txTime=" + std::string(tx_time);
}

Status CheckAntiLeech(std::span<const std::string> keys, std::string_view address) {
  const size_t question = address.find('?');
  const std::string_view query =
      question == std::string_view::npos ? std::string_view() : address.substr(question + 1);
  const std::string_view tx_time = QueryValue(query, "txTime");
  Md5Digest given;
  if (!IsTxTime(tx_time)) {
    return Status::InvalidArgument(
        "the address carries no txTime, 8 hexadecimal or 10 decimal "
        "digits");
  }
  if (!ParseMd5Hex(QueryValue(query, "txSecret"), given)) {
    return Status::InvalidArgument("the address carries no txSecret, 32 hexadecimal digits");
  }
  bool authentic = false;
  for (const std::string& key : keys) {
    authentic |= SameMd5(Md5({key, CodeOf(address), tx_time}), given);
  }
  if (authentic) return Status::Ok();
  return Status::InvalidArgument("the txSecret is not that of stream " +
                                 std::string(CodeOf(address)) + " and txTime " +
                                 std::string(tx_time) + " under this key");
}

}  // namespace relay
