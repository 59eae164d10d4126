#pragma once
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "common/role/loop.hpp"
#include "gateway/core/http/described.hpp"
#include "gateway/core/http/origin.hpp"
#include "gateway/io/access.hpp"
#include "gateway/io/fabric.hpp"
#include "gateway/io/page.hpp"
#include "gateway/io/ring.hpp"
#include "gateway/io/routes.hpp"
#include "gateway/io/server.hpp"

namespace eole::gateway {

struct Options {
  net::ClusterFile cluster;
  std::string data;         // A directory of the gateway's own: what is being uploaded.
  std::string listen;       // "127.0.0.1:0"
  bool asks_token = false;  // On this machine's own addresses, too.
  std::string certificate;  // A path; with its key: TLS, also on these.
  std::string key;
  std::string origin;  // Of another's page that may ask, "https://example.org".
};

/// The role: HTTP on one side, the ring on the other, one thread.
class Gateway {
 public:
  Gateway(Options options, role::Loop& loop);
  Fabric& fabric() { return fabric_; }
  /// The ring as who asks here may ask it.
  Ring ring(const Exchange& exchange) { return {fabric_, Within(exchange.caller.prefix)}; }
  Access& access() { return *access_; }
  Server& server() { return server_; }
  Routes& routes() { return routes_; }
  asio::io_context& io() { return io_; }
  const Options& options() const { return options_; }

  /// `wish` is called when the gateway is to end, while what is returned is kept.
  using Stop = std::function<void()>;
  [[nodiscard]] std::shared_ptr<void> on_stop(Stop wish);

  /// `how_many` there are now is told in this gateway's state, and in its metrics, as `name`.
  using HowMany = std::function<std::size_t()>;
  void tell(const std::string& name, HowMany how_many) { told_[name] = std::move(how_many); }
  const std::map<std::string, HowMany>& told() const { return told_; }

  /// Serves until a signal ends it; its exit code.
  int run();

 private:
  void open_door();
  awaitable<std::optional<http::Response>> serve(Exchange& exchange);
  void watch_ring();
  void sleep(std::optional<TimePoint> until);

  Options options_;
  role::Loop& loop_;
  const http::Described described_;
  Fabric fabric_;  // Outlives the coroutines that wait for it, which io_ has.
  Page page_;
  Routes routes_;
  http::Place place_;
  std::unique_ptr<Access> access_;
  std::map<std::uint64_t, Stop> stops_;
  std::uint64_t last_stop_ = 0;
  std::map<std::string, HowMany> told_;
  asio::io_context io_{1};
  asio::posix::stream_descriptor ring_;  // Readable when ZeroMQ or a signal has something.
  bool is_ring_watched_ = false;
  Server server_;
};

}  // namespace eole::gateway
