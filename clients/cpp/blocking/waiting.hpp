#pragma once
#include "clients/cpp/session/session.hpp"
#include "common/net/poller.hpp"
#include "common/process/system.hpp"

namespace eole::client {

/// A session with a loop of its own: for who has nothing else to do. One thread.
class Waiting final : public net::Transport {
 public:
  explicit Waiting(net::Context& context) : context_(context), session_(*this) {}

  Session& session() { return session_; }
  /// Takes a turn once something came or is due, or after `at_most`.
  void wait(Duration at_most);

  net::Socket open(net::SocketType type) override { return {context_, type}; }
  void watch(int fd, bool& due) override { poller_.add(fd, due); }
  void unwatch(int fd) override { poller_.remove(fd); }
  TimePoint now() const override { return process::now(); }
  std::int64_t unix_ms() const override { return process::unix_ms(); }
  std::uint64_t random() override { return process::random_u64(); }
  void look() override { poller_.wait(Duration(0)); }
  void pause(Duration time) override { poller_.wait(time); }

 private:
  net::Context& context_;
  net::Poller poller_;
  Session session_;
};

}  // namespace eole::client
