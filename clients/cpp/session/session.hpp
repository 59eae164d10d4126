#pragma once
#include <optional>
#include <string>
#include <vector>

#include "common/net/transport.hpp"

namespace eole::client {

class Session;

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
  /// A socket at `endpoint` that wakes the session.
  net::Socket connected(const std::string& endpoint);
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
