#pragma once
#include <cstdint>
#include <string>

#include "common/base/time.hpp"

namespace eole::cli {

enum class Unit { kTasks, kBytes };

/// What a progress line says. `columns`: it is never longer. An ETA is told once there is enough
/// to guess from. Pure.
struct Progress {
  std::uint64_t done = 0;  // Of `total`, failed ones included.
  std::uint64_t total = 0;
  std::uint64_t failed = 0;
  double seconds = 0;
  Unit unit = Unit::kTasks;
  std::string more;
};
std::string progress_text(const Progress& progress, std::size_t columns);
/// What the last line says: "1000 tasks: 998 done, 2 failed in 12.3 s, 81/s".
std::string summary_text(const Progress& progress);

/// How far one task is, as it says of itself, and how fast it was since it was first heard. Pure.
class TaskProgress {
 public:
  void hear(std::uint64_t done, std::uint64_t total, std::string text, TimePoint now);
  /// A second; zero: not known yet.
  double rate() const;
  /// "45 of 100 (45 %)  3.2/s  page 45".
  std::string text() const;
  std::uint64_t done() const { return done_; }
  std::uint64_t total() const { return total_; }

 private:
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
  std::string text_;
  std::uint64_t first_done_ = 0;
  TimePoint first_{};
  TimePoint last_{};
};

/// How far tasks that run are together: those that say of themselves of how much. Pure.
class TasksProgress {
 public:
  void add(const TaskProgress& task);
  /// "3 tasks are at 45 of 300 (15 %)  9.6/s"; empty if none says.
  std::string text() const;

 private:
  std::uint64_t tasks_ = 0;
  std::uint64_t done_ = 0;
  std::uint64_t total_ = 0;
  double rate_ = 0;
};

/// A line on standard error that is written over; silent if it is no terminal.
class ProgressLine {
 public:
  explicit ProgressLine(Unit unit = Unit::kTasks) : unit_(unit) {}
  void show(std::uint64_t done, std::uint64_t total, const std::string& more,
            std::uint64_t failed = 0);
  /// Takes the line away: something else is about to be printed.
  void clear();
  /// Leaves a line that sums up, if there was anything to wait for.
  void sum_up();
  ~ProgressLine() { clear(); }

 private:
  Unit unit_;
  Progress last_;
  TimePoint started_{};
  TimePoint shown_{};
  bool is_shown_ = false;
  bool was_shown_ = false;
};

}  // namespace eole::cli
