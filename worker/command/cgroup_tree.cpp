#include "worker/command/cgroup_tree.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>

#include "common/base/text.hpp"
#include "common/process/log.hpp"
#include "worker/command/cgroup.hpp"

namespace eole::command {

namespace {

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

constexpr const char* kWanted[] = {"pids", "memory"};
constexpr std::string_view kPrefix = "eole-";
constexpr const char* kOwn = "/worker";  // Who has parts with controllers may have no processes.

Words words_of(std::istream&& stream) { return {std::istream_iterator<std::string>(stream), {}}; }

std::string contents(const char* path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

Error failed(const std::string& what) { return {text(what, ": ", std::strerror(errno))}; }

process::Descriptor opened(const std::string& directory) {
  return process::Descriptor(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

void remove_tree(const std::string& tree) {
  std::error_code ignored;
  for (const auto& part : fs::directory_iterator(tree, ignored))
    if (part.is_directory(ignored)) remove_cgroup(part.path());
  remove_cgroup(tree);
}

// Where systemd rules, it says in an attribute what it has handed on. Root could take the rest.
bool is_handed_on(const std::string& directory) {
  if (::geteuid() != 0 || !fs::exists("/run/systemd/system")) return true;
  char value = 0;
  return ::getxattr(directory.c_str(), "trusted.delegate", &value, 1) == 1 && value == '1';
}

Expected<std::string> find_place() {
  const auto place =
      cgroup_directory(contents("/proc/self/cgroup"), contents("/proc/self/mountinfo"));
  if (place.empty()) return Error{"this process is in no cgroup2 that is mounted"};
  if (::access(place.c_str(), W_OK) != 0 || ::access((place + "/cgroup.procs").c_str(), W_OK) != 0)
    return failed(place);
  if (!is_handed_on(place)) return Error{text(place, ": systemd's own, without Delegate=yes")};
  return place;
}

Words controllers_in(const std::string& place) {
  const auto all = words_of(std::ifstream(place + "/cgroup.controllers"));
  Words wanted;
  for (const char* name : kWanted)
    if (std::find(all.begin(), all.end(), name) != all.end()) wanted.emplace_back(name);
  return wanted;
}

std::string told_of(const Expected<Words>& controllers) {
  constexpr const char* kRest = "limits are of each process";
  if (!controllers) return text("no cgroup v2 (", controllers.error().message, "): ", kRest);
  if (controllers->empty()) return text("cgroup v2 without pids and memory: ", kRest);
  std::string rest;
  for (const std::string name : kWanted)
    if (std::find(controllers->begin(), controllers->end(), name) == controllers->end())
      rest = text("; without ", name, ": its ", kRest);
  return text("cgroup v2: ", controllers->front(), controllers->size() > 1 ? ", memory" : "", rest);
}

// A kernel or a filter of calls may not know how to start a process in a group.
Expected<void> try_in(const std::string& directory) {
  const auto trial = Cgroup::make(directory + "/trial", {});
  if (!trial) return trial.error();
  const pid_t pid = fork_into(trial->descriptor(), 0);
  if (pid == 0) ::_exit(0);
  if (pid < 0) return failed("to start a process in one");
  ::waitpid(pid, nullptr, 0);
  return {};
}

}  // namespace

std::string cgroup_directory(std::string_view groups, std::string_view mounts) {
  std::optional<std::string> own;
  std::istringstream group_lines{std::string(groups)};
  for (std::string line; std::getline(group_lines, line);)
    if (line.starts_with("0::/")) own = line == "0::/" ? "" : line.substr(3);
  std::istringstream mount_lines{std::string(mounts)};
  for (std::string line; std::getline(mount_lines, line);) {
    if (!own || line.find(" - cgroup2 ") == line.npos) continue;
    const auto words = words_of(std::istringstream(line));
    const auto root = words[3] == "/" ? std::string() : words[3];
    if (text(*own, "/").starts_with(text(root, "/"))) return words[4] + own->substr(root.size());
  }
  return {};
}

std::string told_of_cgroups() {
  const auto place = find_place();
  if (!place) return told_of(place.error());
  const auto controllers = controllers_in(*place);
  // Of all groups only the root may have processes and parts with controllers.
  const bool is_root = !fs::exists(*place + "/cgroup.type");
  return text(told_of(controllers),
              is_root || controllers.empty() ? "" : " for a worker alone in its group");
}

CgroupTree::CgroupTree(bool are_commands_allowed, Settings& settings) {
  if (!are_commands_allowed || settings.level == Level::kNone) return;
  if (const auto made = make(); !made) {
    leave();
    controllers_ = made.error();
  }
  settings.cgroups = directory_;
  process::log_info(text("sandbox ", settings.words()[0], ", ", told_of(controllers_)));
}

Expected<void> CgroupTree::make() {
  const auto place = find_place();
  if (!place) return place.error();
  place_ = *place;
  const auto turn = opened(place_);  // What has no lock now was left by somebody.
  if (::flock(turn.get(), LOCK_EX) != 0) return failed("flock");
  for (const auto& part : fs::directory_iterator(place_)) {
    if (!part.path().filename().string().starts_with(kPrefix)) continue;
    const auto lock = opened(part.path());
    if (::flock(lock.get(), LOCK_EX | LOCK_NB) == 0) remove_tree(part.path());
  }
  directory_ = text(place_, "/", kPrefix, "XXXXXX");
  if (::mkdtemp(directory_.data()) == nullptr) return failed("mkdir");
  lock_ = opened(directory_);
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) return failed("flock");
  if (::mkdir((directory_ + kOwn).c_str(), 0755) != 0) return failed("mkdir");
  if (!write_setting(directory_ + kOwn + "/cgroup.procs", "0")) return failed("to enter one");
  for (const auto& controller : controllers_in(place_)) {
    write_setting(place_ + "/cgroup.subtree_control", "+" + controller);  // It may have it already.
    if (write_setting(directory_ + "/cgroup.subtree_control", "+" + controller))
      controllers_->push_back(controller);
  }
  return try_in(directory_);
}

CgroupTree::~CgroupTree() { leave(); }

// Possible in the root of all, or if others are in the place, too; else the next one removes it.
void CgroupTree::leave() {
  if (lock_.is_open() && write_setting(place_ + "/cgroup.procs", "0")) remove_tree(directory_);
  directory_.clear();
}

}  // namespace eole::command
