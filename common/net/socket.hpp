#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "common/net/cluster_file.hpp"
#include "common/protocol/head.hpp"

/// Sockets: over ZeroMQ in the programs (zmq::error_t stops here), simulated in tests. One thread
/// per socket.
namespace eole::net {

class Context;

enum class SocketType : std::uint8_t { kPush, kPull, kPub, kSub, kDealer, kRouter };

/// A received message with what surrounds it.
struct Received {
  std::string peer;   // ROUTER: whom to answer.
  std::string topic;  // SUB: what it was published as.
  std::string user;   // The sender's public key; empty over ipc.
  protocol::Message message;
};

/// PUB: what a subscriber wants from now on, or wants no more.
struct Subscription {
  std::string topic;
  bool is_end = false;
  std::optional<std::string> user;  // Whose connection said so; nothing: its last one has ended.
};

/// In the place of a key: any that is bound to no prefix. What is published tells of all projects.
inline const std::string kUnboundKeys = "unbound";

/// An address that is not to be had now: later it may be.
class CannotBind : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Socket {
 public:
  class Carrier;
  explicit Socket(std::unique_ptr<Carrier> carrier);
  /// Over ZeroMQ.
  Socket(Context& context, SocketType type);
  ~Socket();
  Socket(Socket&&) noexcept;
  Socket& operator=(Socket&&) noexcept;

  /// Binds, as a server of the cluster. `only_key`: no other key may connect here (a pipe), or
  /// kUnboundKeys. A port FIRST-LAST is a free one of that range; an ipc address is free if nobody
  /// listens there. Returns the endpoint with its real port. Throws CannotBind, or
  /// std::runtime_error.
  std::string bind(const std::string& endpoint, const std::string& only_key = {});
  /// Connects. `once`: the connection is never made anew (a pipe).
  void connect(const std::string& endpoint, bool once = false);
  void subscribe(std::string_view prefix);
  /// How many messages wait for a peer that does not take them; then a send does nothing. Before
  /// connect().
  void limit_queue(int messages);
  /// How many messages of one peer wait to be received; then its connection is read no further.
  /// Before bind(); without it kUnreadMessagesMax.
  void limit_unread(int messages);

  /// False if the message cannot go now (no peer, or its queue is full): nothing was sent, and the
  /// message is as it was. One that is moved in goes without a copy.
  bool send(protocol::Message&& message);
  bool send(const protocol::Message& message);
  bool send_to(std::string_view peer, protocol::Message&& message);
  bool publish(std::string_view topic, protocol::Message&& message);
  /// `payload` is shared with whoever sends it again later; nobody changes it any more.
  bool send(const Bytes& head, std::shared_ptr<const Bytes> payload);
  /// PUB: the next that subscribers said. Each start is told; an end, if no other connection wants
  /// the topic, or if whoever says so never did.
  std::optional<Subscription> next_subscription();
  /// Whether a message of `bytes` could go now.
  bool has_room(std::size_t bytes);
  /// The next message that waits, if any; malformed multiparts are skipped.
  std::optional<Received> receive();
  /// Waits for input up to `milliseconds`.
  bool wait(int milliseconds);

  /// For a Poller, together with due(): true until receive() found nothing. Asking a socket that
  /// has nothing costs two system calls.
  int fd() const;
  bool& due();
  bool is_due() const;

 private:
  friend class Monitor;
  std::unique_ptr<Carrier> carrier_;
};

enum class ConnectionEvent : std::uint8_t { kUp, kDown, kRefused };

/// Tells when a socket's connection stands or ends.
class Monitor {
 public:
  class Carrier;
  explicit Monitor(Socket& socket);
  ~Monitor();
  Monitor(Monitor&&) noexcept;
  Monitor& operator=(Monitor&&) noexcept;
  int fd() const;
  std::optional<ConnectionEvent> next();

 private:
  std::unique_ptr<Carrier> carrier_;
};

/// The ZeroMQ context of one process, and the answer to "who may connect" if it is encrypted.
class Context {
 public:
  /// For a server (ventilator, sink): `authority` outlives the context; its thread answers every
  /// connection attempt. Proves that a stranger's key is refused; throws if it is not.
  Context(const ClusterFile& cluster, Authority& authority);
  /// For a process that only connects.
  explicit Context(const ClusterFile& cluster);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  /// Called by Socket's constructor.
  std::unique_ptr<Socket::Carrier> open(SocketType type);

  struct State;
  State& state() { return *state_; }

 private:
  std::unique_ptr<State> state_;
};

}  // namespace eole::net
