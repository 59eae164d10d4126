#pragma once
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "gateway/core/wamp/broker.hpp"
#include "gateway/core/wamp/dealer.hpp"

namespace eole::gateway::wamp {

constexpr std::string_view kRealm = "eole";
// One from a client; its tasks are 1 MiB each.
constexpr std::size_t kWampMessageBytesMax = 2 << 20;
constexpr std::size_t kHelloBytesMax = 4096;  // Before it is known who it is.

/// The sessions of all clients: each says hello, then subscribes, publishes, calls, registers.
/// Pure.
class Router {
 public:
  /// `own`: the procedures that the gateway runs.
  explicit Router(std::vector<std::string> own) : dealer_(std::move(own)) {}

  /// A client has connected; `session` is random: what it is called if it says hello. Who is not
  /// known shows a ticket before anything else.
  void open(Peer peer, std::uint64_t session, bool is_known = true);
  /// Its ticket is good, by this name; or it is not.
  void welcome(Peer peer, std::string_view name, Actions& out);
  void turn_away(Peer peer, std::string_view why, Actions& out);
  void on_text(Peer peer, std::string_view json, Actions& out);
  /// Its connection has ended.
  void close(Peer peer, Actions& out);
  /// The gateway ends: everybody is told.
  void shut_down(Actions& out);

  /// An event of the gateway's own; `tail`: tail_of its arguments.
  void publish(std::string_view topic, std::string_view tail, Actions& out) {
    broker_.publish(topic, tail, kSelf, out);
  }
  bool has_subscribers() const { return broker_.has_subscribers(); }
  Dealer& dealer() { return dealer_; }

 private:
  struct Session {
    Id id = 0;
    bool is_known = true;
    bool is_challenged = false;
    bool is_welcome = false;
    bool takes_interrupts = false;
    bool has_ended = false;
  };
  void on_hello(Peer peer, Session& session, const Message& message, Actions& out);
  void on_authenticate(Peer peer, Session& session, const Message& message, Actions& out);
  void on_message(Peer peer, Session& session, const Message& message, Actions& out);
  void leave(Peer peer, Session& session, Actions& out);
  void abort(Peer peer, Session& session, std::string_view why, std::string_view error,
             Actions& out);

  std::map<Peer, Session> sessions_;
  Broker broker_;
  Dealer dealer_;
};

}  // namespace eole::gateway::wamp
