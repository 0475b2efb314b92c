#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "relay/catalog.h"
#include "relay/secret_box.h"
#include "relay/status.h"

namespace relay {

// The catalog as text in Redis: a manifest, which has the sources and names the text of each part
// of the tenants (relay/catalog_snapshot.h), and one text for each part, a line of JSON a tenant
// with its endpoints. What has its default is left out. Keys, secrets and header values are sealed,
// each bound to its place; endpoint numbers are in, the version is not.
struct CatalogManifest {
  std::vector<Source> sources;
  std::map<int, std::string> parts;  // Which digest names the part's text. Empty parts have none.
};
std::string EncodeManifest(const CatalogManifest& manifest, const SecretBox& box);
std::string EncodeTenants(std::span<const Tenant* const> tenants, const SecretBox& box);

// What names a part's text: 32 hexadecimal digits of its SHA-256. Texts that differ in anything, be
// it the way in which a secret was sealed, have different names.
std::string DigestOfPart(std::string_view text);

// Read back. InvalidArgument when a secret cannot be opened or the text is not what was written; a
// manifest of another format too, so that an older program never acts on half of what it says.
// Without a box the secrets stay empty: for when only ids and numbers are asked for.
Result<CatalogManifest> DecodeManifest(std::string text, const SecretBox* box);
Result<std::vector<Tenant>> DecodeTenants(std::string text, const SecretBox* box);

// An endpoint's run-time state as it stands in Redis.
Result<EndpointRuntimeState> DecodeEndpointState(std::string text);

}  // namespace relay
