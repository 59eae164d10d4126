#include "gateway/core/wamp/router.hpp"

#include <algorithm>
#include <utility>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/base/within.hpp"

namespace eole::gateway::wamp {

namespace {

Value welcome_details() {
  const auto features = [](std::initializer_list<const char*> names) {
    Value::Map map;
    for (const auto* name : names) map.emplace_back(name, true);
    return Value::Map{{"features", std::move(map)}};
  };
  return Value::Map{
      {"realm", kRealm},
      {"agent", "eole"},
      {"roles",
       Value::Map{{"broker", features({"pattern_based_subscription", "publisher_exclusion"})},
                  {"dealer", features({"progressive_call_results", "call_canceling"})}}}};
}

}  // namespace

Router::Realm& Router::realm(const std::string& within) {
  const auto known = realms_.find(within);
  if (known != realms_.end()) return known->second;
  return realms_.try_emplace(within, Realm{{}, Dealer(own_, within)}).first->second;
}

void Router::open(Peer peer, std::uint64_t id, bool is_known, const std::string& within) {
  auto& session = sessions_[peer];
  session.id = id % kLastId + 1;
  session.is_known = is_known;
  session.realm = &realm(within);
}

void Router::publish(std::string_view project, std::string_view topic, std::string_view tail,
                     Actions& out) {
  for (auto& [within, realm] : realms_)
    if (Within(within).has(project)) realm.broker.publish(topic, tail, kSelf, out);
}

bool Router::has_subscribers() const {
  return std::any_of(realms_.begin(), realms_.end(),
                     [](const auto& entry) { return entry.second.broker.has_subscribers(); });
}

void Router::on_text(Peer peer, std::string_view json, Actions& out) {
  const auto found = sessions_.find(peer);
  if (found == sessions_.end() || found->second.has_ended) return;
  auto& session = found->second;
  try {
    const Message message(json);
    if (session.is_welcome) return on_message(peer, session, message, out);
    if (message.type() == Type::kAuthenticate && session.is_challenged)
      return on_authenticate(peer, session, message, out);
    if (message.type() == Type::kHello && !session.is_challenged)
      return on_hello(peer, session, message, out);
    if (message.type() == Type::kGoodbye) return;  // The second half of one.
    throw Violation("a session begins with HELLO");
  } catch (const Violation& violation) {
    abort(peer, session, violation.why, "wamp.error.protocol_violation", out);
  }
}

void Router::on_hello(Peer peer, Session& session, const Message& message, Actions& out) {
  const auto& realm = message.uri(1);
  const auto& details = message.map(2);
  if (realm != kRealm)
    return abort(peer, session, text("realm ", realm, ": the only one is ", kRealm),
                 "wamp.error.no_such_realm", out);
  if (details["roles"].as<Value::Map>() == nullptr) throw Violation("HELLO says no roles");
  const auto& features = details["roles"]["callee"]["features"];
  session.takes_interrupts = features["call_canceling"] == Value(true);
  if (session.is_known || planted("wamp-without-ticket")) {
    session.is_welcome = true;
    session.realm->dealer.join(peer, session.takes_interrupts);
    return send(peer, encode(Type::kWelcome, {session.id, welcome_details()}), out);
  }
  const auto* methods = details["authmethods"].as<Value::Array>();
  if (methods == nullptr || std::count(methods->begin(), methods->end(), Value("ticket")) == 0)
    return abort(peer, session, "show a token: authmethods with ticket, or Authorization: Bearer",
                 "wamp.error.no_matching_auth_method", out);
  session.is_challenged = true;
  send(peer, encode(Type::kChallenge, {"ticket", Value::Map{}}), out);
}

void Router::on_authenticate(Peer peer, Session& session, const Message& message, Actions& out) {
  const auto& ticket = message.uri(1);
  message.map(2);
  session.is_challenged = false;
  out.emplace_back(TicketShown{peer, ticket});
}

void Router::welcome(Peer peer, std::string_view name, const std::string& within, Actions& out) {
  const auto found = sessions_.find(peer);
  if (found == sessions_.end() || found->second.has_ended) return;
  auto& session = found->second;
  session.is_known = session.is_welcome = true;
  session.realm = &realm(within);
  session.realm->dealer.join(peer, session.takes_interrupts);
  auto details = welcome_details();
  details.set("authid", name);
  details.set("authmethod", "ticket");
  details.set("authprovider", "static");
  send(peer, encode(Type::kWelcome, {session.id, std::move(details)}), out);
}

void Router::turn_away(Peer peer, std::string_view why, Actions& out) {
  const auto found = sessions_.find(peer);
  if (found == sessions_.end() || found->second.has_ended) return;
  abort(peer, found->second, why, "wamp.error.authentication_failed", out);
}

void Router::on_message(Peer peer, Session& session, const Message& message, Actions& out) {
  auto& [broker, dealer] = *session.realm;
  switch (message.type()) {
    case Type::kSubscribe:
      return broker.on_subscribe(peer, message, out);
    case Type::kUnsubscribe:
      return broker.on_unsubscribe(peer, message, out);
    case Type::kPublish:
      return broker.on_publish(peer, message, out);
    case Type::kRegister:
      return dealer.on_register(peer, message, out);
    case Type::kUnregister:
      return dealer.on_unregister(peer, message, out);
    case Type::kCall:
      return dealer.on_call(peer, message, out);
    case Type::kCancel:
      return dealer.on_cancel(peer, message, out);
    case Type::kYield:
      return dealer.on_yield(peer, message, out);
    case Type::kError:
      return dealer.on_error(peer, message, out);
    case Type::kGoodbye:
      leave(peer, session, out);
      return send(peer, encode(Type::kGoodbye, {Value::Map{}, "wamp.close.goodbye_and_out"}), out);
    case Type::kAbort:
      leave(peer, session, out);
      session.has_ended = true;
      out.emplace_back(End{peer});
      return;
    default:
      throw Violation(
          text("a message of type ", static_cast<int>(message.type()), " is no client's here"));
  }
}

// Of the session; the connection may begin another.
void Router::leave(Peer peer, Session& session, Actions& out) {
  if (!std::exchange(session.is_welcome, false)) return;
  session.realm->broker.leave(peer);
  session.realm->dealer.leave(peer, out);
}

void Router::abort(Peer peer, Session& session, std::string_view why, std::string_view error,
                   Actions& out) {
  leave(peer, session, out);
  session.has_ended = true;
  send(peer, encode(Type::kAbort, {Value::Map{{"message", why}}, error}), out);
  out.emplace_back(End{peer});
}

void Router::close(Peer peer, Actions& out) {
  const auto found = sessions_.find(peer);
  if (found == sessions_.end()) return;
  leave(peer, found->second, out);
  sessions_.erase(found);
}

void Router::shut_down(Actions& out) {
  for (auto& [peer, session] : sessions_) {
    if (std::exchange(session.has_ended, true)) continue;
    if (session.is_welcome)
      send(peer, encode(Type::kGoodbye, {Value::Map{}, "wamp.close.system_shutdown"}), out);
    out.emplace_back(End{peer});
  }
}

}  // namespace eole::gateway::wamp
