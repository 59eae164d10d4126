#include "cli/run/history.hpp"

#include <cstdio>
#include <fstream>

#include "cli/common.hpp"
#include "common/base/text.hpp"

namespace eole::cli {

namespace {

std::string beside(const std::string& path) { return path + ".accepted"; }

template <class T>
T need_of(const std::string& path, Expected<T> read) {
  if (!read) throw Failure{kBadUse, text(shown(path), ": ", shown(read.error().message))};
  return std::move(*read);
}

}  // namespace

History::History(const std::string& path, Begin begin) : path_(path), begin_(begin) {
  if (path.empty()) return;
  joblog_file_ = std::make_unique<AppendFile>(path);
  if (begin == Begin::kAnew) {
    joblog_file_->cut(0);
  } else if (joblog_file_->size() > 0) {
    std::ifstream accepted(beside(path), std::ios::binary);
    if (accepted) before_ = need_of(beside(path), read_accepted(accepted));
    std::ifstream file(path, std::ios::binary);
    joblog_ = need_of(path, read_joblog(file, before_.since));
    joblog_file_->cut(joblog_.whole_bytes);
  }
  if (joblog_file_->size() == 0) joblog_file_->append(kJoblogHeader);
  std::erase_if(before_.stretches, [&](const auto& stretch) {
    const auto& [first, rest] = stretch;
    return joblog_.ended_since.count_within(first, first + rest.count - 1) == rest.count;
  });
}

bool History::is_over(std::uint64_t job) const {
  if (!joblog_.ended.contains(job)) return false;
  return begin_ != Begin::kResumeFailed || !joblog_.failed.contains(job);
}

// The list of the run before is good until this one is whole.
void History::begin(const AcceptedJobs& adopted) {
  if (path_.empty()) return;
  const auto anew = beside(path_) + ".new";
  std::remove(anew.c_str());
  accepted_file_ = std::make_unique<AppendFile>(anew);
  accepted_file_->append(accepted_header(joblog_file_->size()));
  accepted_ = adopted;
  write();
  if (std::rename(anew.c_str(), beside(path_).c_str()) != 0)
    throw Failure{kBadUse, text(shown(beside(path_)), ": cannot be replaced")};
}

void History::note_accepted(std::uint64_t job, const TaskId& id) {
  if (accepted_file_) accepted_.add(job, id);
}

void History::note_end(const JobEnd& end) {
  if (joblog_file_) lines_ += joblog_line(end);
}

void History::write() {
  if (!accepted_.stretches.empty()) {
    std::string lines;
    for (const auto& [job, stretch] : accepted_.stretches) lines += accepted_line(job, stretch);
    accepted_file_->append(lines);
    accepted_.stretches.clear();
  }
  if (lines_.empty()) return;
  joblog_file_->append(lines_);
  lines_.clear();
}

void History::close() {
  if (!accepted_file_) return;
  accepted_file_.reset();
  std::remove(beside(path_).c_str());
}

}  // namespace eole::cli
