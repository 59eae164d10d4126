#pragma once
#include <map>
#include <set>
#include <string>
#include <utility>

#include "gateway/core/wamp/message.hpp"

namespace eole::gateway::wamp {

/// Who hears of which topics. Everybody who subscribed to one thing shares one subscription, so
/// that an event is one text for all of them.
class Broker {
 public:
  static constexpr std::size_t kSubscriptionsMax = 1024;  // Of one client.

  /// The messages SUBSCRIBE, UNSUBSCRIBE and PUBLISH.
  void on_subscribe(Peer peer, const Message& message, Actions& out);
  void on_unsubscribe(Peer peer, const Message& message, Actions& out);
  void on_publish(Peer peer, const Message& message, Actions& out);
  void leave(Peer peer);
  /// To all that subscribed but `but`; `tail`: the arguments, encoded. Returns the publication.
  Id publish(std::string_view topic, std::string_view tail, Peer but, Actions& out);
  bool has_subscribers() const { return !subscriptions_.empty(); }

 private:
  enum class Match : std::uint8_t { kExact, kPrefix, kWildcard };
  using Key = std::pair<Match, std::string>;
  struct Subscription {
    Key key;
    std::set<Peer> peers;
  };
  static Match match_of(const Value& options);
  void tell(Id id, const Subscription& subscription, std::string_view topic, std::string_view tail,
            Peer but, Actions& out) const;
  void remove(Peer peer, Id id);

  std::map<Key, Id> ids_;
  std::map<Id, Subscription> subscriptions_;
  std::set<Id> patterns_;  // Those that are not exact.
  std::map<Peer, std::set<Id>> of_peer_;
  Id last_ = 0;
  Id publication_ = 0;
};

}  // namespace eole::gateway::wamp
