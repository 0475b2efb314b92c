#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "broker/providers/provider.h"

namespace relay {

// One verifier of each kind that relay/provider_names.h lists.
class ProviderRegistry {
 public:
  ProviderRegistry();
  ~ProviderRegistry();

  // Null for a kind that this version does not know.
  Provider* Find(std::string_view kind) const;

 private:
  struct Entry {
    std::string_view kind;
    std::unique_ptr<Provider> provider;
  };
  std::vector<Entry> entries_;  // Few: a walk is faster than a hash.
};

}  // namespace relay
