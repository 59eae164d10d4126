#include "common/base/logins.hpp"

#include <algorithm>

#include "common/base/text.hpp"

namespace eole {

namespace {
constexpr std::string_view kMasked = "***";
}

std::size_t login_bytes(std::string_view rest) {
  const auto end = std::min(rest.size(), rest.find_first_of(" \t\r\n\"'<>"));
  const auto authority = rest.substr(0, std::min(end, rest.find_first_of("/?#")));
  if (const auto at = authority.rfind('@'); at != authority.npos) return at + 1;
  // A port that is no number: a password with a slash in it, so the @ comes later.
  const auto colon = authority.rfind(':');
  if (colon == authority.npos || authority.find(']', colon) != authority.npos ||
      authority.find_first_not_of("0123456789", colon + 1) == authority.npos)
    return 0;
  const auto at = rest.substr(0, end).rfind('@');
  return at == rest.npos ? 0 : at + 1;
}

std::string without_passwords(std::string_view words) {
  std::string out;
  while (true) {
    const auto scheme = words.find("://");
    if (scheme == words.npos) return out += words;
    out += words.substr(0, scheme + 3);
    words.remove_prefix(scheme + 3);
    if (const auto bytes = login_bytes(words)) {
      out += text(kMasked, '@');
      words.remove_prefix(bytes);
    }
  }
}

}  // namespace eole
