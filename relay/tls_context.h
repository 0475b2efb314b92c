#pragma once

#include <memory>
#include <string>

#include "relay/c_handle.h"
#include "relay/status.h"

struct ssl_ctx_st;
extern "C" void SSL_CTX_free(ssl_ctx_st*);

namespace relay {

using TlsContextPtr = std::unique_ptr<ssl_ctx_st, FreeWith<SSL_CTX_free>>;

// What a client of ours verifies a server with: TLS 1.2 or newer, and a certificate chain that ends
// in one of the authorities of the PEM file `ca_file`. The name in the certificate is checked by
// each connection. InvalidArgument names the file when it cannot be read.
Result<TlsContextPtr> MakeClientTlsContext(const std::string& ca_file);

}  // namespace relay
