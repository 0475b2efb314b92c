#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "relay/catalog.h"
#include "relay/clock.h"
#include "relay/http_server.h"
#include "relay/tenant_router.h"

namespace relay {

// What a provider's scheme says of a request.
enum class Authenticity {
  kAuthentic,
  kExpired,    // Signed by one of the keys, and too long ago.
  kForged,     // Signed by none of the keys.
  kUnsigned,   // Carries no signature.
  kMalformed,  // Not what the provider sends.
};

struct Verdict {
  Authenticity authenticity = Authenticity::kAuthentic;
  // Says more, for the operator: a constant text, which never holds what the request held.
  std::string_view why;
};

// What an authentic callback says of itself. Meant to be reused: its strings keep their memory.
struct CallbackFacts {
  std::string type;          // E.g. "100"; empty when the callback names none.
  std::string ordering_key;  // The stream id; empty when it names none.
  // The same for every sending of one callback, different for any two callbacks of a source.
  std::string dedupe_key;
  RouteAttributes route;

  void Clear();
};

// What a provider takes for an acknowledgement.
struct Acknowledgement {
  int status = 200;
  std::string_view body = "{\"code\":0}";
};

// The verification and acknowledgement scheme of one source: where the signature stands, what is
// signed, how fresh it must be, what a repeat is, and what answer the provider wants. Objects keep
// buffers and keyed states, and are used by one thread, for one request after another.
class Provider {
 public:
  virtual ~Provider() = default;

  // Judges `request`, which arrived at `source` at `now`, by all keys of the source. `facts` is
  // filled when the verdict is kAuthentic and cleared otherwise. Allocates nothing once the buffers
  // have grown. Requires: `source` is the one that it was made for, or its equal.
  virtual Verdict Verify(const HttpRequest& request, const Source& source, WallTime now,
                         CallbackFacts& facts) = 0;
  // Its body lives as long as this object.
  virtual Acknowledgement acknowledgement() const { return {}; }
};

}  // namespace relay
