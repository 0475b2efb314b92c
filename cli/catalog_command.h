#pragma once

#include <cstdint>
#include <string>

#include "cli/command.h"

namespace relay {

struct GeneratedCatalog {
  int64_t tenants = 1;
  int64_t endpoints = 1;  // Of each tenant.
  // Where they are; "{tenant}" and "{endpoint}" stand for their numbers, from 0.
  std::string url = "http://127.0.0.1:9101/hook";
};

// A catalog file of any size for tests and measurements, the same for the same numbers. Tenant n is
// found by the push domain that `relayctl simulate --domains` gives its n-th domain.
std::string GenerateCatalog(const GeneratedCatalog& wanted);

// relayctl catalog generate: prints such a file.
void AddCatalogCommand(CLI::App& app, CommandContext& context);

}  // namespace relay
