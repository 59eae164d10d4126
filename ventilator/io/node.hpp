#pragma once
#include <deque>
#include <map>
#include <memory>
#include <string>

#include "common/net/poller.hpp"
#include "common/net/router.hpp"
#include "common/net/socket.hpp"
#include "common/process/system.hpp"
#include "common/storage/disk.hpp"
#include "ventilator/core/core.hpp"
#include "ventilator/io/journal.hpp"

namespace eole::ventilator {

struct NodeOptions {
  net::ClusterFile cluster;
  bool syncs = true;  // Whether the disk is waited for before anything is answered.
  std::string data;   // The journal's directory.
  Config config;
};

/// Does what the core decides: sockets, journal, clock.
class Node {
 public:
  explicit Node(NodeOptions options);
  /// Serves until SIGTERM or SIGINT; returns the exit code.
  int run();

 private:
  struct Pipe {
    net::Socket socket;
    net::Monitor monitor;
    std::string endpoint;
    std::string user;
    std::deque<protocol::Message> backlog;  // Bounded by the worker's credit.
    /// Sends what can go; false if something must wait.
    bool flush();
  };

  void take_messages();
  Expected<void> on(protocol::Submit& submit, const net::Sender& from);
  Expected<void> on(protocol::Cancel& cancel, const net::Sender& from);
  Expected<void> on(protocol::Query& query, const net::Sender& from);
  Expected<void> on(protocol::Hello& hello, const net::Sender& from);
  Expected<void> on(protocol::Beat& beat, const net::Sender& from);
  void on(protocol::Credit& credit, const net::Sender& from);
  void on(protocol::Goodbye& goodbye, const net::Sender& from);
  void on(protocol::Settled& settled, const net::Sender& from);
  void on(protocol::LogHead& log, const net::Sender& from);
  void on(protocol::Introduced& introduced, const net::Sender& from);
  void on(protocol::Refused& refused, const net::Sender& from);
  void tell_core(Event event) { core_.on_event(std::move(event), now_, actions_); }

  void drain(net::Socket& socket, const net::Router& messages);
  void drain_monitors();
  void cut_off_revoked();
  /// True while something waits for a pipe to take it.
  bool flush_backlogs();

  void perform();
  void act(const Reply& action);
  void act(const WelcomeWorker& action);
  void act(const ClosePipe& action);
  void act(const SendHelloAgain& action);
  void act(const SendOrders& action);
  void act(const SendTasks& action);
  void act(const PushVerdict& action);
  void act(const SendIntroduce& action);
  void act(const SendFollow& action);
  void act(const Stop& action);
  void act(const Forget&) {}
  void act(const JournalTasks&) {}  // Written before anything else.
  void act(const JournalCancel&) {}
  void act(const JournalNote&) {}

  NodeOptions options_;
  std::unique_ptr<storage::Directory> directory_;
  Journal journal_;
  net::Authority authority_;
  net::Context context_;
  net::Socket peers_;  // Clients and workers.
  net::Socket sink_;
  net::Socket verdicts_;
  net::Socket news_;
  net::Router from_peers_;
  net::Router from_sink_;
  net::Poller poller_;
  process::StopSignal stop_;
  std::uint64_t nonce_;
  TimePoint now_;  // Of this turn.
  Core core_;
  Actions actions_;
  std::map<Link, Pipe> pipes_;
  bool has_backlog_ = false;
  bool is_monitor_due_ = false;  // Of any pipe.
  bool is_stop_due_ = false;
  std::map<Peer, Bytes> accepted_;            // Acceptance records of this turn.
  std::map<std::string, std::string> users_;  // Who said hello in this turn -> its key.
  std::uint64_t revocations_ = 0;
  TimePoint next_key_check_{};
  bool is_full_ = false;
  TimePoint next_space_check_{};
  std::string stop_reason_;
};

}  // namespace eole::ventilator
