#pragma once
#include <functional>
#include <optional>

#include "common/net/poller.hpp"
#include "common/net/security.hpp"
#include "common/net/transport.hpp"
#include "common/process/system.hpp"
#include "common/role/log_sender.hpp"
#include "common/role/watchdog.hpp"

namespace eole::role {

/// What a role's main thread turns in: ZeroMQ, the system's clock, and the signals that end it.
class Loop final : public net::Transport {
 public:
  enum class Kind { kServes, kConnects };
  /// Before any thread is started: they shall not take the signals. Throws std::runtime_error.
  Loop(const net::ClusterFile& cluster, Kind kind);

  net::Context& context() { return *context_; }
  net::Authority& authority() { return authority_; }

  net::Socket open(net::SocketType type) override { return {context(), type}; }
  void watch(int fd, bool& due) override { poller_.add(fd, due); }
  void unwatch(int fd) override { poller_.remove(fd); }
  TimePoint now() const override { return process::now(); }
  std::int64_t unix_ms() const override { return process::unix_ms(); }
  std::uint64_t random() override { return process::random_u64(); }
  void look() override { poller_.wait(Duration(0)); }
  void pause(Duration time) override;

  /// How often SIGTERM or SIGINT came since the last call.
  int take_stops();
  /// Sends what was logged, and word to the service manager; when to call it again, if ever.
  std::optional<TimePoint> report();
  /// Until something comes, but not longer than `until`. `rest` is called once nothing came for a
  /// moment.
  void sleep(std::optional<TimePoint> until, const std::function<void()>& rest);
  /// Readable when sleep() would not: for a loop that waits for more than this.
  int fd() const { return poller_.fd(); }

 private:
  process::StopSignal stop_;
  bool is_stop_due_ = false;
  net::Authority authority_;
  std::optional<net::Context> context_;
  net::Poller poller_;
  std::optional<LogSender> log_;
  Watchdog watchdog_;
};

/// Serves until the node is over; its exit code. A node takes a turn whenever something came or
/// is due: turn() returns when it needs the next one at the latest, if ever.
template <class Node>
int run(Node& node, Loop& loop) {
  while (true) {
    for (auto stops = loop.take_stops(); stops > 0; --stops) node.stop();
    const auto until = node.turn();
    if (const auto code = node.exit_code()) return *code;
    loop.sleep(until, [&] { node.rest(); });
  }
}

}  // namespace eole::role
