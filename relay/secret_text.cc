#include "relay/secret_text.h"

#include <fstream>
#include <sstream>

namespace relay {

Result<std::string> ReadSecretText(std::string_view given) {
  constexpr std::string_view kScheme = "file:";
  std::string secret(given);
  if (given.starts_with(kScheme)) {
    const std::string path(given.substr(kScheme.size()));
    if (!path.starts_with('/')) {
      return Status::InvalidArgument("expected an absolute path: \"file:/path\"");
    }
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    if (!file || !(text << file.rdbuf())) return Status::InvalidArgument("cannot read " + path);
    secret = text.str();
    while (secret.ends_with('\n') || secret.ends_with('\r')) secret.pop_back();
  }
  if (secret.empty()) return Status::InvalidArgument("must not be empty");
  if (secret.size() > kSecretBytesMax) return Status::InvalidArgument("longer than 4096 bytes");
  return secret;
}

}  // namespace relay
