#pragma once
#include <functional>
#include <optional>

#include "clients/cpp/core/read.hpp"
#include "clients/cpp/session/session.hpp"
#include "common/net/cluster_file.hpp"

namespace eole::client {

/// What a reader of the log tells.
struct ReaderCallbacks {
  /// The next batch, in order and once. Reader::taken() is to be called when it is dealt with.
  std::function<void(TakeBatch batch)> on_batch;
  /// The sink is silent (it is still asked), or the log cannot be read on: then nothing follows.
  std::function<void(const Error& error, bool is_over)> on_trouble;
  /// What was to be read is not kept any more, and nothing follows: another reader may go on at the
  /// offset `kept_from`.
  std::function<void(const Error& error, std::uint64_t kept_from)> on_gone;
  /// How far tasks are; only if they are watched.
  std::function<void(protocol::Progress progress)> on_progress;
};

/// Follows the sink's log from a cursor on, without a gap.
class Reader final : public Part {
 public:
  /// `from`: nothing: only what comes from now on. `pattern`: of topics; nothing: all.
  Reader(Session& session, const net::ClusterFile& cluster, const std::optional<Cursor>& from,
         ReaderCallbacks callbacks, std::optional<TopicPattern> pattern = {});
  void watch_progress() { news_.subscribe("progress."); }
  /// So many bytes of batches were dealt with. With ReadCore::kUntakenBytesMax of others it falls
  /// behind, and reads from the log what it missed.
  void taken(std::size_t bytes);
  std::uint64_t from() const { return core_.from(); }
  bool is_open() const { return core_.is_open(); }

 private:
  void turn(TimePoint now) override;
  bool is_due() const override { return sink_.is_due() || news_.is_due(); }
  std::optional<TimePoint> next_deadline() const override { return core_.next_deadline(); }
  void take_answer(net::Received received, TimePoint now, ReadActions& out);
  void take_news(net::Received received, TimePoint now, ReadActions& out);
  void perform(ReadActions actions);

  ReadCore core_;
  ReaderCallbacks callbacks_;
  Connection sink_;
  net::Socket news_;
};

}  // namespace eole::client
