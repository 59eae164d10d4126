#pragma once
#include <mutex>

#include "cli/common.hpp"
#include "common/base/seq_ranges.hpp"
#include "common/process/system.hpp"

namespace eole::cli {

/// The tasks of a round, and the signal that ends it. Those that were accepted and not left are
/// cancelled at its end, so that whatever stops a bench leaves nothing queued.
class BenchTasks {
 public:
  explicit BenchTasks(Cluster& cluster) : cluster_(cluster) {}
  ~BenchTasks();
  BenchTasks(const BenchTasks&) = delete;
  BenchTasks& operator=(const BenchTasks&) = delete;

  /// From any thread.
  void add(Origin origin, Seq first, std::uint32_t count);
  /// All have ended, or are to stay.
  void leave();
  bool is_stopped() { return has_stopped_ = has_stopped_ || stop_.take() > 0; }
  /// Throws Failure if a signal came.
  void end_if_stopped();

 private:
  Cluster& cluster_;
  process::StopSignal stop_;
  bool has_stopped_ = false;
  std::mutex mutex_;
  Origin origin_ = 0;
  SeqRanges accepted_;
};

}  // namespace eole::cli
