#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "relay/clock.h"

namespace relay {

class TencentSignature;

// What a simulated provider account looks like.
struct TencentTraffic {
  std::string key;
  // Distinguishes this run's callbacks from every other's: in relay_seq and in all identifiers.
  std::string run;
  int64_t streams = 100;
  int64_t domains = 1;
  // "{}" stands for the number of the domain, from 0.
  std::string domain_pattern = "push-{}.livepush.example";
  std::string stream_prefix;
  // More of the push URL's query string, e.g. "tenant=acme"; empty for none.
  std::string stream_param;
  // A stream's callbacks in turn: out of 0, 1, 100 and 200, or any other number, which gets the
  // members that most families share. None twice.
  std::vector<int> types = {1, 200, 100, 0};
  // Bodies are padded to at least this; 0 leaves them as they are (about 0.5 KB).
  int64_t body_bytes = 0;
};

enum class CallbackKind {
  kGenuine,
  kForged,   // Signed with another key.
  kExpired,  // Signed with the right key, but its `t` passed a day ago.
};

// One callback as the provider would send it.
struct TencentCallback {
  std::string seq;  // "<run>.<n>", which stands in stream_param as relay_seq.
  int type = 0;
  std::string stream;
  std::string domain;
  CallbackKind kind = CallbackKind::kGenuine;
  std::string body;
};

// Makes the callbacks of an account: number n belongs to stream n % streams, and a stream goes
// through its types again and again, each round being one push with its own `sequence`. No two
// numbers share what a receiver recognises repeats by. Field names and their JSON types are those
// of the provider's documentation (push, interruption, recording file, screenshot).
class TencentCallbackMaker {
 public:
  // Requires: at least one stream, domain and type.
  explicit TencentCallbackMaker(TencentTraffic traffic);
  ~TencentCallbackMaker();

  const TencentTraffic& traffic() const { return traffic_; }
  // Writes callback `number` into `callback`, reusing its memory.
  void Make(int64_t number, CallbackKind kind, WallTime now, TencentCallback* callback);

 private:
  struct Place;
  void AppendPush(const Place& at, std::string& body) const;
  void AppendRecording(const Place& at, std::string& body) const;
  void AppendScreenshot(const Place& at, std::string& body) const;
  void AppendOther(const Place& at, std::string& body) const;
  void AppendEnding(const Place& at, CallbackKind kind, std::string& body);
  const std::string& Sign(CallbackKind kind, int64_t t);

  const TencentTraffic traffic_;
  const uint64_t run_number_;  // Spreads this run's identifiers apart from other runs'.
  std::unique_ptr<TencentSignature> signature_;
  // The last signature of each kind: one serves all callbacks of its second.
  struct Signed {
    int64_t t = -1;
    std::string sign;
  };
  std::array<Signed, 3> last_signed_;
};

}  // namespace relay
