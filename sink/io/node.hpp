#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/net/poller.hpp"
#include "common/net/router.hpp"
#include "common/net/socket.hpp"
#include "common/process/system.hpp"
#include "sink/io/artifact_server.hpp"
#include "sink/io/result_log.hpp"

namespace eole::sink {

struct NodeOptions {
  net::ClusterFile cluster;
  bool syncs = true;  // Whether the disk is waited for before anything is answered.
  std::string data;   // Holds log/ and artifacts/.
};

/// Does what the core decides: sockets, log, clock.
class Node {
 public:
  explicit Node(NodeOptions options);
  /// Serves until SIGTERM or SIGINT; returns the exit code.
  int run();

 private:
  void take_messages();
  void on(protocol::Results& results, const net::Sender& from);
  void on(protocol::Verdicts& verdicts, const net::Sender& from);
  void on(protocol::Progress& progress, const net::Sender& from);
  Expected<void> on(protocol::Introduce& introduce, const net::Sender& from);
  Expected<void> on(protocol::Follow& follow, const net::Sender& from);
  Expected<void> on(protocol::Read& read, const net::Sender& from);
  Expected<void> on(protocol::Query& query, const net::Sender& from);
  Expected<void> on(protocol::Discard& discard, const net::Sender& from);
  void drain(net::Socket& socket, const net::Router& messages);
  /// How many results were written.
  std::uint64_t perform();
  void act(AppendBatch& action);
  void act(const AppendRun&) {}
  void act(const AppendIntroduction& action);
  void act(const AppendDiscard& action);
  void act(const PublishAck& action);
  void act(const Reply& action);
  void cut_off_revoked();
  void publish_levels(TimePoint now);
  void publish_head(TimePoint now);

  NodeOptions options_;
  std::unique_ptr<storage::Directory> directory_;
  std::unique_ptr<storage::Directory> artifacts_directory_;
  ResultLog log_;
  net::Authority authority_;
  net::Context context_;
  net::Socket results_;
  net::Socket publisher_;
  net::Socket queries_;
  net::Router from_workers_;  // And from ventilators: what nobody answers.
  net::Router from_askers_;
  std::optional<ArtifactServer> artifacts_;
  net::Poller poller_;
  process::StopSignal stop_;
  Actions actions_;
  std::map<RunId, std::uint64_t> acks_;          // Levels to publish soon.
  std::map<Origin, protocol::Settlement> news_;  // Not yet published.
  std::uint64_t news_count_ = 0;
  std::uint64_t published_to_ = 0;
  std::optional<TimePoint> levels_due_;
  TimePoint next_head_{};
  std::uint64_t revocations_ = 0;
  bool is_full_ = false;
  bool is_stop_due_ = false;
};

}  // namespace eole::sink
