#include "cli/catalog_command.h"

#include <cstdio>
#include <memory>

#include "cli/tencent_callback.h"
#include "relay/base64.h"
#include "relay/sha256.h"

namespace relay {

namespace {

// Replaces every `mark` by `text`.
std::string Replaced(std::string out, std::string_view mark, const std::string& text) {
  for (size_t at = out.find(mark); at != std::string::npos; at = out.find(mark, at + text.size())) {
    out.replace(at, mark.size(), text);
  }
  return out;
}

// A Standard Webhooks secret that anybody can compute again; good for tests alone.
std::string SecretOf(Sha256& sha256, const std::string& name) {
  sha256.Update(name);
  const Sha256::Digest digest = sha256.Finish();
  std::string secret = "whsec_";
  AppendBase64({reinterpret_cast<const char*>(digest.data()), digest.size()}, secret);
  return secret;
}

}  // namespace

std::string GenerateCatalog(const GeneratedCatalog& wanted) {
  const std::string domain_pattern = TencentTraffic().domain_pattern;
  Sha256 sha256;
  std::string out =
      "# Made by relayctl catalog generate; its secrets are no secrets.\n"
      "format = 1\n"
      "[[source]]\n"
      "id = \"demo\"\n"
      "path = \"demo\"\n"
      "provider = \"tencent-live\"\n"
      "keys = [\"demo-key\"]\n"
      "route = { by = \"push_domain\" }\n";
  for (int64_t t = 0; t < wanted.tenants; ++t) {
    const std::string tenant = std::to_string(t);
    out += "[[tenant]]\nid = \"tenant-" + tenant + "\"\nroutes = { push_domain = [\"" +
           Replaced(domain_pattern, "{}", tenant) + "\"] }\n";
    if (wanted.endpoints > 50) {
      out += "limits = { endpoints = " + std::to_string(wanted.endpoints) + " }\n";
    }
    for (int64_t e = 0; e < wanted.endpoints; ++e) {
      const std::string endpoint = std::to_string(e);
      out += "[[tenant.endpoint]]\nid = \"endpoint-" + endpoint + "\"\nurl = \"" +
             Replaced(Replaced(wanted.url, "{tenant}", tenant), "{endpoint}", endpoint) +
             "\"\nsigning = { scheme = \"standard-webhooks\", secrets = [\"" +
             SecretOf(sha256, tenant + "/" + endpoint) + "\"] }\n";
    }
  }
  return out;
}

void AddCatalogCommand(CLI::App& app, CommandContext& context) {
  auto wanted = std::make_shared<GeneratedCatalog>();
  CLI::App* catalog = app.add_subcommand("catalog", "Make catalogs");
  catalog->require_subcommand(1);
  CLI::App* generate =
      catalog->add_subcommand("generate", "Print a catalog of any size, for measurements");
  generate->add_option("--tenants", wanted->tenants, "How many tenants")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  generate->add_option("--endpoints", wanted->endpoints, "How many endpoints each has")
      ->check(CLI::Range(0, 10'000))
      ->capture_default_str();
  generate
      ->add_option("--url", wanted->url,
                   "Their URL; {tenant} and {endpoint} stand for numbers from 0")
      ->capture_default_str();
  generate->callback([wanted, &context] {
    context.run = [wanted] {
      const std::string text = GenerateCatalog(*wanted);
      const bool written = std::fwrite(text.data(), 1, text.size(), stdout) == text.size() &&
                           std::fflush(stdout) == 0;
      return written ? int{kExitOk} : Complain(kExitPortOrFolder, "cannot write the catalog");
    };
  });
}

}  // namespace relay
