#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "relay/catalog.h"
#include "relay/secret_box.h"
#include "relay/status.h"

namespace relay {

// The catalog as text in Redis: a line of JSON with the sources, then a line for each tenant with
// its endpoints. Lines, so that a large catalog is read with the memory of one tenant at a time.
// What has its default is left out. Keys, secrets and header values are sealed, each bound to its
// place; endpoint numbers are in, the version is not.
std::string EncodeCatalog(const Catalog& catalog, const SecretBox& box);

// Reads it back, with the look-up tables built. InvalidArgument when a secret cannot be opened or
// the text is not what EncodeCatalog() writes; a text of a later format too, so that an older
// program never acts on half of what it says.
// Without a box the secrets stay empty: for when only ids and numbers are asked for.
Result<Catalog> DecodeCatalog(std::string text, const SecretBox* box);

// An endpoint's run-time state as it stands in Redis.
Result<EndpointRuntimeState> DecodeEndpointState(std::string text);

}  // namespace relay
