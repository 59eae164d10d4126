#include "common/process/signing.hpp"

#include <openssl/evp.h>

#include <memory>
#include <stdexcept>

namespace eole::process {

namespace {

constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kSignatureBytes = 64;

using Key = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using Context = std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)>;

const unsigned char* data(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* data(std::string& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

Key private_key(std::string_view key) {
  return {EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, data(key), key.size()),
          &EVP_PKEY_free};
}

void need(bool is_done) {
  if (!is_done) throw std::runtime_error("no signature could be made");
}

}  // namespace

std::string new_signing_key() {
  Key made(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), &EVP_PKEY_free);
  std::string key(kKeyBytes, 0);
  auto bytes = key.size();
  need(made && EVP_PKEY_get_raw_private_key(made.get(), data(key), &bytes) == 1);
  return key;
}

std::string public_key_of(std::string_view key) {
  const auto own = private_key(key);
  std::string known(kKeyBytes, 0);
  auto bytes = known.size();
  need(own && EVP_PKEY_get_raw_public_key(own.get(), data(known), &bytes) == 1);
  return known;
}

std::string signature_of(std::string_view key, std::string_view bytes) {
  const auto own = private_key(key);
  const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  std::string signature(kSignatureBytes, 0);
  auto size = signature.size();
  need(own && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, own.get()) == 1 &&
       EVP_DigestSign(context.get(), data(signature), &size, data(bytes), bytes.size()) == 1);
  return signature;
}

bool is_signature(std::string_view signature, std::string_view public_key, std::string_view bytes) {
  const Key known(
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, data(public_key), public_key.size()),
      &EVP_PKEY_free);
  const Context context(EVP_MD_CTX_new(), &EVP_MD_CTX_free);
  return known &&
         EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, known.get()) == 1 &&
         EVP_DigestVerify(context.get(), data(signature), signature.size(), data(bytes),
                          bytes.size()) == 1;
}

}  // namespace eole::process
