#pragma once
#include <deque>
#include <map>
#include <optional>
#include <string>

#include "common/base/histogram.hpp"
#include "common/net/router.hpp"
#include "common/net/transport.hpp"
#include "common/protocol/news.hpp"
#include "common/protocol/range_pages.hpp"
#include "common/storage/disk.hpp"
#include "ventilator/core/core.hpp"
#include "ventilator/io/journal.hpp"

namespace eole::ventilator {

/// Descriptors that a worker's pipe and its monitor take, with some to spare.
constexpr std::uint64_t kFilesPerWorker = 8;

struct NodeOptions {
  net::ClusterFile cluster;
  Config config;
  storage::StoreOptions store;
  std::string boot_id;  // Of the machine: names this start of it.
};

/// Does what the core decides: sockets, journal. One thread; takes a turn whenever something came.
class Node {
 public:
  /// All of them outlive it. `directory`: the journal's. Throws if it cannot listen.
  Node(NodeOptions options, net::Transport& transport, net::Authority& authority,
       storage::Directory& directory);
  /// Takes what came, decides, acts. When the next turn is due, unless something comes.
  TimePoint turn();
  /// Nothing came for a moment.
  void rest() { journal_.rest(); }
  /// Asks it to end: what is accepted is durable.
  void stop() { exit_code_ = 0; }
  std::optional<int> exit_code() const { return exit_code_; }
  const Core& core() const { return core_; }

 private:
  struct Pipe {
    net::Socket socket;
    net::Monitor monitor;
    std::string endpoint;
    std::string user;
    std::string name;                    // As its worker calls itself.
    std::deque<SendTasks> backlog = {};  // Leased and not read yet; bounded by the worker's credit.
    bool is_full = false;                // Takes nothing: tasks are read once it has room.
    bool is_over = false;                // The next task cannot be had any more.
  };

  /// Now; what everybody's clock said of a moment it says again, unless that clock is set.
  Moment read_clock();
  void take_messages();
  Expected<void> on(protocol::Submit& submit, const net::Sender& from);
  Expected<void> on(protocol::Cancel& cancel, const net::Sender& from);
  Expected<void> on(protocol::Control& control, const net::Sender& from);
  Expected<void> on(protocol::Query& query, const net::Sender& from);
  Expected<void> on(protocol::Hello& hello, const net::Sender& from);
  Expected<void> on(protocol::Beat& beat, const net::Sender& from);
  void on(protocol::Credit& credit, const net::Sender& from);
  void on(protocol::Goodbye& goodbye, const net::Sender& from);
  void on(protocol::Settled& settled, const net::Sender& from);
  void on(protocol::LogHead& log, const net::Sender& from);
  void on(protocol::Introduced& introduced, const net::Sender& from);
  void on(protocol::Refused& refused, const net::Sender& from);
  protocol::Value metrics();
  void note_wait(std::string_view task_class, std::int64_t submitted_unix_ms, std::uint32_t count);
  void tell_core(Event&& event) { core_.on_event(std::move(event), now_, actions_); }

  void drain(net::Socket& socket, const net::Router& messages);
  void drain_monitors();
  void cut_off_revoked();
  void look_at_disk();
  /// True while something waits for a pipe to take it.
  bool flush_backlogs();
  /// Sends what can go; false if something must wait.
  bool flush(Pipe& pipe);
  /// The first of these tasks, as many as one message takes; none if the first is settled by now.
  protocol::Tasks next_message(const SendTasks& waiting);

  void perform();
  void act(const Reply& action);
  /// Made if it is not there; null if it cannot be.
  Pipe* pipe_of(const WelcomeWorker& action);
  void act(const WelcomeWorker& action);
  void act(const ClosePipe& action);
  void act(const SendHelloAgain& action);
  void act(const SendOrders& action);
  void act(const SendTasks& action);
  void act(const PushVerdict& action);
  void act(const SendIntroduce& action);
  void act(const SendFollow& action);
  void act(const SendAnnounce& action);
  void act(const Stop& action);
  void act(const Forget&) {}
  void act(const TellNews& action);
  void act(const JournalTasks&) {}  // Written before anything else.
  void act(const JournalCancel&) {}
  void act(const JournalNote&) {}
  void act(const JournalWish&) {}
  void act(const JournalProject&) {}

  NodeOptions options_;
  net::Transport& transport_;
  net::Authority& authority_;
  Journal journal_;
  net::Socket peers_;  // Clients and workers.
  net::Socket sink_;
  net::Socket verdicts_;
  net::Socket news_;
  net::Router from_peers_;
  net::Router from_sink_;
  std::uint64_t nonce_;
  TimePoint now_;  // Of this turn.
  std::int64_t unix_ahead_ms_ = 0;  // Of the process's clock.
  bool has_listeners_ = false;
  Core core_;
  Actions actions_;
  std::vector<protocol::NewsItem> told_;  // In this turn, for the sink.
  protocol::DiskNews disk_;
  protocol::RangePages introduced_;  // What the sink answered so far.
  std::map<Link, Pipe> pipes_;
  bool has_backlog_ = false;
  bool is_monitor_due_ = false;               // Of any pipe.
  std::map<Peer, Bytes> accepted_;            // Acceptance records of this turn.
  struct Greeter {
    std::string user;  // Its key.
    std::string name;
  };
  /// How long tasks waited for their first attempt.
  ByKind<Histogram> waits_;
  struct Wait {
    Histogram* of = nullptr;
    std::int64_t milliseconds = 0;
    std::uint32_t count = 0;
  };
  std::vector<Wait> sending_;             // Of the message that is being sent.
  Bytes last_class_;                      // Neighbours mostly share it …
  Histogram* last_waits_ = nullptr;       // … and are counted there.
  SyncTimes commits_;                     // Writes to the journal that were synced.
  std::map<std::string, Greeter> users_;  // Who said hello in this turn.
  std::uint64_t revocations_ = 0;
  TimePoint next_key_check_{};
  std::optional<int> exit_code_;
};

}  // namespace eole::ventilator
