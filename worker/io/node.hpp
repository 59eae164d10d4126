#pragma once
#include <memory>
#include <optional>
#include <string>

#include "common/net/poller.hpp"
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
  void drain(net::Socket& socket, TimePoint now);
  void drain_monitor(TimePoint now);
  void handle(net::Received received, TimePoint now);
  void take_from_slots(TimePoint now);
  void send_progress(TimePoint now);
  void perform(TimePoint now);
  void act(const SendHello& action, TimePoint now);
  void act(const OpenPipe& action, TimePoint now);
  void act(const ClosePipe& action, TimePoint now);
  void act(const SendBeat& action, TimePoint now);
  void act(const SendCredit& action, TimePoint now);
  void act(const SendGoodbye& action, TimePoint now);
  void act(const StartTask& action, TimePoint now);
  void act(const StartBatch& action, TimePoint now);
  void act(const KillTask& action, TimePoint now);
  void act(const SendResults& action, TimePoint now);
  void act(const Exit& action, TimePoint now);

  NodeOptions options_;
  net::Context context_;
  net::Socket control_;
  net::Socket results_;
  net::Socket progress_;  // Its queue is short: a copy for people, which may be lost.
  net::Socket acks_;
  std::optional<net::Socket> pipe_;
  std::optional<net::Monitor> pipe_monitor_;
  net::Poller poller_;
  process::StopSignal stop_;
  int stops_ = 0;
  bool is_stop_due_ = false;
  bool are_slots_due_ = false;
  bool is_monitor_due_ = false;
  bool is_over_ = false;
  TimePoint next_progress_{};
  Core core_;
  Actions actions_;
  Slots slots_;
};

}  // namespace eole::worker
