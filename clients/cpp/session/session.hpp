#pragma once
#include <optional>
#include <string>
#include <vector>

#include "common/net/transport.hpp"
#include "common/protocol/refusal.hpp"

namespace eole::client {

class Session;

/// A socket at an endpoint, and whether its key may connect there. It stays where it is made.
class Connection {
 public:
  Connection(net::Transport& world, const std::string& endpoint);
  net::Socket* operator->() { return &socket_; }
  bool is_due() const { return socket_.is_due() || is_door_due_; }
  /// The key was turned away. That is for ever: libzmq does not try again, and nobody will answer.
  bool is_turned_away();

 private:
  friend class Part;
  net::Socket socket_;
  net::Monitor door_;
  bool is_door_due_ = true;
  bool is_turned_away_ = false;
};
/// What is told then.
inline protocol::Refused turned_away() {
  return protocol::refused(
      0, {"this key may not connect: it is not in the cluster's key table, or not any more",
          ErrorCode::kDenied});
}

/// What a session drives: sockets of its own, and the core that decides for them. Must not be
/// destroyed by a callback of its own.
class Part {
 public:
  explicit Part(Session& session);
  virtual ~Part();
  Part(const Part&) = delete;
  Part& operator=(const Part&) = delete;

 protected:
  net::Transport& world() const;
  void watch(Connection& connection) {
    watch(connection.socket_);
    watch(connection.door_.fd(), connection.is_door_due_);
  }
  void watch(net::Socket& socket) { watch(socket.fd(), socket.due()); }
  void watch(int fd, bool& due);

 private:
  friend class Session;
  /// Hands over all that came, does what is due, performs what that led to. Never blocks.
  virtual void turn(TimePoint now) = 0;
  /// Input may wait of which no descriptor tells.
  virtual bool is_due() const = 0;
  virtual std::optional<TimePoint> next_deadline() const = 0;
  Session& session_;
  std::vector<int> watched_;
};

/// Any number of questions, submissions, readers and transfers in one loop, none of which waits
/// for another. One thread; the transport and the session outlive the parts.
class Session {
 public:
  explicit Session(net::Transport& world) : world_(world) {}
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Takes what came and does what is due; callbacks are called from here. Never blocks.
  void turn();
  /// When the next turn is due if nothing comes; what is asked of a part may change it.
  std::optional<TimePoint> next_turn() const;

 private:
  friend class Part;
  net::Transport& world_;
  std::vector<Part*> parts_;
};

}  // namespace eole::client
