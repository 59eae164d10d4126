#pragma once
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/net/router.hpp"
#include "common/net/transport.hpp"
#include "common/protocol/news.hpp"
#include "common/protocol/range_pages.hpp"
#include "sink/core/keep.hpp"
#include "sink/core/listeners.hpp"
#include "sink/core/log_rates.hpp"
#include "sink/core/readers.hpp"
#include "sink/io/artifact_shelf.hpp"
#include "sink/io/history_desk.hpp"
#include "sink/io/result_log.hpp"

namespace eole::sink {

struct NodeOptions {
  net::ClusterFile cluster;
  storage::StoreOptions store;
  Retention retention;
};

/// Does what the core decides: sockets, log. One thread; takes a turn whenever something came.
class Node {
 public:
  /// All of them outlive it. `log`: its directory. `history`: who reads the log gets it from there.
  /// Throws if it cannot listen.
  Node(NodeOptions options, net::Transport& transport, net::Authority& authority,
       storage::Directory& log, ArtifactShelf& artifacts, HistoryDesk& history);
  /// Takes what came, decides, acts. When the next turn is due, unless something comes.
  TimePoint turn();
  /// Nothing came for a moment.
  void rest() { log_.rest(); }
  /// Asks it to end: what was published is durable.
  void stop() { exit_code_ = 0; }
  std::optional<int> exit_code() const { return exit_code_; }
  const ResultLog& log() const { return log_; }
  const Readers& readers() const { return readers_; }

 private:
  void take_messages();
  void on(protocol::Results& results, const net::Sender& from);
  void on(protocol::Verdicts& verdicts, const net::Sender& from);
  void on(protocol::Announce& announce, const net::Sender& from);
  void on(protocol::Progress& progress, const net::Sender& from);
  void on(protocol::News& news, const net::Sender& from);
  void on(protocol::LogLines& lines, const net::Sender& from);
  Expected<void> on(protocol::Introduce& introduce, const net::Sender& from);
  void on(protocol::Follow& follow, const net::Sender& from);
  void on(protocol::Read& read, const net::Sender& from);
  Expected<void> on(protocol::Query& query, const net::Sender& from);
  Expected<void> on(protocol::Discard& discard, const net::Sender& from);
  Expected<void> on(protocol::Attend& attend, const net::Sender& from);
  Expected<void> on(protocol::Control& control, const net::Sender& from);
  void answer_questions();
  Expected<void> answer(Question&& question);
  /// Letters off the list; answered once that is durable.
  void take_off(const Peer& peer, std::uint64_t request, Origin origin, const SeqRanges& seqs);
  void drain(net::Socket& socket, const net::Router& messages);
  /// How many results were written.
  std::uint64_t perform();
  void act(AppendBatch& action);
  void act(const AppendRun&) {}
  void act(const AppendIntroduction& action);
  void act(const AppendDiscard& action);
  void act(const AppendGroups&) {}
  void act(const AppendShare&) {}
  void act(const AppendCommit&) {}
  void act(const PublishAck& action);
  void act(const Reply& action);
  void tell_dead(const AppendBatch& action) const;
  void cut_off_revoked();
  void hear_subscribers();
  void cut_off(const std::string& why);
  void bind_publisher();
  void publish(const std::string& topic, protocol::Message&& message);
  void publish_events(std::string_view batch);
  void publish_news(const protocol::NewsItem& item, const std::string& source);
  void publish_levels();
  void publish_settlements();
  void publish_head();
  void publish_grown();
  void look_at_groups();
  std::uint8_t wants_news() const { return listeners_.is_empty() ? 0 : 1; }
  void keep_artifacts();
  std::int64_t artifact_time() const;
  void retain();
  void give_answers();

  NodeOptions options_;
  net::Transport& transport_;
  net::Authority& authority_;
  ArtifactShelf& artifacts_;
  HistoryDesk& history_;
  ResultLog log_;
  Keep keep_;
  Readers readers_;
  LogRates log_rates_;
  net::Socket results_;
  net::Socket publisher_;
  Listeners listeners_;
  net::Socket queries_;
  net::Router from_workers_;  // And from ventilators: what nobody answers.
  net::Router from_askers_;
  Actions actions_;
  std::vector<Question> questions_;  // Of this turn.
  std::map<std::pair<Origin, std::uint64_t>, protocol::RangePages> introductions_;  // Being told.
  std::map<std::pair<RunId, Origin>, std::uint64_t> acks_;  // Levels to publish soon.
  std::map<Origin, protocol::Settlement> news_;  // Not yet published.
  std::uint64_t news_count_ = 0;
  std::uint64_t published_to_ = 0;
  std::uint64_t news_told_;  // Rises over all lives, unless clocks jump.
  SyncTimes commits_;  // Writes to the log that were synced.
  TimePoint now_;
  std::optional<TimePoint> levels_due_;
  std::optional<TimePoint> grown_due_;
  TimePoint grown_{};            // When that was told last.
  std::uint64_t held_from_ = 0;  // By groups, at the last look …
  std::vector<std::string> held_by_;  // … those without which the oldest segment would go.
  std::optional<TimePoint> unbound_since_;  // The publisher: while libzmq lets go of its place.
  TimePoint next_head_{};
  protocol::DiskNews disk_;
  std::uint64_t revocations_ = 0;
  std::optional<int> exit_code_;
};

}  // namespace eole::sink
