#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "relay/clock.h"

namespace relay {

enum class CallbackKind {
  kGenuine,
  kForged,   // Signed with another key.
  kExpired,  // Signed with the right key, and a day too old.
};

// How old the signature of an expired callback is.
inline constexpr int64_t kExpiredSinceSeconds = 24 * 3600;
// What pauses between sendings are told in.
inline constexpr Seconds kMinute(60);

// One callback as a provider would send it.
struct ProviderCallback {
  std::string seq;     // "<run>.<n>", which stands in the body as relay_seq.
  std::string type;    // As the relay reads it.
  std::string stream;  // What the relay orders it by; empty when it names nothing of the kind.
  std::string domain;  // Its push domain; empty when it names none.
  std::string appid;   // The account that it names; empty when it names none.
  std::string param;   // What it carries of the push URL's query, but for our own; or empty.
  CallbackKind kind = CallbackKind::kGenuine;
  std::string headers;  // Beyond what every request has: "Name: value\r\n" each.
  std::string body;
};

// The traffic of a sender that is told nothing more of.
struct SenderTraffic {
  std::string key;
  // Distinguishes this run's callbacks from every other's: in relay_seq and in all identifiers.
  std::string run;
  int64_t streams = 100;
  std::string stream_prefix;
  std::vector<std::string> types;  // A stream's callbacks in turn.
  // Bodies are padded to at least this; 0 leaves them as they are.
  int64_t body_bytes = 0;
};

// Makes the callbacks of one kind of provider: number n belongs to stream n % streams, and no two
// numbers share what a receiver recognises repeats by.
class CallbackMaker {
 public:
  virtual ~CallbackMaker() = default;

  // Writes callback `number` into `callback`, reusing its memory.
  // Requires: CanExpire() for kExpired.
  virtual void Make(int64_t number, CallbackKind kind, WallTime now,
                    ProviderCallback* callback) = 0;
  // Signs it anew before it is sent again, where the provider does so.
  virtual void SignAgain(WallTime, ProviderCallback*) {}

  // How long the provider waits before each further sending of what was not taken. It gives up when
  // they are used up.
  virtual std::span<const Seconds> RetryPauses(const ProviderCallback& callback) const = 0;
  // How long it waits for an answer.
  virtual Seconds AnswerWithin() const = 0;
  // Whether its callbacks say when they were sent.
  virtual bool CanExpire() const { return true; }
};

// What every kind sets alike: kind, type and seq of callback `number`. Of the rest nothing is left.
void BeginCallback(const SenderTraffic& traffic, int64_t number, CallbackKind kind,
                   ProviderCallback* callback);
// Pads a text at the end of `body` ("...&pad=xxx"), so that it reaches `body_bytes` with `ending`
// bytes still to come; as it is when it does so already.
void AppendPadding(int64_t body_bytes, size_t ending, std::string& body);
// A number for the run's identifiers, from 100,000,000 on: always nine digits.
uint64_t RunNumber(const std::string& run);

}  // namespace relay
