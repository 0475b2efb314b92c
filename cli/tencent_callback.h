#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/callback_maker.h"
#include "relay/clock.h"

namespace relay {

class TencentSignature;

// What a simulated account of Tencent Cloud live looks like.
struct TencentTraffic {
  std::string key;
  // As in SenderTraffic.
  std::string run;
  int64_t streams = 100;
  int64_t domains = 1;
  // "{}" stands for the number of the domain, from 0.
  std::string domain_pattern = "push-{}.livepush.example";
  std::string stream_prefix;
  // More of the push URL's query string, e.g. "tenant=acme"; empty for none. Only the families
  // that carry stream_param have it.
  std::string stream_param;
  // A stream's callbacks in turn: any numbers, none twice (see cli/tencent_families.h).
  std::vector<int> types = {1, 200, 100, 0};
  // Types whose genuine callbacks come without `t` and `sign`.
  std::vector<int> unsigned_types;
  // Chance that a stream is pushed anew before the provider has noticed the end of the push before:
  // the start of the new one, with its own `sequence`, is made before the stop of the old one.
  double reconnect = 0;
  // Bodies are padded to at least this; 0 leaves them as they are (about 0.5 KB).
  int64_t body_bytes = 0;
};

// "{}" in `pattern`, where it stands, replaced by `number`.
std::string ReplaceBraces(const std::string& pattern, int64_t number);

// Makes the callbacks of an account. A stream goes through its types again and again, each round
// being one push with its own `sequence`. Field names and their JSON types are those of the
// provider's documentation.
class TencentCallbackMaker final : public CallbackMaker {
 public:
  // Requires: at least one stream, domain and type; for reconnects, 1 as the first type and 0 as
  // the last.
  explicit TencentCallbackMaker(TencentTraffic traffic);
  ~TencentCallbackMaker() override;

  const TencentTraffic& traffic() const { return traffic_; }
  void Make(int64_t number, CallbackKind kind, WallTime now, ProviderCallback* callback) override;
  // Twelve times a minute apart; screenshots (200) five times two minutes apart; 338 and 347, which
  // are sent three times in all, twice a minute apart. Families of which the provider does not say
  // it are sent again as the first are. Nothing is signed anew.
  std::span<const Seconds> RetryPauses(const ProviderCallback& callback) const override;
  Seconds AnswerWithin() const override { return Seconds(20); }

 private:
  struct Signed {
    int64_t t = -1;
    std::string sign;
  };

  // Whether the push of `round` is followed by another before it has ended.
  bool Reconnects(int64_t stream_number, int64_t round) const;
  void AppendEnding(const ProviderCallback& callback, int64_t event_time, int type,
                    std::string_view closing, std::string& body);
  const std::string& Sign(CallbackKind kind, int64_t t);

  const TencentTraffic traffic_;
  const uint64_t run_number_;  // Spreads this run's identifiers apart from other runs'.
  std::unique_ptr<TencentSignature> signature_;
  // The last signature of each kind: one serves all callbacks of its second.
  std::array<Signed, 3> last_signed_;
};

}  // namespace relay
