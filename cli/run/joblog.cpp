#include "cli/run/joblog.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <vector>

#include "common/base/text.hpp"

namespace eole::cli {

namespace {

constexpr std::size_t kColumns = 9;

std::string seconds_of(std::int64_t milliseconds, int width) {
  char out[64];
  std::snprintf(out, sizeof out, "%*.3f", width, static_cast<double>(milliseconds) / 1000);
  return out;
}

template <class Number>
bool read_number(std::string_view written, Number& out) {
  const auto* end = written.data() + written.size();
  const auto [at, error] = std::from_chars(written.data(), end, out);
  return error == std::errc{} && at == end;
}

std::vector<std::string_view> columns_of(std::string_view line, char between, std::size_t most) {
  std::vector<std::string_view> columns;
  while (columns.size() + 1 < most && line.find(between) != std::string_view::npos) {
    columns.push_back(line.substr(0, line.find(between)));
    line.remove_prefix(columns.back().size() + 1);
  }
  columns.push_back(line);
  return columns;
}

// Whole lines only: nothing behind the last line end.
bool next_line(std::istream& input, std::string& line) {
  return std::getline(input, line) && !input.eof();
}

}  // namespace

std::string joblog_line(const JobEnd& end) {
  auto command = end.command;
  std::replace(command.begin(), command.end(), '\n', '\0');
  return text(end.number, "\t", end.host, "\t", seconds_of(end.started_unix_ms, 0), "\t",
              seconds_of(end.run_ms, 10), "\t0\t", end.received, "\t", end.exit_value, "\t",
              end.signal, "\t", command, "\n");
}

Expected<Joblog> read_joblog(std::istream& input, std::uint64_t since) {
  Joblog log;
  std::string line;
  for (std::uint64_t number = 1; next_line(input, line); ++number) {
    const auto begin = log.whole_bytes;
    log.whole_bytes += line.size() + 1;
    if (number == 1) {
      if (line + "\n" != kJoblogHeader)
        return Error{"is no joblog: its first line names no columns"};
      continue;
    }
    const auto columns = columns_of(line, '\t', kColumns);
    std::uint64_t job = 0;
    int exit_value = 0;
    int signal = 0;
    if (columns.size() != kColumns || !read_number(columns[0], job) || job == 0 ||
        !read_number(columns[6], exit_value) || !read_number(columns[7], signal))
      return Error{text("line ", number, ": is none of a joblog")};
    log.ended.add(job, job);
    if (begin >= since) log.ended_since.add(job, job);
    if (exit_value != 0 || signal != 0)
      log.failed.add(job, job);
    else
      log.failed.remove(job, job);
  }
  return log;
}

void AcceptedJobs::add(std::uint64_t job, const TaskId& id) {
  if (!stretches.empty()) {
    auto& [first, last] = *stretches.rbegin();
    const TaskId next{last.first.origin, last.first.seq + last.count};
    if (first + last.count == job && next == id) return void(++last.count);
  }
  stretches[job] = {1, id};
}

std::string accepted_header(std::uint64_t since) { return text("joblog ", since, "\n"); }

std::string accepted_line(std::uint64_t job, const AcceptedJobs::Stretch& stretch) {
  return text(job, " ", stretch.count, " ", to_text(stretch.first), "\n");
}

Expected<AcceptedJobs> read_accepted(std::istream& input) {
  AcceptedJobs jobs;
  std::string line;
  for (std::uint64_t number = 1; next_line(input, line); ++number) {
    const auto words = columns_of(line, ' ', 3);
    bool is_good = false;
    if (number == 1) {
      is_good = words.size() == 2 && words[0] == "joblog" && read_number(words[1], jobs.since);
    } else if (words.size() == 3) {
      std::uint64_t job = 0;
      AcceptedJobs::Stretch stretch;
      const auto id = parse_task_id(words[2]);
      is_good = id && read_number(words[0], job) && read_number(words[1], stretch.count);
      if (!is_good) return Error{text("line ", number, ": makes no sense")};
      stretch.first = *id;
      jobs.stretches[job] = stretch;
    }
    if (!is_good) return Error{text("line ", number, ": makes no sense")};
  }
  return jobs;
}

}  // namespace eole::cli
