#include "worker/runners/process/process_tree.hpp"

#include <unistd.h>

#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "common/base/text.hpp"

namespace eole::worker {

namespace {

using std::filesystem::directory_iterator;

bool add_listed(const std::string& path, std::vector<pid_t>& found) {
  std::ifstream list(path);
  if (!list) return false;
  for (pid_t child = 0; list >> child;) found.push_back(child);
  return true;
}

// For a kernel without those lists: asks every process who its parent is.
std::vector<pid_t> children_by_search(pid_t parent) {
  std::vector<pid_t> found;
  std::error_code error;
  for (const auto& entry : directory_iterator("/proc", error)) {
    const auto name = entry.path().filename().string();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ec != std::errc{}) continue;
    std::ifstream file(entry.path() / "stat");
    std::string stat;
    std::getline(file, stat);
    const auto after_name = stat.rfind(')');
    if (after_name == std::string::npos || after_name + 4 >= stat.size()) continue;
    if (std::atoi(stat.c_str() + after_name + 4) == parent) found.push_back(pid);
  }
  return found;
}

std::string list_of(pid_t pid) { return text("/proc/", pid, "/task/", pid, "/children"); }

}  // namespace

std::vector<pid_t> adopted_children() {
  std::vector<pid_t> found;
  if (!add_listed(list_of(::getpid()), found)) return children_by_search(::getpid());
  return found;
}

std::vector<pid_t> descendants() {
  const bool has_lists = ::access(list_of(::getpid()).c_str(), R_OK) == 0;
  std::vector<pid_t> found{::getpid()};
  for (std::size_t i = 0; i < found.size(); ++i) {
    std::error_code error;
    if (has_lists) {
      for (const auto& task : directory_iterator(text("/proc/", found[i], "/task"), error))
        add_listed(task.path() / "children", found);
    } else {
      const auto below = children_by_search(found[i]);
      found.insert(found.end(), below.begin(), below.end());
    }
  }
  found.erase(found.begin());
  return found;
}

}  // namespace eole::worker
