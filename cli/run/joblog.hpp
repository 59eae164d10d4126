#pragma once
#include <cstdint>
#include <istream>
#include <map>
#include <string>

#include "common/base/expected.hpp"
#include "common/base/ids.hpp"
#include "common/base/seq_ranges.hpp"

/// The record of jobs that have ended, in the columns of GNU parallel, and beside it the one of
/// what the ventilator has accepted: so that a run which was killed goes on with what is missing.
namespace eole::cli {

/// A line of a joblog.
struct JobEnd {
  std::uint64_t number = 0;
  std::string host;
  std::int64_t started_unix_ms = 0;
  std::int64_t run_ms = 0;
  std::uint64_t received = 0;  // Bytes that it printed.
  int exit_value = 0;
  int signal = 0;
  std::string command;
};
constexpr const char* kJoblogHeader =
    "Seq\tHost\tStarttime\tJobRuntime\tSend\tReceive\tExitval\tSignal\tCommand\n";
/// With a line end; those of the command become zero bytes, as its readers expect it.
std::string joblog_line(const JobEnd& end);

struct Joblog {
  SeqRanges ended;
  SeqRanges failed;               // Of those: the last line of them says so.
  SeqRanges ended_since;          // Those of lines at and behind a place.
  std::uint64_t whole_bytes = 0;  // What is behind them is a line that was not written whole.
};
/// `since`: a place in it. Errors name the line that is none.
Expected<Joblog> read_joblog(std::istream& input, std::uint64_t since);

/// Which task each job became, in the run that wrote the joblog from `since` on.
struct AcceptedJobs {
  struct Stretch {
    std::uint64_t count = 0;
    TaskId first;
  };
  std::uint64_t since = 0;
  std::map<std::uint64_t, Stretch> stretches;  // By their first job; they do not overlap.
  /// One more; it grows the last stretch if it follows it.
  void add(std::uint64_t job, const TaskId& id);
};
std::string accepted_header(std::uint64_t since);
std::string accepted_line(std::uint64_t job, const AcceptedJobs::Stretch& stretch);
/// A last line that was not written whole is not read.
Expected<AcceptedJobs> read_accepted(std::istream& input);

}  // namespace eole::cli
