#include "relay/secret_box.h"

#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "relay/ascii.h"
#include "relay/check.h"
#include "relay/sha256.h"

namespace relay {

namespace {

constexpr std::string_view kPrefix = "enc:1:";
constexpr size_t kKeyIdDigits = 8;
constexpr size_t kNonceBytes = 12;
constexpr size_t kTagBytes = 16;

const unsigned char* Bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

std::string Base64(const std::vector<unsigned char>& bytes) {
  std::string out((bytes.size() + 2) / 3 * 4, '\0');
  // Writes a NUL behind the text, which std::string has room for.
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), bytes.data(),
                  static_cast<int>(bytes.size()));
  return out;
}

// Empty when `text` is not base64.
std::vector<unsigned char> FromBase64(std::string_view text) {
  std::vector<unsigned char> out(text.size() / 4 * 3);
  if (text.empty() || text.size() % 4 != 0) return {};
  const int size = EVP_DecodeBlock(out.data(), Bytes(text), static_cast<int>(text.size()));
  if (size < 0) return {};
  // EVP_DecodeBlock counts the padding as zero bytes.
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  out.resize(static_cast<size_t>(size) - padding);
  // One spelling for the same bytes: otherwise the last letter could be changed unnoticed.
  if (Base64(out) != text) return {};
  return out;
}

bool FromHex(std::string_view digits, SecretBox::Key& key) {
  for (size_t i = 0; i < key.size(); ++i) {
    const int high = HexDigit(digits[2 * i]);
    const int low = HexDigit(digits[2 * i + 1]);
    if (high < 0 || low < 0) return false;
    key[i] = static_cast<unsigned char>(high * 16 + low);
  }
  return true;
}

// A descriptor that is closed at the end of its block.
class OpenFile {
 public:
  explicit OpenFile(int fd) : fd_(fd) {}
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  ~OpenFile() {
    if (fd_ >= 0) close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

std::string Why() {
  return std::strerror(errno);
}

}  // namespace

void SecretBox::FreeCipher::operator()(evp_cipher_st* cipher) const {
  EVP_CIPHER_free(cipher);
}

void SecretBox::FreeContext::operator()(evp_cipher_ctx_st* context) const {
  EVP_CIPHER_CTX_free(context);
}

Result<SecretBox> SecretBox::FromKeyFile(const std::string& path) {
  const OpenFile file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd() < 0 && errno == ENOENT) {
    return Status::NotFound("no key file at " + path +
                            "; make one with: (umask 077 && openssl rand -out " + path + " 32)");
  }
  struct stat status {};
  if (file.fd() < 0 || fstat(file.fd(), &status) != 0) {
    return Status::InvalidArgument("cannot read the key file " + path + ": " + Why());
  }
  if ((status.st_mode & 077) != 0) {
    return Status::InvalidArgument("the key file " + path +
                                   " is open to others than its owner; mend it with: chmod 600 " +
                                   path);
  }
  char text[2 * kKeyBytes + 2];
  const ssize_t size = read(file.fd(), text, sizeof(text));
  Key key{};
  std::string_view content(text, size > 0 ? static_cast<size_t>(size) : 0);
  bool good = false;
  if (content.size() == kKeyBytes) {
    std::copy(content.begin(), content.end(), key.begin());
    good = true;
  } else {
    if (content.ends_with('\n')) content.remove_suffix(1);
    good = content.size() == 2 * kKeyBytes && FromHex(content, key);
  }
  OPENSSL_cleanse(text, sizeof(text));
  if (!good) {
    return Status::InvalidArgument("the key file " + path +
                                   " must have 32 bytes or 64 hexadecimal digits");
  }
  SecretBox box(key);
  OPENSSL_cleanse(key.data(), key.size());
  return box;
}

SecretBox SecretBox::FromKey(const Key& key) {
  return SecretBox(key);
}

Status SecretBox::GenerateKeyFile(const std::string& path) {
  const OpenFile file(open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.fd() < 0) {
    const std::string text = "cannot make the key file " + path + ": " + Why();
    return errno == EEXIST ? Status::Conflict(text) : Status::InvalidArgument(text);
  }
  Key key;
  RELAY_CHECK(RAND_priv_bytes(key.data(), static_cast<int>(key.size())) == 1);
  const bool written =
      write(file.fd(), key.data(), key.size()) == static_cast<ssize_t>(key.size()) &&
      fsync(file.fd()) == 0;
  OPENSSL_cleanse(key.data(), key.size());
  if (written) return Status::Ok();
  const Status failed = Status::Unavailable("cannot write the key file " + path + ": " + Why());
  unlink(path.c_str());
  return failed;
}

SecretBox::SecretBox(const Key& key)
    : key_(key),
      key_id_(Sha256Hex(std::string_view(reinterpret_cast<const char*>(key.data()), key.size()))
                  .substr(0, kKeyIdDigits)),
      cipher_(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr)),
      context_(EVP_CIPHER_CTX_new()) {
  RELAY_CHECK(cipher_ && context_);
}

SecretBox::SecretBox(SecretBox&& other) noexcept
    : key_(other.key_),
      key_id_(std::move(other.key_id_)),
      cipher_(std::move(other.cipher_)),
      context_(std::move(other.context_)) {
  OPENSSL_cleanse(other.key_.data(), other.key_.size());
}

SecretBox& SecretBox::operator=(SecretBox&& other) noexcept {
  std::swap(key_, other.key_);
  std::swap(key_id_, other.key_id_);
  std::swap(cipher_, other.cipher_);
  std::swap(context_, other.context_);
  return *this;
}

SecretBox::~SecretBox() {
  OPENSSL_cleanse(key_.data(), key_.size());
}

std::string SecretBox::Seal(std::string_view secret, std::string_view place) const {
  std::vector<unsigned char> sealed(kNonceBytes + secret.size() + kTagBytes);
  unsigned char* nonce = sealed.data();
  unsigned char* text = nonce + kNonceBytes;
  unsigned char* tag = text + secret.size();
  int size = 0;
  // A random nonce of 96 bits may be used for 2^32 secrets with one key, far more than there are.
  const bool done =
      RAND_bytes(nonce, kNonceBytes) == 1 &&
      EVP_EncryptInit_ex2(context_.get(), cipher_.get(), key_.data(), nonce, nullptr) == 1 &&
      EVP_EncryptUpdate(context_.get(), nullptr, &size, Bytes(place),
                        static_cast<int>(place.size())) == 1 &&
      EVP_EncryptUpdate(context_.get(), text, &size, Bytes(secret),
                        static_cast<int>(secret.size())) == 1 &&
      EVP_EncryptFinal_ex(context_.get(), tag, &size) == 1 &&
      EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_GET_TAG, kTagBytes, tag) == 1;
  RELAY_CHECK(done);
  return std::string(kPrefix).append(key_id_).append(":").append(Base64(sealed));
}

Result<std::string> SecretBox::Open(std::string_view sealed, std::string_view place) const {
  if (!sealed.starts_with(kPrefix)) {
    return Status::InvalidArgument("the secret of " + std::string(place) + " is not sealed");
  }
  sealed.remove_prefix(kPrefix.size());
  const size_t colon = sealed.find(':');
  const std::string_view key_id = sealed.substr(0, colon);
  if (key_id != key_id_) {
    return Status::InvalidArgument("the secret of " + std::string(place) + " was sealed with key " +
                                   std::string(key_id.substr(0, 16)) + ", the key file holds key " +
                                   key_id_);
  }
  std::vector<unsigned char> bytes =
      FromBase64(colon == std::string_view::npos ? "" : sealed.substr(colon + 1));
  const Status changed = Status::InvalidArgument("the sealed secret of " + std::string(place) +
                                                 " was changed or belongs to another place");
  if (bytes.size() < kNonceBytes + kTagBytes) return changed;
  const size_t secret_size = bytes.size() - kNonceBytes - kTagBytes;
  unsigned char* text = bytes.data() + kNonceBytes;
  std::string out(secret_size, '\0');
  auto* clear = reinterpret_cast<unsigned char*>(out.data());
  int size = 0;
  const bool authentic =
      EVP_DecryptInit_ex2(context_.get(), cipher_.get(), key_.data(), bytes.data(), nullptr) == 1 &&
      EVP_DecryptUpdate(context_.get(), nullptr, &size, Bytes(place),
                        static_cast<int>(place.size())) == 1 &&
      EVP_DecryptUpdate(context_.get(), clear, &size, text, static_cast<int>(secret_size)) == 1 &&
      EVP_CIPHER_CTX_ctrl(context_.get(), EVP_CTRL_AEAD_SET_TAG, kTagBytes, text + secret_size) ==
          1 &&
      EVP_DecryptFinal_ex(context_.get(), clear + secret_size, &size) == 1;
  if (!authentic) return changed;
  return out;
}

}  // namespace relay
