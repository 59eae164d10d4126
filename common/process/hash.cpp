#include "common/process/hash.hpp"

#include <openssl/evp.h>

#include <stdexcept>

namespace eole::process {

struct Hash::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Hash::Hash(Of algorithm) : state_(std::make_unique<State>()) {
  const auto* type = algorithm == Of::kSha1 ? EVP_sha1() : EVP_sha256();
  if (EVP_DigestInit_ex(state_->context, type, nullptr) != 1)
    throw std::runtime_error("this OpenSSL has no SHA-1 or no SHA-256");
}
Hash::~Hash() = default;

void Hash::add(std::string_view bytes) {
  EVP_DigestUpdate(state_->context, bytes.data(), bytes.size());
}

std::string Hash::digest() {
  std::string out(static_cast<std::size_t>(EVP_MD_CTX_get_size(state_->context)), '\0');
  EVP_DigestFinal_ex(state_->context, reinterpret_cast<unsigned char*>(out.data()), nullptr);
  return out;
}

std::string sha256(std::string_view bytes) {
  Sha256 hash;
  hash.add(bytes);
  return hash.digest();
}

}  // namespace eole::process
