#include "workers/formats/play_addresses.h"

#include <algorithm>
#include <utility>

#include "relay/play_address.h"
#include "workers/formats/json_members.h"

namespace relay {
namespace {

constexpr std::pair<std::string_view, StreamProtocol> kProtocols[] = {
    {"rtmp", StreamProtocol::kRtmp}, {"flv", StreamProtocol::kFlv}, {"hls", StreamProtocol::kHls}};
// Where the eight digits of a txTime end: 2106-02-07.
constexpr int64_t kLastSecond = 0xffffffff;

StreamPlace PlaceOf(const PlaySettings& settings, const EventFacts& facts) {
  StreamPlace place;
  place.domain = settings.domain;
  if (!settings.path.empty()) {
    place.path = settings.path;
  } else if (!facts.path.empty()) {
    place.path = facts.path;
  }
  return place;
}

}  // namespace

std::string PlayAddresses(const PlaySettings& settings, const EventFacts& facts, WallTime now) {
  if (settings.domain.empty() || facts.stream.empty()) return "";
  std::string query;
  if (!settings.key.empty()) {
    const int64_t until = SecondsSinceEpoch(now + settings.valid);
    query = AntiLeechQuery(settings.key, facts.stream, TxTimeText(std::min(until, kLastSecond)));
  }
  StreamPlace place = PlaceOf(settings, facts);
  std::string out;
  {
    JsonMembers members(out);
    for (const auto& [name, protocol] : kProtocols) {
      place.protocol = protocol;
      place.https = settings.https && protocol != StreamProtocol::kRtmp;
      const Result<std::string> address = StreamAddress(place, facts.stream, query);
      if (!address.ok()) return "";
      members.Text(name, *address);
    }
  }
  return out;
}

}  // namespace relay
