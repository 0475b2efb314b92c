#pragma once

#include <string>

#include "relay/tls_context.h"

namespace relay {

// A certificate made for one test, signed by itself: its PEM file is at once the authority that a
// client may be told to trust.
struct TestCertificate {
  std::string subject_alt_name = "IP:127.0.0.1";
  long valid_from_s = -3600;  // Relative to now.
  long valid_until_s = 3600;
  long tls_version_max = 0;  // For instance TLS1_1_VERSION; 0: no limit.

  // A server's context with a new key and certificate; the certificate is written to `pem_file`.
  TlsContextPtr MakeServer(const std::string& pem_file) const;
};

}  // namespace relay
