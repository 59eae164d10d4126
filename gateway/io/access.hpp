#pragma once
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/time.hpp"
#include "gateway/core/access/guesses.hpp"
#include "gateway/core/access/session.hpp"
#include "gateway/io/routes.hpp"

namespace eole::gateway {

class Gateway;

/// Who may do what: tokens of the cluster's table, sessions of browsers, guesses.
class Access {
 public:
  struct Options {
    bool asks_token = false;  // Else whoever gets in is the owner.
    bool is_secure = false;   // Over TLS.
    std::string table;        // Path of the table of tokens.
    std::string cookie;       // Name of the session.
  };
  explicit Access(Options options) : options_(std::move(options)), table_(options_.table) {}
  bool asks_token() const { return options_.asks_token; }
  net::TokenTable& table() { return table_; }

  /// Who asks, and may: throws Problem 401, or 429 to who guesses too often; 403 with the role that
  /// the route takes, or to who is within a prefix where the route does not serve that; 503 if the
  /// table cannot be relied on.
  Caller admit(const Exchange& exchange, const Route& route);
  /// Who asks; without a role: nobody knows. Throws Problem 401, 429, 503.
  Caller find(const Exchange& exchange);
  /// Who shows it, from `address`. Throws Problem 401, 429, 503.
  Caller show(std::string_view token, const std::string& address);
  /// Its token is still the same, and its session has not run out.
  bool is_still_let_in(const Caller& caller);

  /// The field Set-Cookie that makes a browser go on as this caller; of nobody: as nobody.
  std::string cookie_for(const Caller& caller);
  /// When and from where a token was shown last, as far as this gateway knows.
  struct Use {
    std::int64_t unix_ms = 0;
    std::string address;
  };
  const Use* use(const std::string& name) const;

 private:
  const net::Token* by_name(std::string_view name);
  const std::vector<net::Token>& tokens();
  http::Problem refuse(const std::string& address, const std::string& why);
  void note(const Caller& caller, const std::string& address);

  Options options_;
  net::TokenTable table_;
  std::string problem_;  // With the table, said once.
  Guesses guesses_;
  std::map<std::string, Use> uses_;  // By name; of tokens that there are.
  std::uint64_t uses_of_ = 0;        // The state of the table at which that was so.
};

/// POST /login, POST /logout, GET /login; /tokens.
void add_access(Routes& routes, Gateway& gateway);

}  // namespace eole::gateway
