#include <algorithm>

#include "clients/cpp/tasks/schedule_view.hpp"
#include "common/base/ids.hpp"
#include "common/base/text.hpp"
#include "common/process/hash.hpp"
#include "common/process/log.hpp"
#include "common/process/system.hpp"
#include "gateway/io/access.hpp"
#include "gateway/io/answers.hpp"
#include "gateway/io/gateway.hpp"

namespace eole::gateway {

using http::Problem;
using http::Response;

namespace {

using Answered = awaitable<std::optional<Response>>;

constexpr std::string_view kToken = "/tokens/{name}";
constexpr std::size_t kNameLettersAdded = 6;  // So that the name that a tenant gives is free.
constexpr std::size_t kNameAskedBytesMax = net::kTokenNameBytesMax - 1 - kNameLettersAdded;

Response no_store(Response response) {
  response.fields.push_back({"Cache-Control", "no-store"});
  return response;
}

// Who one is here: what a page shows, and whether it must ask for a token.
Response about(Access& access, const Caller& caller) {
  Value view = Value::Map{{"asks_token", access.asks_token()},
                          {"name", caller.name.empty() ? Value() : Value(caller.name)},
                          {"role", caller.role ? Value(net::to_text(*caller.role)) : Value()},
                          {"prefix", caller.prefix}};
  if (caller.until) view.set("until", client::time_view(*caller.until));
  return no_store(json(200, view));
}

Answered who(Gateway& gateway, Exchange& exchange) {
  const auto caller = gateway.access().find(exchange);
  co_return about(gateway.access(), caller);
}

// {"token"}: from then on the browser's cookie says who it is.
Answered login(Gateway& gateway, Exchange& exchange) {
  auto& access = gateway.access();
  const auto asked = co_await read_map(exchange);
  only(asked, {{"token", Member::Is::kText}});
  if (!access.asks_token())
    throw Problem(409, "no token is asked here: whoever gets in is the owner");
  const auto caller = access.show(asked["token"].text_or(""), exchange.address);
  auto answer = about(access, caller);
  answer.fields.push_back({"Set-Cookie", access.cookie_for(caller)});
  co_return answer;
}

Answered logout(Gateway& gateway) {
  auto answer = about(gateway.access(), {});
  answer.fields.push_back({"Set-Cookie", gateway.access().cookie_for({})});
  co_return answer;
}

// An admin of some projects has to do with the tokens of these alone.
bool is_within(const Caller& caller, const net::Token& token) {
  return token.prefix.starts_with(caller.prefix);
}

Value view_of(const Access& access, const net::Token& token) {
  const auto* use = access.use(token.name);
  return Value::Map{{"name", token.name},
                    {"role", net::to_text(token.role)},
                    {"prefix", token.prefix},
                    {"made", client::time_view(token.made_unix_ms)},
                    {"last_used", use == nullptr ? Value() : client::time_view(use->unix_ms)},
                    {"last_from", use == nullptr ? Value() : Value(use->address)}};
}

const std::vector<net::Token>& tokens(Access& access) {
  try {
    return access.table().tokens();
  } catch (const std::exception& error) {
    throw Problem(503, error.what());
  }
}

Answered list(Gateway& gateway, Caller caller) {
  auto& access = gateway.access();
  Value::Array all;
  for (const auto& token : tokens(access))
    if (is_within(caller, token)) all.push_back(view_of(access, token));
  co_return no_store(json(200, Value::Map{{"tokens", std::move(all)}}));
}

template <class T>
void need(const Expected<T>& outcome, int status) {
  if (!outcome) throw Problem(status, outcome.error().message);
}

net::Role role_in(const Value& asked) {
  const auto role = net::parse_token_role(asked["role"].text_or(""));
  if (!role) throw Problem(400, role.error().message, {{"/role", "is no role of a token"}});
  return *role;
}

// That its name is taken would tell a tenant of others' tokens.
void add_letters(std::string& name) {
  if (name.size() > kNameAskedBytesMax)
    throw Problem(400,
                  text("name ", name, ": ", kNameAskedBytesMax, " letters at most, with a prefix"),
                  {{"/name", "is too long"}});
  name += text("-", hex(process::random_u64()).substr(0, kNameLettersAdded));
}

// {"name", "role", "prefix"}: the token is shown in this answer, and never again.
Answered add(Gateway& gateway, Exchange& exchange) {
  const auto asked = co_await read_map(exchange);
  only(asked, {{"name", Member::Is::kText}, {"role", Member::Is::kText}, {"prefix"}});
  const auto role = role_in(asked);
  const auto& words = *asked.as<Value::Map>();
  const bool is_bound = std::any_of(words.begin(), words.end(),
                                    [](const auto& word) { return word.first == "prefix"; });
  const auto prefix = asked["prefix"].text_or("");
  if (is_bound && prefix.empty())  // Who asks for a bound token does not get another.
    throw Problem(400, "prefix: is how projects begin, as acme/; left out it is all of them",
                  {{"/prefix", "is no prefix"}});
  const auto shown = net::make_token(process::random_u64);
  net::Token token{asked["name"].text_or(""), hex(process::sha256(shown)), role, prefix,
                   process::unix_ms()};
  need(net::check_token(token), 400);
  if (!exchange.caller.prefix.empty()) add_letters(token.name);
  if (!is_within(exchange.caller, token))
    throw Problem(403, text("prefix ", token.prefix, ": does not begin with ",
                            exchange.caller.prefix, ", outside of which this token sees nothing"));
  (void)tokens(gateway.access());
  need(gateway.access().table().add(token), 409);
  process::log_info(text("token ", token.name, " of role ", net::to_text(token.role),
                         " was made by ", exchange.by()));
  auto view = view_of(gateway.access(), token);
  view.set("token", shown);
  co_return no_store(json(201, view));
}

// The token that the path names; not the one that asks: the last admin could lock all of them out.
std::string named(Gateway& gateway, const Exchange& exchange) {
  auto name = segment(kToken, exchange.request, "name");
  if (name == exchange.caller.name)
    throw Problem(403, text("token ", name,
                            ": is the one that asks; another admin changes it, or `eole token`"));
  (void)tokens(gateway.access());
  return name;
}

// {"role"}: from the next request on, of the sessions with it, too.
Answered change(Gateway& gateway, Exchange& exchange) {
  const auto asked = co_await read_map(exchange);
  only(asked, {{"role", Member::Is::kText}});
  const auto role = role_in(asked);
  const auto name = named(gateway, exchange);
  const auto token = gateway.access().table().set_role(name, role, exchange.caller.prefix);
  need(token, 404);
  process::log_info(
      text("token ", name, " was given role ", net::to_text(role), " by ", exchange.by()));
  co_return no_store(json(200, view_of(gateway.access(), *token)));
}

Answered revoke(Gateway& gateway, Exchange& exchange) {
  const auto name = named(gateway, exchange);
  need(gateway.access().table().remove(name, exchange.caller.prefix), 404);
  process::log_info(text("token ", name, " was revoked by ", exchange.by()));
  co_return no_store(json(200, Value::Map{{"revoked", name}}));
}

}  // namespace

void add_access(Routes& routes, Gateway& gateway) {
  auto* of = &gateway;
  const auto admin = net::Role::kAdmin;
  routes.add({"GET", "/login", kAnybody, Reach::kWithin,
              [of](Exchange& exchange) { return who(*of, exchange); }});
  routes.add({"POST", "/login", kAnybody, Reach::kWithin,
              [of](Exchange& exchange) { return login(*of, exchange); }});
  routes.add(
      {"POST", "/logout", kAnybody, Reach::kWithin, [of](Exchange&) { return logout(*of); }});
  routes.add({"GET", "/tokens", admin, Reach::kWithin,
              [of](Exchange& exchange) { return list(*of, exchange.caller); }});
  routes.add({"POST", "/tokens", admin, Reach::kWithin,
              [of](Exchange& exchange) { return add(*of, exchange); }});
  routes.add({"PATCH", kToken, admin, Reach::kWithin,
              [of](Exchange& exchange) { return change(*of, exchange); }});
  routes.add({"DELETE", kToken, admin, Reach::kWithin,
              [of](Exchange& exchange) { return revoke(*of, exchange); }});
}

}  // namespace eole::gateway
