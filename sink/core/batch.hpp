#pragma once
#include <string>
#include <string_view>

#include "sink/core/events.hpp"

namespace eole::sink {

/// A batch that grows: runs of one project. They are put straight into the bytes that the log
/// gets; its header is filled in at the end.
class OpenBatch {
 public:
  /// `level`: all of the run's numbers up to it are in the log already. `bytes`: that all runs have
  /// together.
  OpenBatch(RunId run, std::uint64_t level, std::string_view worker, std::uint32_t pid,
            std::size_t bytes)
      : batch_{0, run, level, 0, worker, {}, pid}, bytes_expected_(bytes) {}
  void add(const protocol::ResultRun& run, std::uint64_t offset);
  /// With what it has, and what lies before it, all up to `level` are in the log.
  void raise(std::uint64_t level) { batch_.level = level; }
  bool fits(const protocol::ResultRun& run) const {
    return summary_.count == 0 || project_ == run.first.project;
  }
  std::uint32_t count() const { return summary_.count; }
  AppendBatch take();

 private:
  protocol::ResultBatch batch_;
  std::size_t bytes_expected_;
  Bytes bytes_;
  std::string project_;
  Summary summary_;
  Settlements settlements_;
};

/// Adds what its ventilator must know of a run of a batch; `out` has what other runs of it said.
void add_settlement(const protocol::ResultRun& run, Settlements& out);

/// What `origin`'s ventilator must know of the log, up to a bounded size.
struct SettlementPage {
  protocol::Settlement settlement;
  std::size_t text_bytes = 0;
  /// Adds what the batch says from the offset `from` on; the offset behind all that was added.
  std::uint64_t add(const protocol::ResultBatch& batch, Origin origin, std::uint64_t from);
  bool is_full() const;
};

}  // namespace eole::sink
