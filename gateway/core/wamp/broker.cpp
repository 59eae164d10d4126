#include "gateway/core/wamp/broker.hpp"

#include <algorithm>
#include <utility>

#include "common/base/text.hpp"

namespace eole::gateway::wamp {

namespace {

// "a..c" fits "a.b.c": an empty part is any part.
bool fits_wildcard(std::string_view pattern, std::string_view topic) {
  while (true) {
    const auto dot = pattern.find('.');
    const auto dot_of_topic = topic.find('.');
    const auto part = pattern.substr(0, dot);
    if (!part.empty() && part != topic.substr(0, dot_of_topic)) return false;
    if (dot == pattern.npos || dot_of_topic == topic.npos)
      return dot == pattern.npos && dot_of_topic == topic.npos;
    pattern.remove_prefix(dot + 1);
    topic.remove_prefix(dot_of_topic + 1);
  }
}

}  // namespace

Broker::Match Broker::match_of(const Value& options) {
  const auto match = options["match"].text_or("exact");
  if (match == "exact") return Match::kExact;
  if (match == "prefix") return Match::kPrefix;
  if (match == "wildcard") return Match::kWildcard;
  throw Violation(text("match ", match, ": exact, prefix or wildcard"));
}

void Broker::on_subscribe(Peer peer, const Message& message, Actions& out) {
  const auto request = message.id(1);
  const auto match = match_of(message.map(2));
  const auto& topic = message.uri(3);
  if (!is_uri(topic, match != Match::kExact))
    return send_error(peer, Type::kSubscribe, request, "wamp.error.invalid_uri", topic, out);
  auto& own = of_peer_[peer];
  if (own.size() >= kSubscriptionsMax)
    return send_error(peer, Type::kSubscribe, request, "eole.error.too_many",
                      text(own.size(), " subscriptions, limit ", kSubscriptionsMax), out);
  const Key key{match, topic};
  auto& id = ids_[key];
  if (id == 0) {
    id = ++last_;
    subscriptions_[id].key = key;
    if (match != Match::kExact) patterns_.insert(id);
  }
  subscriptions_[id].peers.insert(peer);
  own.insert(id);
  send(peer, encode(Type::kSubscribed, {request, id}), out);
}

void Broker::on_unsubscribe(Peer peer, const Message& message, Actions& out) {
  const auto request = message.id(1);
  const auto id = message.id(2);
  const auto own = of_peer_.find(peer);
  if (own == of_peer_.end() || own->second.erase(id) == 0)
    return send_error(peer, Type::kUnsubscribe, request, "wamp.error.no_such_subscription", {},
                      out);
  remove(peer, id);
  send(peer, encode(Type::kUnsubscribed, {request}), out);
}

void Broker::on_publish(Peer peer, const Message& message, Actions& out) {
  const auto request = message.id(1);
  const auto& options = message.map(2);
  const auto& topic = message.uri(3);
  const auto* wants_answer = options["acknowledge"].as<bool>();
  const bool is_answered = wants_answer != nullptr && *wants_answer;
  const auto refuse = [&](std::string_view error, std::string_view why) {
    if (is_answered) send_error(peer, Type::kPublish, request, error, why, out);
  };
  const auto tail = tail_of(message.args(4), message.kwargs(5));
  if (!is_uri(topic)) return refuse("wamp.error.invalid_uri", topic);
  if (topic.starts_with("eole.") || topic.starts_with("wamp."))
    return refuse("wamp.error.not_authorized",
                  text(topic, ": what begins like this is no client's"));
  const auto* excludes = options["exclude_me"].as<bool>();
  const auto id = publish(topic, tail, excludes == nullptr || *excludes ? peer : kSelf, out);
  if (is_answered) send(peer, encode(Type::kPublished, {request, id}), out);
}

Id Broker::publish(std::string_view topic, std::string_view tail, Peer but, Actions& out) {
  publication_ = publication_ % kLastId + 1;
  if (const auto exact = ids_.find(Key{Match::kExact, topic}); exact != ids_.end())
    tell(exact->second, subscriptions_.at(exact->second), topic, tail, but, out);
  for (const auto id : patterns_) {
    const auto& subscription = subscriptions_.at(id);
    const auto& [match, pattern] = subscription.key;
    if (match == Match::kPrefix ? topic.starts_with(pattern) : fits_wildcard(pattern, topic))
      tell(id, subscription, topic, tail, but, out);
  }
  return publication_;
}

void Broker::tell(Id id, const Subscription& subscription, std::string_view topic,
                  std::string_view tail, Peer but, Actions& out) const {
  Send event;
  for (const auto peer : subscription.peers)
    if (peer != but) event.peers.push_back(peer);
  if (event.peers.empty()) return;
  Value details = Value::Map{};
  if (subscription.key.first != Match::kExact) details.set("topic", topic);
  event.text = std::make_shared<const std::string>(
      encode(Type::kEvent, {id, publication_, std::move(details)}, tail));
  out.push_back(std::move(event));
}

void Broker::leave(Peer peer) {
  const auto own = of_peer_.extract(peer);
  if (!own) return;
  for (const auto id : own.mapped()) remove(peer, id);
}

void Broker::remove(Peer peer, Id id) {
  const auto found = subscriptions_.find(id);
  found->second.peers.erase(peer);
  if (!found->second.peers.empty()) return;
  ids_.erase(found->second.key);
  patterns_.erase(id);
  subscriptions_.erase(found);
}

}  // namespace eole::gateway::wamp
