#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "common/base/time.hpp"
#include "gateway/io/exchange.hpp"

namespace boost::asio {
class io_context;
}

namespace eole::gateway {

class Tls;

constexpr std::size_t kConnectionsMax = 8192;
/// Of one address beyond this machine, so that nobody can keep all others out.
constexpr std::size_t kConnectionsOfAddressMax = kConnectionsMax / 2;
constexpr Duration kHeadTime = 10s;                     // For a head, from its first byte on.
constexpr Duration kIdleTime = 60s;                     // Between requests.
constexpr Duration kWriteTime = 30s;                    // For each kPieceBytes of what is written.
constexpr Duration kBodyTime = 5s;          // A body may come slowly so long; then it has a pace.
constexpr std::size_t kBodyPaceMin = 1024;  // Bytes a second of a body.

/// Listens, and serves the requests of each connection, one after another.
class Server {
 public:
  /// What answers a request; the connection goes on as the answer allows.
  using Serve = std::function<awaitable<std::optional<http::Response>>(Exchange& exchange)>;
  Server(asio::io_context& loop, Serve serve);
  ~Server();
  /// Who may connect.
  struct Door {
    std::shared_ptr<const Tls> tls = nullptr;  // Encrypted; of all connections.
    /// Everybody may; else processes of this user and of root, and only within this machine.
    bool is_open = false;
    /// Whoever asked once is asked for each second; whom it refuses is cut off.
    std::function<bool(const Caller& caller)> is_still_let_in = nullptr;
  };
  /// "127.0.0.1:8080", "[::1]:0". Throws net::CannotBind, or std::runtime_error if it is none.
  void listen(const std::string& address, Door door);
  /// With the port that was found.
  const std::string& address() const { return address_; }
  std::size_t connections() const;
  /// How many requests were answered, by what answered them (null: no route) and the status: as many
  /// as there are of these, whatever is asked.
  using Answered = std::map<std::pair<const Route*, int>, std::uint64_t>;
  const Answered& answered() const;
  /// Takes no more connections, and closes those between two requests. is_idle() once none is left.
  void stop();
  bool is_idle() const;

 private:
  class Connection;
  struct State;
  std::shared_ptr<State> state_;
  std::string address_;
};

}  // namespace eole::gateway
