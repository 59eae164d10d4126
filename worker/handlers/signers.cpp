#include "worker/handlers/signers.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>

#include "common/base/ids.hpp"
#include "common/base/text.hpp"
#include "common/kinds/signature.hpp"
#include "common/process/signing.hpp"

namespace eole::worker {

namespace {
constexpr std::size_t kPublicKeyBytes = 32;
}

Signers::Signers(const std::vector<std::string>& paths) : are_needed_(!paths.empty()) {
  for (const auto& path : paths) {
    std::ifstream file(path);
    if (!file) throw std::runtime_error(text("--signed-by ", path, ": ", std::strerror(errno)));
    std::string line;
    for (std::size_t number = 1; std::getline(file, line); ++number) {
      const auto key = line.substr(0, line.find_first_of(" \t\r"));
      if (key.empty() || key[0] == '#') continue;
      auto bytes = kinds::bytes_of_hex(key, kPublicKeyBytes);
      if (!bytes)
        throw std::runtime_error(
            text("--signed-by ", path, ": line ", number, ": its key ", bytes.error().message));
      keys_.push_back(std::move(*bytes));
    }
  }
}

Expected<void> Signers::check(const protocol::Value& args) const {
  if (!are_needed_) return {};
  const auto& given = args[kinds::kSignature];
  if (given.is_null())
    return Error{"this worker runs signed commands alone, and it has no signature"};
  const auto signature = kinds::Signature::of(given.text_or(""));
  if (!signature) return Error{text("its signature ", signature.error().message)};
  if (std::find(keys_.begin(), keys_.end(), signature->public_key) == keys_.end())
    return Error{
        text("this worker does not know the key ", hex(signature->public_key), " that signed it")};
  if (!process::is_signature(signature->bytes, signature->public_key, kinds::bytes_to_sign(args)))
    return Error{"its signature is not of these arguments"};
  return {};
}

}  // namespace eole::worker
