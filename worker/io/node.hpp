#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/net/router.hpp"
#include "common/net/transport.hpp"
#include "common/protocol/news.hpp"
#include "worker/core/core.hpp"
#include "worker/io/task_runner.hpp"

namespace eole::worker {

struct NodeOptions {
  net::ClusterFile cluster;
  Config config;
};

/// Does what the core decides: sockets, tasks. One thread; takes a turn whenever something came.
class Node {
 public:
  /// Both outlive it.
  Node(NodeOptions options, net::Transport& transport, TaskRunner& runner);
  ~Node();
  Node(const Node&) = delete;
  Node& operator=(const Node&) = delete;
  /// Takes what came, decides, acts. When the next turn is due, unless something comes.
  std::optional<TimePoint> turn();
  void rest() {}
  /// Asks it to drain and end; asked twice it ends at once.
  void stop();
  /// How many tasks may run at the same time, from the next turn on.
  void set_slots(std::uint32_t slots) { tell_core(SlotsChanged{slots}); }
  std::optional<int> exit_code() const { return exit_code_; }
  const Core& core() const { return core_; }

 private:
  void drain(net::Socket& socket);
  void drain_monitor();
  void take_messages();
  void on(protocol::Tasks& tasks) { tell_core(TasksReceived{std::move(tasks)}); }
  void on(protocol::Ack& ack) { tell_core(AckReceived{ack}); }
  void on(protocol::LogHead& log) { has_listeners_ = log.wants_news != 0; }
  void on(protocol::Welcome& welcome) { tell_core(WelcomeReceived{std::move(welcome)}); }
  void on(protocol::HelloAgain& again) { tell_core(HelloAgainReceived{again.run}); }
  void on(protocol::Refused& refused);
  Expected<void> on(protocol::Orders& orders);
  void tell_core(Event&& event) { core_.on_event(std::move(event), now_, actions_); }
  void take_finished();
  void send_progress();
  void tell_started(const StartTask& task);
  void perform();
  void act(const SendHello& action);
  void act(const OpenPipe& action);
  void act(const ClosePipe& action);
  void act(const SendBeat& action);
  void act(const SendCredit& action);
  void act(const SendGoodbye& action);
  void act(const StartTask& action);
  void act(const StartBatch& action);
  void act(const KillTask& action);
  void act(const SendResults& action);
  void act(const Exit& action);

  NodeOptions options_;
  net::Transport& transport_;
  TaskRunner& runner_;
  net::Socket control_;
  net::Socket results_;
  net::Socket progress_;  // Its queue is short: a copy for people, which may be lost.
  net::Socket acks_;
  std::optional<net::Socket> pipe_;
  std::optional<net::Monitor> pipe_monitor_;
  net::Router messages_;
  bool is_draining_ = false;
  bool is_monitor_due_ = false;
  std::optional<int> exit_code_;
  TimePoint next_progress_{};
  bool has_listeners_ = false;  // To what happens.
  std::vector<protocol::NewsItem> started_;  // In this turn, by a slot.
  TimePoint now_;  // Of this turn.
  Core core_;
  Actions actions_;
};

}  // namespace eole::worker
