#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "common/net/tokens.hpp"

namespace eole::gateway {

/// Who asks, and what that one may do.
struct Caller {
  std::string name;                        // Of the token; empty: none was shown.
  std::optional<net::Role> role;           // Nothing: nobody knows who it is.
  std::string prefix = {};                 // Of projects, outside of which it sees none.
  std::string sha256 = {};                 // Of the token.
  std::uint32_t changes = 0;               // Of the token's role, before this.
  std::optional<std::int64_t> until = {};  // Unix ms: then it must show its token again.
};

inline Caller caller_of(const net::Token& token) {
  return {token.name, token.role, token.prefix, token.sha256, token.changes};
}

/// Whether `token` is still as this caller showed it. One that had another role meanwhile is not:
/// who looks now and then may have missed that.
inline bool is_same(const Caller& caller, const net::Token& token) {
  return token.sha256 == caller.sha256 && token.role == caller.role &&
         token.prefix == caller.prefix && token.changes == caller.changes;
}

/// Whether it may do what takes `wanted`; nothing: that is anybody's. Who submits sees, too, and
/// who is an admin may do everything.
inline bool may(const Caller& caller, std::optional<net::Role> wanted) {
  using enum net::Role;
  if (!wanted || caller.role == kAdmin) return true;
  return caller.role == wanted || (caller.role == kSubmit && wanted == kObserve);
}

}  // namespace eole::gateway
