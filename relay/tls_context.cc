#include "relay/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace relay {

Result<TlsContextPtr> MakeClientTlsContext(const std::string& ca_file) {
  TlsContextPtr context(SSL_CTX_new(TLS_client_method()));
  if (!context) return Status::Internal("SSL_CTX_new failed");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  if (SSL_CTX_load_verify_locations(context.get(), ca_file.c_str(), nullptr) != 1) {
    char text[256];
    ERR_error_string_n(ERR_get_error(), text, sizeof(text));
    // What is left in this thread's queue would be blamed on the next connection.
    ERR_clear_error();
    return Status::InvalidArgument("cannot load authorities from " + ca_file + ": " + text);
  }
  return context;
}

}  // namespace relay
