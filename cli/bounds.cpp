#include "cli/bounds.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "bounds_page.hpp"
#include "cli/common.hpp"
#include "common/base/text.hpp"

namespace eole::cli {

namespace {

constexpr std::string_view kTicks = "`";

std::string_view without(std::string_view text, std::string_view around) {
  const auto first = text.find_first_not_of(around);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(around) - first + 1);
}

// "| a | b | c | d |", if it is a row of four.
bool read_row(std::string_view line, std::array<std::string, 4>& cells) {
  if (!line.starts_with('|')) return false;
  for (auto& cell : cells) {
    line.remove_prefix(1);
    const auto end = line.find('|');
    if (end == std::string_view::npos) return false;
    cell = without(line.substr(0, end), " ");
    line.remove_prefix(end);
  }
  return line == "|";
}

}  // namespace

std::vector<Bound> bounds_in(std::string_view page) {
  std::vector<Bound> bounds;
  std::string role;
  while (!page.empty()) {
    const auto line = page.substr(0, page.find('\n'));
    page.remove_prefix(std::min(page.size(), line.size() + 1));
    if (line.starts_with("## ")) role = line.substr(3);
    std::array<std::string, 4> cells;
    if (!read_row(line, cells) || !cells[0].starts_with(kTicks)) continue;
    bounds.push_back({role, std::string(without(cells[0], kTicks)), cells[1], cells[2], cells[3]});
  }
  return bounds;
}

void show_bounds(const Globals& globals) {
  Cluster cluster(globals);
  const auto ventilator = need(cluster.ventilator.query("bounds"));
  const auto sink = need(cluster.sink.query("bounds"));
  std::string role;
  for (const auto& bound : bounds_in(kBoundsPage)) {
    const auto now = bound.role == "Ventilator" ? ventilator[bound.name]
                     : bound.role == "Sink"     ? sink[bound.name]
                                                : Value();
    if (globals.json) {
      print_json(Value::Map{{"role", bound.role},
                            {"name", bound.name},
                            {"value", bound.value},
                            {"what", bound.what},
                            {"beyond", bound.beyond},
                            {"now", now}});
      continue;
    }
    if (role != bound.role) std::printf("%s%s\n", role.empty() ? "" : "\n", bound.role.c_str());
    role = bound.role;
    const auto used = now.is_null() ? "" : text(" (now ", now.int_or(0), ")");
    std::printf("  %-22s %s%s: %s\n  %-22s beyond: %s\n", bound.name.c_str(), bound.value.c_str(),
                used.c_str(), bound.what.c_str(), "", bound.beyond.c_str());
  }
  flush_output();
}

}  // namespace eole::cli
