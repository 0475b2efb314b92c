#include "tests/support/test_certificate.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>

#include "relay/check.h"

namespace relay {
namespace {

using KeyPtr = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;
using CertificatePtr = std::unique_ptr<X509, FreeWith<X509_free>>;
using ExtensionPtr = std::unique_ptr<X509_EXTENSION, FreeWith<X509_EXTENSION_free>>;

void AddExtension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  RELAY_CHECK(extension && X509_add_ext(certificate, extension.get(), -1) == 1);
}

}  // namespace

TlsContextPtr TestCertificate::MakeServer(const std::string& pem_file) const {
  const KeyPtr key(EVP_EC_gen("P-256"));
  const CertificatePtr certificate(X509_new());
  RELAY_CHECK(key && certificate);
  X509* x509 = certificate.get();
  X509_set_version(x509, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
  X509_gmtime_adj(X509_getm_notBefore(x509), valid_from_s);
  X509_gmtime_adj(X509_getm_notAfter(x509), valid_until_s);
  X509_set_pubkey(x509, key.get());
  X509_NAME* name = X509_get_subject_name(x509);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>("relay test"), -1, -1, 0);
  X509_set_issuer_name(x509, name);
  AddExtension(x509, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(x509, NID_subject_alt_name, subject_alt_name);
  RELAY_CHECK(X509_sign(x509, key.get(), EVP_sha256()) > 0);

  std::FILE* file = std::fopen(pem_file.c_str(), "w");
  RELAY_CHECK(file && PEM_write_X509(file, x509) == 1);
  std::fclose(file);

  TlsContextPtr context(SSL_CTX_new(TLS_server_method()));
  RELAY_CHECK(context && SSL_CTX_use_certificate(context.get(), x509) == 1 &&
              SSL_CTX_use_PrivateKey(context.get(), key.get()) == 1);
  if (tls_version_max) {
    // Debian's default security level takes old versions out altogether.
    SSL_CTX_set_security_level(context.get(), 0);
    SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
    SSL_CTX_set_max_proto_version(context.get(), int(tls_version_max));
  }
  return context;
}

}  // namespace relay
