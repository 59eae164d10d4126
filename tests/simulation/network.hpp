#pragma once
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "common/net/transport.hpp"
#include "common/protocol/head.hpp"

namespace eole::simulation {

class Fabric;
class SimSocket;
class SimTransport;

/// Whoever has sockets: a process, a client.
class Party {
 public:
  virtual ~Party() = default;
  virtual const std::string& name() const = 0;
  /// Something came.
  virtual void wake() = 0;
  /// Sees each message that it sends, as it leaves.
  virtual void on_sent(const protocol::HeadReader&, const protocol::Message&) {}
};

/// Where a cluster of names listens: "sim://NAME/PLACE".
std::string place(const std::string& party, const std::string& what);

/// All sockets of a run. Messages may be lost, doubled and late; one that waits for a peer that is
/// down may still come. A pipe is a connection: it keeps its order, and ends for ever.
class Network {
 public:
  explicit Network(Fabric& fabric) : fabric_(fabric) {}
  /// Ends the pipe that this party receives on; the other end may not notice.
  void break_pipe(const std::string& receiver, bool is_noticed);

 private:
  friend class SimSocket;
  using SocketId = std::uint64_t;
  using PlaceId = std::size_t;
  struct Packet {
    SocketId from = 0;
    PlaceId to = 0;
    net::Received received;
  };
  struct Place {
    std::string endpoint;
    std::string party;
    SocketId bound = 0;
    std::set<SocketId> subscribers;
    std::vector<std::shared_ptr<Packet>> waiting;  // For it to be bound.
  };
  struct Pipe {
    SocketId sender = 0;
    bool is_broken = false;    // And its sender does not know.
    TimePoint last_arrives{};  // Its messages keep their order.
  };

  bool send(const SimSocket& from, const protocol::Message& message);
  void arrive(std::shared_ptr<Packet> packet);
  void on_bound(PlaceId place);
  bool send_to(const SimSocket& from, SocketId to, net::Received received);
  bool send_on_pipe(const SimSocket& from, const protocol::Message& message);
  void open_pipe(const SimSocket& receiver);
  void end_pipes_of(const SimSocket& socket);
  void tell(SocketId socket, net::ConnectionEvent event, TimePoint when);
  SimSocket* find(SocketId id) const;
  PlaceId place_of(const std::string& endpoint);
  std::string name_of(SocketId id) const;

  Fabric& fabric_;
  std::vector<SimSocket*> sockets_{nullptr};  // By their numbers; null once closed.
  std::vector<Place> places_{{}};
  std::map<SocketId, Pipe> pipes_;  // By their receivers.
};

/// One life of a party: sockets, the virtual clock, the run's random bits.
class SimTransport final : public net::Transport {
 public:
  SimTransport(Fabric& fabric, Party& party) : fabric_(fabric), party_(party) {}
  net::Socket open(net::SocketType type) override;
  void watch(int fd, bool& due) override { watched_[fd] = &due; }
  void unwatch(int fd) override { watched_.erase(fd); }
  TimePoint now() const override;
  std::int64_t unix_ms() const override;
  std::uint64_t random() override;
  void look() override {}
  void pause(Duration) override {}

  Party& party() const { return party_; }
  void wake(int fd);

 private:
  Fabric& fabric_;
  Party& party_;
  std::map<int, bool*> watched_;
};

class SimSocket final : public net::Socket::Carrier {
 public:
  SimSocket(Fabric& fabric, SimTransport& transport, net::SocketType type);
  ~SimSocket() override;
  SimSocket(const SimSocket&) = delete;
  SimSocket& operator=(const SimSocket&) = delete;

  std::string bind(const std::string& endpoint, const std::string& only_key) override;
  void connect(const std::string& endpoint, bool once) override;
  void subscribe(std::string_view prefix) override { prefixes_.emplace_back(prefix); }
  void limit_queue(int) override {}
  void limit_unread(int) override {}
  bool send(protocol::Message&& message) override;
  bool send(std::string_view address, protocol::Message&& message) override;
  bool send(const Bytes& head, std::shared_ptr<const Bytes> payload) override;
  bool has_room(std::size_t bytes) override;
  std::optional<net::Subscription> next_subscription() override {
    return is_due_ = false, std::nullopt;
  }
  std::optional<net::Received> receive() override;
  bool wait(int) override { return !inbox_.empty(); }
  int fd() const override { return static_cast<int>(id_); }
  bool& due() override { return is_due_; }
  std::unique_ptr<net::Monitor::Carrier> watch() override;

 private:
  friend class Network;
  friend class SimMonitor;
  bool sent(bool is_taken, const protocol::Message& message, std::string_view to);
  void take(net::Received received);
  bool is_full() const;
  bool wants(std::string_view topic) const;

  Fabric& fabric_;
  SimTransport& transport_;
  net::SocketType type_;
  std::uint64_t id_;
  std::size_t bound_ = 0;
  std::size_t connected_ = 0;
  std::vector<std::string> prefixes_;
  std::deque<net::Received> inbox_;
  bool is_due_ = true;
  std::deque<net::ConnectionEvent> events_;  // For its monitor.
};

}  // namespace eole::simulation
