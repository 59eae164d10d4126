#include "cli/common.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/process/output.hpp"

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
  if (!id) throw Failure{kBadUse, text(shown(written), ": not a task id (like k3f9qz-17)")};
  return *id;
}

void flush_output() {
  const auto lost = process::lost_output();
  if (!lost) return;
  std::clearerr(stdout);  // It is told once.
  throw Failure{kNotDone, *lost};
}

void end_if_unread() {
  if (!process::is_output_unread()) return;
  ::raise(SIGPIPE);
  throw Failure{kNotDone, "standard output: nobody reads it any more"};
}

void print_json(const Value& value) {
  const auto line = value.to_json() + "\n";
  std::fwrite(line.data(), 1, line.size(), stdout);
  flush_output();
}

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

std::string coloured(const std::string& text, int colour) {
  if (!is_terminal(1) || std::getenv("NO_COLOR") != nullptr) return text;
  return "\033[" + std::to_string(colour) + "m" + text + "\033[0m";
}

std::string coloured_state(const std::string& written) {
  const auto state = shown(written);
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

std::string cell(const std::string& text, std::size_t columns) {
  auto out = cut_to(shown(text), columns);
  std::size_t characters = 0;
  for (const char raw : out) characters += (static_cast<unsigned char>(raw) & 0xc0) != 0x80;
  return out + std::string(columns - std::min(columns, characters), ' ');
}

std::string human_rate(double per_second) {
  char out[32];
  std::snprintf(out, sizeof out, per_second < 10 ? "%.1f/s" : "%.0f/s", per_second);
  return out;
}

namespace {

// What a command printed, indented, at most so much of it: eole result has the rest.
void print_output(const Value& output) {
  constexpr std::size_t kBytesMax = 4096;
  const auto* blob = output.as<protocol::Blob>();
  const auto bytes = blob != nullptr ? blob->bytes : output.text_or("");
  auto rest = std::string_view(bytes).substr(0, kBytesMax);
  while (!rest.empty()) {
    const auto line = rest.substr(0, rest.find('\n'));
    std::printf("  %s\n", shown(line).c_str());
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
  if (bytes.size() > kBytesMax) std::printf("  …\n");
}

// An error without its kind, which stands before it already.
std::string without_kind(const std::string& error, const std::string& kind) {
  for (const auto* between : {": ", " "})
    if (error.starts_with(kind + between)) return error.substr(kind.size() + std::strlen(between));
  return error;
}

}  // namespace

void print_result(const Value& view) {
  auto line = text(shown(view["id"].text_or("")), "  ", coloured_state(view["state"].text_or("")),
                   "  ", shown(view["kind"].text_or("")));
  if (view["attempt"].int_or(1) > 1) line += text("  attempt ", view["attempt"].int_or(1));
  const auto& artifact = view["artifact"];
  const auto& value = view["value"];
  const bool is_command = !value["exit_code"].is_null();
  if (!artifact.is_null())
    line += text("  ", shown(artifact["name"].text_or("")), " (",
                 human_bytes(static_cast<double>(artifact["bytes"].int_or(0))), ")");
  if (!view["error"].is_null())
    line += text("  ", shown(without_kind(view["error"].text_or(""), view["kind"].text_or(""))));
  else if (is_command)
    line += text("  exit code ", value["exit_code"].int_or(0));
  else if (artifact.is_null() && !value.is_null())
    line += "  " + value.to_json();
  std::printf("%s\n", line.c_str());
  if (is_command) {
    print_output(value["stdout"]);
    print_output(value["stderr"]);
  }
  flush_output();
}

void print_reasons(const Value& view, const Value::Array& attempts) {
  const auto is_said = [&](const std::string& reason) {
    return std::any_of(attempts.begin(), attempts.end(), [&](const Value& attempt) {
      const auto error = attempt["error"].text_or("");
      return attempt["state"].text_or("") == "retrying" && !error.empty() &&
             reason.ends_with(error);
    });
  };
  if (const auto* reasons = view["reasons"].as<Value::Array>())
    for (const auto& reason : *reasons)
      if (!is_said(reason.text_or(""))) std::printf("  %s\n", shown(reason.text_or("")).c_str());
}

}  // namespace eole::cli
