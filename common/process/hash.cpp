#include "common/process/hash.hpp"

#include <openssl/evp.h>

#include <stdexcept>

namespace eole::process {

struct Hash::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

namespace {

const EVP_MD* type_of(Hash::Of algorithm) {
  switch (algorithm) {
    case Hash::Of::kMd5:
      return EVP_md5();
    case Hash::Of::kSha1:
      return EVP_sha1();
    case Hash::Of::kBlake2b:
      return EVP_blake2b512();
    case Hash::Of::kSha256:
      break;
  }
  return EVP_sha256();
}

}  // namespace

Hash::Hash(Of algorithm) : state_(std::make_unique<State>()) {
  if (EVP_DigestInit_ex(state_->context, type_of(algorithm), nullptr) != 1)
    throw std::runtime_error("this OpenSSL lacks a digest");
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
