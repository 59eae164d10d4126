#include "gateway/core/access/session.hpp"

#include <algorithm>
#include <charconv>

#include "common/base/ids.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/process/hash.hpp"
#include "gateway/core/http/letters.hpp"

namespace eole::gateway {

namespace {

constexpr std::size_t kBlockBytes = 64;  // Of SHA-256.

// HMAC (RFC 2104).
std::string proof(std::string key, std::string_view text_of) {
  key.resize(kBlockBytes, '\0');  // A digest in hexadecimal has just so many.
  auto inner = key;
  auto outer = key;
  for (auto& byte : inner) byte ^= 0x36;
  for (auto& byte : outer) byte ^= 0x5c;
  return hex(process::sha256(outer + process::sha256(inner + std::string(text_of))));
}

// How long it takes says nothing of where they differ: what is compared are digests.
bool is_same(std::string_view one, std::string_view other) {
  return process::sha256(one) == process::sha256(other);
}

std::string signed_part(std::string_view name, std::int64_t until) {
  return text("eole session ", name, " ", until);
}

}  // namespace

std::string make_session(const net::Token& token, std::int64_t now_unix_ms) {
  const auto until = now_unix_ms + kSessionMs;
  return text(token.name, ".", until, ".", proof(token.sha256, signed_part(token.name, until)));
}

Session read_session(std::string_view session, const FindToken& find, std::int64_t now_unix_ms) {
  Session over{{}, true};
  const auto first = session.find('.');
  const auto second = first == session.npos ? first : session.find('.', first + 1);
  if (second == session.npos) return {};
  const auto name = session.substr(0, first);
  const auto written = session.substr(first + 1, second - first - 1);
  std::int64_t until = 0;
  const auto* end = written.data() + written.size();
  const auto read = std::from_chars(written.data(), end, until);
  if (read.ec != std::errc() || read.ptr != end) return {};
  if (until <= now_unix_ms && !planted("session-without-end")) return over;
  const auto* token = find(name);
  if (token == nullptr) return over;
  if (!is_same(session.substr(second + 1), proof(token->sha256, signed_part(name, until))))
    return {};
  auto caller = caller_of(*token);
  caller.until = until;
  return {std::move(caller)};
}

std::string set_cookie(std::string_view name, std::string_view session, bool is_secure) {
  const auto age = session.empty() ? 0 : kSessionMs / 1000;
  return text(name, "=", session, "; Path=/; Max-Age=", age, "; HttpOnly; SameSite=Strict",
              is_secure ? "; Secure" : "");
}

std::string_view cookie_in(const http::Request& request, std::string_view name) {
  auto rest = request.field("cookie");
  while (!rest.empty()) {
    const auto part = http::trimmed(rest.substr(0, rest.find(';')));
    rest.remove_prefix(
        std::min(rest.size(), rest.find(';') == rest.npos ? rest.size() : rest.find(';') + 1));
    if (part.size() > name.size() && part.starts_with(name) && part[name.size()] == '=')
      return part.substr(name.size() + 1);
  }
  return {};
}

std::string_view bearer_in(const http::Request& request) {
  const auto field = http::trimmed(request.field("authorization"));
  const auto blank = field.find(' ');
  if (blank == field.npos || http::lower(field.substr(0, blank)) != "bearer") return {};
  return http::trimmed(field.substr(blank));
}

}  // namespace eole::gateway
