#include "cli/common.hpp"

#include <unistd.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "common/base/text.hpp"
#include "common/process/system.hpp"

namespace eole::cli {

namespace {

net::ClusterFile load(const Globals& globals) {
  return need(net::read_cluster_file(net::cluster_file_path(globals.cluster_path)));
}

}  // namespace

Cluster::Cluster(const Globals& globals)
    : file(load(globals)),
      context(file),
      ventilator(context, file.ventilator, "the ventilator"),
      sink(context, file.queries, "the sink") {}

TaskId need_id(const std::string& written) {
  const auto id = parse_task_id(written);
  if (!id) throw Failure{kBadUse, text(written, ": not a task id (like k3f9qz-17)")};
  return *id;
}

void print_json(const Value& value) {
  const auto line = value.to_json() + "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fflush(stdout);
}

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

std::string coloured(const std::string& text, int colour) {
  if (!is_terminal(1) || std::getenv("NO_COLOR") != nullptr) return text;
  return "\033[" + std::to_string(colour) + "m" + text + "\033[0m";
}

std::string coloured_state(const std::string& state) {
  constexpr int kGreen = 32;
  constexpr int kRed = 31;
  constexpr int kYellow = 33;
  if (state == "done" || state == "ready") return coloured(state, kGreen);
  if (state == "failed" || state == "dead") return coloured(state, kRed);
  return coloured(state, kYellow);
}

std::string human_bytes(double bytes) {
  constexpr std::array<const char*, 5> kUnits{"B", "kB", "MB", "GB", "TB"};
  std::size_t unit = 0;
  for (; bytes >= 1000 && unit + 1 < kUnits.size(); ++unit) bytes /= 1000;
  char out[32];
  std::snprintf(out, sizeof out, unit == 0 ? "%.0f %s" : "%.1f %s", bytes, kUnits[unit]);
  return out;
}

std::string human_seconds(double seconds) {
  const auto whole = static_cast<long>(std::lround(seconds));
  char out[32];
  if (seconds < 60)
    std::snprintf(out, sizeof out, "%.1f s", seconds);
  else if (whole < 3600)
    std::snprintf(out, sizeof out, "%ld:%02ld min", whole / 60, whole % 60);
  else
    std::snprintf(out, sizeof out, "%ld:%02ld h", whole / 3600, whole / 60 % 60);
  return out;
}

void print_result(const Value& view) {
  auto line = text(view["id"].text_or(""), "  ", coloured_state(view["state"].text_or("")), "  ",
                   view["kind"].text_or(""));
  if (view["attempt"].int_or(1) > 1) line += text("  attempt ", view["attempt"].int_or(1));
  const auto& artifact = view["artifact"];
  if (!artifact.is_null())
    line += text("  ", artifact["name"].text_or(""), " (",
                 human_bytes(static_cast<double>(artifact["bytes"].int_or(0))), ")");
  if (!view["error"].is_null())
    line += text("  ", view["error"].text_or(""));
  else if (artifact.is_null() && !view["value"].is_null())
    line += "  " + view["value"].to_json();
  std::printf("%s\n", line.c_str());
  std::fflush(stdout);
}

void ProgressLine::show(std::uint64_t done, std::uint64_t total, const std::string& more) {
  if (!is_terminal(2)) return;
  const auto now = process::now();
  if (started_ == TimePoint{}) started_ = now;
  if (done != total && now < shown_ + 100ms) return;
  shown_ = now;
  is_shown_ = true;
  constexpr std::uint64_t kWidth = 28;
  const auto filled = total == 0 ? 0 : done * kWidth / total;
  const auto seconds = std::chrono::duration<double>(now - started_).count();
  const auto rate = seconds > 0 ? static_cast<double>(done) / seconds : 0;
  const auto eta = rate > 0 ? static_cast<double>(total - done) / rate : 0;
  std::fprintf(
      stderr, "\r\033[K[%s%s] %llu/%llu  %.0f/s  %s%s%s", std::string(filled, '#').c_str(),
      std::string(kWidth - filled, '.').c_str(), static_cast<unsigned long long>(done),
      static_cast<unsigned long long>(total), rate,
      done < total ? ("ETA " + human_seconds(eta)).c_str() : human_seconds(seconds).c_str(),
      more.empty() ? "" : "  ", more.c_str());
}

ProgressLine::~ProgressLine() {
  if (is_shown_) std::fprintf(stderr, "\n");
}

}  // namespace eole::cli
