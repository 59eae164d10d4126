#pragma once
#include <memory>
#include <optional>
#include <string>

#include "common/net/poller.hpp"
#include "common/net/router.hpp"
#include "common/net/socket.hpp"
#include "common/process/system.hpp"
#include "worker/core/core.hpp"
#include "worker/io/slots.hpp"

namespace eole::worker {

struct NodeOptions {
  net::ClusterFile cluster;
  Config config;
  std::string scratch;
  bool allow_exec = false;
};

/// Does what the core decides: sockets, slots, clock.
class Node {
 public:
  Node(NodeOptions options, std::vector<std::unique_ptr<CommandRunner>> runners);
  /// Works until it is drained after SIGTERM or SIGINT; a second one ends it at once.
  int run();

 private:
  void drain(net::Socket& socket);
  void drain_monitor();
  void take_messages();
  void on(protocol::Tasks& tasks) { tell_core(TasksReceived{std::move(tasks)}); }
  void on(protocol::Ack& ack) { tell_core(AckReceived{ack}); }
  void on(protocol::Welcome& welcome) { tell_core(WelcomeReceived{std::move(welcome)}); }
  void on(protocol::HelloAgain& again) { tell_core(HelloAgainReceived{again.run}); }
  void on(protocol::Refused& refused);
  Expected<void> on(protocol::Orders& orders);
  void tell_core(Event event) { core_.on_event(std::move(event), now_, actions_); }
  void take_from_slots();
  void send_progress();
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
  net::Context context_;
  net::Socket control_;
  net::Socket results_;
  net::Socket progress_;  // Its queue is short: a copy for people, which may be lost.
  net::Socket acks_;
  std::optional<net::Socket> pipe_;
  std::optional<net::Monitor> pipe_monitor_;
  net::Router messages_;
  net::Poller poller_;
  process::StopSignal stop_;
  int stops_ = 0;
  bool is_stop_due_ = false;
  bool are_slots_due_ = false;
  bool is_monitor_due_ = false;
  bool is_over_ = false;
  TimePoint next_progress_{};
  TimePoint now_;  // Of this turn.
  Core core_;
  Actions actions_;
  Slots slots_;
};

}  // namespace eole::worker
