#pragma once

#include <memory>

#include "broker/providers/provider.h"

namespace relay {

// The verifier of a source, of the kind that it names; every kind that relay/provider_names.h lists
// has one. Null for a kind that this version does not know.
std::unique_ptr<Provider> MakeProvider(const Source& source);

}  // namespace relay
