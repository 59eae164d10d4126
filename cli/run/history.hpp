#pragma once
#include <memory>
#include <optional>
#include <string>

#include "cli/run/append_file.hpp"
#include "cli/run/joblog.hpp"

namespace eole::cli {

/// What a run remembers of its jobs, so that the next one goes on where it was killed: the joblog,
/// and beside it (JOBLOG.accepted) which tasks its jobs became. Throws Failure.
class History {
 public:
  enum class Begin : std::uint8_t { kAnew, kResume, kResumeFailed };
  /// `path` empty: remembers nothing.
  History(const std::string& path, Begin begin);

  /// The job has ended, and need not be run again.
  bool is_over(std::uint64_t job) const;
  /// The run before has its end in the joblog.
  bool has_ended(std::uint64_t job) const { return joblog_.ended_since.contains(job); }
  /// Jobs of the run before that were accepted, and that the joblog does not have.
  const AcceptedJobs& accepted_before() const { return before_; }
  /// The jobs of this run so far, with those of the run before that it goes on with.
  void begin(const AcceptedJobs& adopted);

  void note_accepted(std::uint64_t job, const TaskId& id);
  void note_end(const JobEnd& end);
  /// Writes what was noted.
  void write();
  /// Nothing is under way: only the joblog stays.
  void close();

 private:
  std::string path_;
  Begin begin_;
  Joblog joblog_;
  AcceptedJobs before_;
  std::unique_ptr<AppendFile> joblog_file_;
  std::unique_ptr<AppendFile> accepted_file_;
  AcceptedJobs accepted_;  // Not written yet.
  std::string lines_;      // Of the joblog: the same.
};

}  // namespace eole::cli
