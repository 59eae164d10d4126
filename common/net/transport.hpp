#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/time.hpp"
#include "common/net/socket.hpp"

/// What lies below a node: ZeroMQ and the system's clock (common/role), or what the tests simulate.
namespace eole::net {

/// What carries a Socket; its functions do what Socket says of those with the same name.
class Socket::Carrier {
 public:
  virtual ~Carrier() = default;
  virtual std::string bind(const std::string& endpoint, const std::string& only_key) = 0;
  virtual void connect(const std::string& endpoint, bool once) = 0;
  virtual void subscribe(std::string_view prefix) = 0;
  virtual void limit_queue(int messages) = 0;
  virtual void limit_unread(int messages) = 0;
  virtual bool send(protocol::Message&& message) = 0;
  /// With a first frame: whom it goes to, or what it is published as.
  virtual bool send(std::string_view address, protocol::Message&& message) = 0;
  virtual bool send(const Bytes& head, std::shared_ptr<const Bytes> payload) = 0;
  virtual bool has_room(std::size_t bytes) = 0;
  virtual std::optional<Subscription> next_subscription() = 0;
  virtual std::optional<Received> receive() = 0;
  virtual bool wait(int milliseconds) = 0;
  virtual int fd() const = 0;
  virtual bool& due() = 0;
  virtual std::unique_ptr<Monitor::Carrier> watch() = 0;
};

/// What carries a Monitor.
class Monitor::Carrier {
 public:
  virtual ~Carrier() = default;
  virtual int fd() const = 0;
  virtual std::optional<ConnectionEvent> next() = 0;
};

/// What a node has of the world: sockets, a clock, random bits. One thread.
class Transport {
 public:
  virtual ~Transport() = default;
  virtual Socket open(SocketType type) = 0;
  /// `due` becomes true when `fd` may have input; the node makes it false again.
  virtual void watch(int fd, bool& due) = 0;
  virtual void unwatch(int fd) = 0;
  /// The monotonic clock.
  virtual TimePoint now() const = 0;
  /// Milliseconds since 1970 in UTC: for records that people read.
  virtual std::int64_t unix_ms() const = 0;
  virtual std::uint64_t random() = 0;
  /// Marks what came since the last turn as due, without waiting.
  virtual void look() = 0;
  /// Lets input gather for a moment.
  virtual void pause(Duration time) = 0;
};

}  // namespace eole::net
