#pragma once

#include <string>
#include <string_view>

#include "cli/tencent_callback.h"
#include "relay/clock.h"
#include "relay/random.h"
#include "relay/tencent_signature.h"

namespace relay {

// A request that a broker must refuse.
struct BadRequest {
  std::string_view kind;
  std::string bytes;
  int status = 0;  // That it must be refused with; 0: with any of 4xx, 501 and 505.
};

// Makes requests that are wrong in one way each, out of good callbacks to POST /in/demo, signed
// with `demo-key`. None can be taken by a broker that holds to its rules: where a part is changed
// at random, the callback was signed with another key before. All choices come from the seed.
class BadRequestMaker {
 public:
  explicit BadRequestMaker(uint64_t seed);

  BadRequest Make(WallTime now);

  // For the table of kinds in bad_requests.cc.
  Random& random() { return random_; }
  std::string Body(CallbackKind kind = CallbackKind::kGenuine);
  // A body of nothing but what is signed, over these digits.
  std::string SignedOver(const std::string& t_digits);
  WallTime now() const { return now_; }

 private:
  Random random_;
  TencentCallbackMaker callbacks_;
  TencentSignature signature_;
  ProviderCallback callback_;
  int64_t made_ = 0;
  WallTime now_{};
};

}  // namespace relay
