#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/expected.hpp"
#include "common/net/security.hpp"

namespace eole::net {

constexpr std::size_t kTokensMax = 1024;           // Of one cluster.
constexpr std::size_t kTokenNameBytesMax = 64;     // A token's name.

/// Who may use HTTP. What its holder shows is not kept, only the digest of that.
struct Token {
  std::string name;
  std::string sha256;  // Of what its holder shows: 64 letters.
  Role role = Role::kObserve;
  std::string prefix = {};  // Of projects, which it sees alone: "acme/"; empty: all.
  std::int64_t made_unix_ms = 0;
  std::uint32_t changes = 0;  // Of its role: what was opened before one is not let in after it.
  bool operator==(const Token&) const = default;
};
/// Whether only this machine's own processes reach this IP address.
inline bool is_local(std::string_view address) {
  return address == "::1" || address.starts_with("127.");
}
/// What its holder shows: "eole_" and 256 random bits. `random` gives 64 of them.
std::string make_token(const std::function<std::uint64_t()>& random);
/// One that a token can have.
Expected<Role> parse_token_role(std::string_view name);
/// Errors: what of it no token can be.
Expected<void> check_token(const Token& token);

/// The cluster's tokens: TOML, mode 0600. Read again whenever it has changed, so that a token that
/// is gone lets nobody in any more. One thread.
class TokenTable {
 public:
  explicit TokenTable(std::string path) : path_(std::move(path)) {}
  /// As the file is now; none if there is none. Throws std::runtime_error if it cannot be relied on
  /// (malformed, open to others): then nobody is to be let in.
  const std::vector<Token>& tokens();
  /// As many changes of the file as were seen.
  std::uint64_t changes() const { return changes_; }
  const std::string& path() const { return path_; }

  /// Durable when they return, whoever else changes it. Errors: the name is taken; nobody has it;
  /// kTokensMax; no token has this role.
  /// `within`: of those whose prefix begins so, as one's who changes it; others are none.
  Expected<void> add(const Token& token);
  Expected<void> remove(std::string_view name, std::string_view within = {});
  /// As it is then.
  Expected<Token> set_role(std::string_view name, Role role, std::string_view within = {});

 private:
  void refresh();
  void write(const std::vector<Token>& tokens) const;

  std::string path_;
  std::vector<Token> tokens_;
  std::array<std::int64_t, 3> seen_{-1, 0, 0};  // The file's time, number and size.
  std::uint64_t changes_ = 0;
};

}  // namespace eole::net
