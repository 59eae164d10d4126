#include "worker/handlers/secrets.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <stdexcept>
#include <utility>

#include "common/base/shown.hpp"
#include "common/base/text.hpp"

namespace eole::worker {

using protocol::Value;

namespace {

constexpr std::string_view kStars = "***";
// Of fewer bytes one would be masked in words that only happen to have them; and guessed.
constexpr std::size_t kSecretBytesMin = 8;
constexpr std::size_t kSecretBytesMax = 4096;
constexpr std::size_t kSecretsMax = 1000;

bool is_name(std::string_view name) {
  const auto is_letter = [](unsigned char letter) { return std::isalnum(letter) || letter == '_'; };
  return !name.empty() && !std::isdigit(static_cast<unsigned char>(name[0])) &&
         std::all_of(name.begin(), name.end(), is_letter);
}

}  // namespace

Secrets::Secrets(const std::string& path) {
  if (path.empty()) return;
  const auto refuse = [&](const auto&... why) {
    throw std::runtime_error(text("--secrets ", path, ": ", why...));
  };
  struct stat is {};
  if (::stat(path.c_str(), &is) != 0) refuse(std::strerror(errno));
  if ((is.st_mode & 077) != 0) refuse("others may read it (chmod 0600)");
  if (is.st_uid != ::geteuid() && is.st_uid != 0) refuse("belongs to another user");
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(std::strerror(errno));
  std::string line;
  for (std::size_t number = 1; std::getline(file, line); ++number) {
    if (line.empty() || line[0] == '#') continue;
    const auto sign = line.find('=');
    const auto name = line.substr(0, sign);
    if (sign == line.npos || !is_name(name))
      refuse("line ", number, ": is no NAME=VALUE, a name of letters, digits and _");
    const auto bytes = line.size() - sign - 1;
    if (bytes < kSecretBytesMin || bytes > kSecretBytesMax)
      refuse("line ", number, ": ", name, " has ", bytes, " bytes, not ", kSecretBytesMin, " to ",
             kSecretBytesMax);
    if (line.find('\0') != line.npos) refuse("line ", number, ": holds a zero byte");
    if (!by_name_.emplace(name, line.substr(sign + 1)).second)
      refuse("line ", number, ": ", name, " is there twice");
    if (by_name_.size() > kSecretsMax) refuse("more than ", kSecretsMax, " secrets");
  }
  if (file.bad()) refuse("could not be read");
}

Expected<std::string> Secrets::find(const std::string& name) const {
  const auto found = by_name_.find(name);
  if (found != by_name_.end()) return found->second;
  return Error{text("this worker has no secret ", shown(name))};
}

void Mask::add(std::string secret) {
  auto password = secret.substr(secret.find(':') + 1);
  secrets_.push_back(std::move(secret));
  if (password.size() >= kSecretBytesMin) secrets_.push_back(std::move(password));
}

std::string Mask::masked(std::string_view bytes) const {
  MaskedStream all(*this);
  auto told = all.add(bytes);
  return told + all.end();
}

Value Mask::masked_value(const Value& value) const {
  if (const auto* words = value.as<std::string>()) return masked(*words);
  if (const auto* blob = value.as<protocol::Blob>()) return protocol::Blob{masked(blob->bytes)};
  if (const auto* items = value.as<Value::Array>()) {
    Value::Array told;
    for (const auto& item : *items) told.push_back(masked_value(item));
    return told;
  }
  if (const auto* members = value.as<Value::Map>()) {
    Value::Map told;
    for (const auto& [name, member] : *members) told.emplace_back(masked(name), masked_value(member));
    return told;
  }
  return value;
}

std::size_t Mask::begins_with(std::string_view bytes) const {
  std::size_t longest = 0;
  for (const auto& secret : secrets_)
    if (secret.size() > longest && bytes.starts_with(secret)) longest = secret.size();
  return longest;
}

bool Mask::may_begin_with(std::string_view bytes) const {
  return std::any_of(secrets_.begin(), secrets_.end(), [&](std::string_view secret) {
    return secret.size() > bytes.size() && secret.starts_with(bytes);
  });
}

std::string MaskedStream::add(std::string_view bytes) {
  if (mask_.is_empty()) return std::string(bytes);
  held_ += bytes;
  return tell(false);
}

std::string MaskedStream::end() { return tell(true); }

// What is held is as it came: a secret in it may yet be the begin of a longer one.
std::string MaskedStream::tell(bool is_all) {
  std::string told;
  std::size_t at = 0;
  for (; at < held_.size(); ++at) {
    const auto rest = std::string_view(held_).substr(at);
    if (!is_all && mask_.may_begin_with(rest)) break;
    const auto size = mask_.begins_with(rest);
    if (size > 0 && masked_ == 0) told += kStars;
    masked_ = std::max(masked_, size);
    if (masked_ == 0)
      told += held_[at];
    else
      --masked_;
  }
  held_.erase(0, at);
  return told;
}

}  // namespace eole::worker
