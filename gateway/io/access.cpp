#include "gateway/io/access.hpp"

#include <algorithm>

#include "common/base/ids.hpp"
#include "common/base/text.hpp"
#include "common/process/hash.hpp"
#include "common/process/log.hpp"
#include "common/process/system.hpp"

namespace eole::gateway {

using http::Problem;

namespace {

constexpr std::int64_t kTicketMs = 10'000;  // For who connects, and shows its token then.

Problem unknown(const std::string& why) {
  Problem problem(401, why);
  problem.fields = {{"WWW-Authenticate", "Bearer realm=\"eole\""}};
  return problem;
}

}  // namespace

// Before each request: a token that is gone is refused from its next one on.
const std::vector<net::Token>& Access::tokens() {
  try {
    const auto& tokens = table_.tokens();
    problem_.clear();
    if (std::exchange(uses_of_, table_.changes()) != table_.changes())
      std::erase_if(uses_, [&](const auto& entry) {
        return std::none_of(tokens.begin(), tokens.end(),
                            [&](const auto& token) { return token.name == entry.first; });
      });
    return tokens;
  } catch (const std::exception& error) {
    if (std::exchange(problem_, error.what()) != error.what()) process::log_error(error.what());
  }
  throw Problem(503, "the table of tokens cannot be relied on; the gateway's log says why");
}

const net::Token* Access::by_name(std::string_view name) {
  const auto& all = tokens();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& token) { return token.name == name; });
  return found == all.end() ? nullptr : &*found;
}

Problem Access::refuse(const std::string& address, const std::string& why) {
  if (!guesses_.guess(address, process::now())) {
    Problem problem(429, text("more than ", Guesses::kGuessesMax,
                              " tries a second without a token that is one, from ", address));
    problem.fields = {{"Retry-After", "1"}};
    return problem;
  }
  return unknown(why);
}

void Access::note(const Caller& caller, const std::string& address) {
  uses_[caller.name] = {process::unix_ms(), address};
}

// What is looked up is a digest: how long that takes says nothing of the token.
Caller Access::show(std::string_view token, const std::string& address) {
  const auto digest = hex(process::sha256(token));
  const auto& all = tokens();
  const auto found =
      std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.sha256 == digest; });
  if (found == all.end()) throw refuse(address, "this token is none, or was revoked");
  auto caller = caller_of(*found);
  note(caller, address);
  return caller;
}

Caller Access::find(const Exchange& exchange) {
  if (!options_.asks_token) return {"", net::Role::kAdmin};
  const auto& request = exchange.request;
  if (!request.field("authorization").empty()) {
    const auto token = bearer_in(request);
    if (token.empty())
      throw refuse(exchange.address, "Authorization: wanted is Bearer and a token");
    return show(token, exchange.address);
  }
  const auto session = cookie_in(request, options_.cookie);
  if (session.empty()) return {};
  auto [caller, is_over] = read_session(
      session, [this](std::string_view name) { return by_name(name); }, process::unix_ms());
  constexpr auto kOver = "this session has run out, or its token was revoked";
  if (is_over) throw unknown(kOver);  // A page that is still open asks on: it guesses nothing.
  if (!caller) throw refuse(exchange.address, kOver);
  note(*caller, exchange.address);
  return *caller;
}

Caller Access::admit(const Exchange& exchange, const Route& route) {
  if (!route.role) return {};
  auto caller = find(exchange);
  if (!caller.role && route.takes_tickets &&
      !exchange.request.field("sec-websocket-protocol").empty()) {
    caller.until = process::unix_ms() + kTicketMs;
    return caller;
  }
  if (!caller.role)
    throw unknown(
        text(route.method, " ", route.path, ": needs a token of role ", net::to_text(*route.role)));
  if (!may(caller, route.role))
    throw Problem(
        403, text(route.method, " ", route.path, ": needs the role ", net::to_text(*route.role),
                  "; token ", caller.name, " has ", net::to_text(*caller.role)));
  if (route.reach != Reach::kWithin && !caller.prefix.empty())
    throw Problem(403, text(route.method, " ", route.path, ": tells of all projects; token ",
                            caller.name, " is bound to ", caller.prefix));
  return caller;
}

bool Access::is_still_let_in(const Caller& caller) {
  if (caller.until && *caller.until <= process::unix_ms()) return false;
  if (caller.sha256.empty()) return true;
  try {
    const auto* token = by_name(caller.name);
    return token != nullptr && is_same(caller, *token);
  } catch (const Problem&) {
    return false;
  }
}

std::string Access::cookie_for(const Caller& caller) {
  const auto* token = caller.name.empty() ? nullptr : by_name(caller.name);
  const auto session = token == nullptr ? std::string() : make_session(*token, process::unix_ms());
  return set_cookie(options_.cookie, session, options_.is_secure);
}

const Access::Use* Access::use(const std::string& name) const {
  const auto found = uses_.find(name);
  return found == uses_.end() ? nullptr : &found->second;
}

}  // namespace eole::gateway
