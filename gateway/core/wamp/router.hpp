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
/// Those of one prefix of projects hear and call each other and nobody else: it is a realm of its
/// own, though all call it by the same name. Pure.
class Router {
 public:
  /// `own`: the procedures that the gateway runs.
  explicit Router(std::vector<std::string> own) : own_(std::move(own)) {}

  /// A client has connected; `session` is random: what it is called if it says hello. Who is not
  /// known shows a ticket before anything else.
  void open(Peer peer, std::uint64_t session, bool is_known = true, const std::string& within = {});
  /// Its ticket is good, by this name, and within these projects; or it is not.
  void welcome(Peer peer, std::string_view name, const std::string& within, Actions& out);
  void turn_away(Peer peer, std::string_view why, Actions& out);
  void on_text(Peer peer, std::string_view json, Actions& out);
  /// Its connection has ended.
  void close(Peer peer, Actions& out);
  /// The gateway ends: everybody is told.
  void shut_down(Actions& out);

  /// An event of a project, for who is within; `tail`: tail_of its arguments.
  void publish(std::string_view project, std::string_view topic, std::string_view tail,
               Actions& out);
  bool has_subscribers() const;
  Dealer& dealer(const std::string& within = {}) { return realm(within).dealer; }

 private:
  struct Realm {
    Broker broker;
    Dealer dealer;
  };
  struct Session {
    Id id = 0;
    Realm* realm = nullptr;
    bool is_known = true;
    bool is_challenged = false;
    bool is_welcome = false;
    bool takes_interrupts = false;
    bool has_ended = false;
  };
  Realm& realm(const std::string& within);
  void on_hello(Peer peer, Session& session, const Message& message, Actions& out);
  void on_authenticate(Peer peer, Session& session, const Message& message, Actions& out);
  void on_message(Peer peer, Session& session, const Message& message, Actions& out);
  void leave(Peer peer, Session& session, Actions& out);
  void abort(Peer peer, Session& session, std::string_view why, std::string_view error,
             Actions& out);

  std::vector<std::string> own_;
  // Kept: an answer that comes late must not meet another call. As many as tokens had prefixes.
  std::map<std::string, Realm> realms_;
  std::map<Peer, Session> sessions_;
};

}  // namespace eole::gateway::wamp
