#include "cli/progress.hpp"

#include <sys/ioctl.h>

#include <algorithm>
#include <cstdio>

#include "cli/common.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"

namespace eole::cli {

namespace {

constexpr std::size_t kBar = 20;
constexpr double kSecondsForEta = 2;  // A guess from less jumps about.
constexpr Duration kShowEvery = 100ms;

std::string amount(const Progress& progress, std::uint64_t count) {
  return progress.unit == Unit::kBytes ? human_bytes(static_cast<double>(count))
                                       : std::to_string(count);
}

std::string rate_text(const Progress& progress) {
  const auto rate = static_cast<double>(progress.done) / std::max(progress.seconds, 0.001);
  return progress.unit == Unit::kBytes ? human_bytes(rate) + "/s" : human_rate(rate);
}

std::size_t terminal_columns() {
  winsize size{};
  return ::ioctl(2, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

}  // namespace

std::string progress_text(const Progress& progress, std::size_t columns) {
  const auto& [done, total, failed, seconds, unit, more] = progress;
  const auto filled = total == 0 ? 0 : std::min<std::uint64_t>(done, total) * kBar / total;
  auto line = text("[", std::string(filled, '#'), std::string(kBar - filled, '.'), "] ",
                   amount(progress, done), "/", amount(progress, total));
  if (failed > 0) line += text(", ", failed, " failed");
  line += text("  ", human_seconds(seconds));
  if (done > 0) line += text("  ", rate_text(progress));
  const bool has_eta =
      seconds >= kSecondsForEta && done > 0 && done < total && (unit == Unit::kBytes || done >= 3);
  if (has_eta)
    line += text("  ETA ", human_seconds(seconds * static_cast<double>(total - done) /
                                         static_cast<double>(done)));
  if (!more.empty()) line += "  " + shown(more);
  return cut_to(line, columns);
}

std::string summary_text(const Progress& progress) {
  const auto took = text(" in ", human_seconds(progress.seconds), ", ", rate_text(progress));
  if (progress.unit == Unit::kBytes) return amount(progress, progress.done) + took;
  return text(progress.total,
              progress.total == 1 ? " task: " : " tasks: ", progress.done - progress.failed,
              " done, ", progress.failed, " failed", took);
}

void TaskProgress::hear(std::uint64_t done, std::uint64_t total, std::string text, TimePoint now) {
  const bool is_first = first_ == TimePoint{} || done < done_;  // Or another attempt.
  if (is_first) first_done_ = done;
  if (is_first) first_ = now;
  done_ = done;
  total_ = total;
  text_ = std::move(text);
  last_ = now;
}

double TaskProgress::rate() const {
  const auto seconds = std::chrono::duration<double>(last_ - first_).count();
  return seconds > 0 ? static_cast<double>(done_ - first_done_) / seconds : 0;
}

namespace {
std::string share_text(std::uint64_t done, std::uint64_t total) {
  const auto share = static_cast<double>(std::min(done, total)) / static_cast<double>(total);
  return text(done, " of ", total, " (", static_cast<int>(100.0 * share), " %)");
}
}  // namespace

std::string TaskProgress::text() const {
  std::string out;
  if (total_ > 0) {
    out = share_text(done_, total_);
  } else if (done_ > 0) {
    out = std::to_string(done_);
  }
  if (rate() > 0) out += "  " + human_rate(rate());
  if (!text_.empty()) out += (out.empty() ? "" : "  ") + shown(text_);
  return out;
}

void TasksProgress::add(const TaskProgress& task) {
  if (task.total() == 0) return;
  ++tasks_;
  done_ += std::min(task.done(), task.total());
  total_ += task.total();
  rate_ += task.rate();
}

std::string TasksProgress::text() const {
  if (tasks_ == 0) return {};
  auto out = eole::text(tasks_, tasks_ == 1 ? " task is at " : " tasks are at ",
                        share_text(done_, total_));
  if (rate_ > 0) out += "  " + human_rate(rate_);
  return out;
}

void ProgressLine::show(std::uint64_t done, std::uint64_t total, const std::string& more,
                        std::uint64_t failed) {
  if (!is_terminal(2)) return;
  const auto now = process::now();
  if (started_ == TimePoint{}) started_ = now;
  last_ = {done, total, failed, std::chrono::duration<double>(now - started_).count(), unit_, more};
  // What is over at once needs no bar.
  if (now < started_ + kShowEvery || now < shown_ + kShowEvery) return;
  shown_ = now;
  is_shown_ = was_shown_ = true;
  // One column less: a full line would wrap.
  std::fprintf(stderr, "\r\033[K%s", progress_text(last_, terminal_columns() - 1).c_str());
}

void ProgressLine::clear() {
  if (is_shown_) std::fprintf(stderr, "\r\033[K");
  is_shown_ = false;
}

void ProgressLine::sum_up() {
  clear();
  if (!was_shown_) return;
  last_.seconds = std::chrono::duration<double>(process::now() - started_).count();
  std::fprintf(stderr, "%s\n", summary_text(last_).c_str());
  was_shown_ = false;
}

}  // namespace eole::cli
