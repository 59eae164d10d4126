#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/core/access/caller.hpp"
#include "gateway/core/http/request.hpp"

namespace eole::gateway {

constexpr std::int64_t kSessionMs = 12 * 3'600'000;  // Then a browser shows its token again.

/// What a browser keeps instead of its token: the token's name, until when, and a proof that only
/// who has the table of tokens can make. So nothing is kept here, every gateway of the cluster
/// takes it, and it ends with its token.
std::string make_session(const net::Token& token, std::int64_t now_unix_ms);
/// Whose it is. Nobody's: it has run out or its token is gone, as of who comes back after a day; or
/// it never was one. `find`: a token by its name.
struct Session {
  std::optional<Caller> caller;
  bool is_over = false;
};
using FindToken = std::function<const net::Token*(std::string_view name)>;
Session read_session(std::string_view session, const FindToken& find, std::int64_t now_unix_ms);

/// A field Set-Cookie with it; of an empty one: which takes it away. `is_secure`: over TLS.
std::string set_cookie(std::string_view name, std::string_view session, bool is_secure);
/// Its value in the request's field Cookie; empty: it has none.
std::string_view cookie_in(const http::Request& request, std::string_view name);
/// "T" of "Authorization: Bearer T"; empty: it has none.
std::string_view bearer_in(const http::Request& request);

}  // namespace eole::gateway
