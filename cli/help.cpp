#include "cli/help.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

namespace eole::cli {

namespace {

std::size_t margin_of(const std::string& line) {
  return std::min(line.find_first_not_of(' '), line.size());
}

// Where a line's description begins: behind two spaces or more; its margin if it has none.
std::size_t description_of(const std::string& line) {
  const auto gap = line.find("  ", margin_of(line));
  return gap == std::string::npos ? margin_of(line) : line.find_first_not_of(' ', gap);
}

// A command to be typed stays a line of its own.
bool is_example(const std::string& line) { return line.starts_with("  eole "); }

bool is_usage(const std::string& line) { return line.starts_with("Usage: "); }

bool goes_on(const std::string& line) { return line.back() != '.' && line.back() != ':'; }

}  // namespace

std::string wrapped(const std::string& help, std::size_t columns) {
  std::string out;
  std::istringstream lines(help);
  std::string rest;  // Cut off the line before, with its margin.
  std::string line;
  const auto put = [&](std::string one) {
    const auto margin = std::min(description_of(one), columns / 2);
    while (one.size() > columns) {
      const auto space = one.rfind(' ', columns);
      if (space == std::string::npos || space <= margin) break;  // One long word stays whole.
      out += one.substr(0, space) + "\n";
      one = std::string(margin, ' ') + one.substr(space + 1);
      if (one.size() <= columns) {
        rest = one;
        return;
      }
    }
    out += one + "\n";
  };
  while (std::getline(lines, line)) {
    const auto before = std::exchange(rest, {});
    const bool joins = !before.empty() && !line.empty() && goes_on(before) &&
                       margin_of(line) == margin_of(before) && !is_example(line) && !is_usage(line) &&
                       description_of(line) == margin_of(line);
    if (!before.empty() && !joins) out += before + "\n";
    put(joins ? before + line.substr(margin_of(line)).insert(0, " ") : line);
  }
  return rest.empty() ? out : out + rest + "\n";
}

}  // namespace eole::cli
