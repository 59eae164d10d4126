#include "worker/runners/lasting.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/text.hpp"
#include "worker/runners/scratch.hpp"

namespace eole::worker {

namespace {

constexpr std::time_t kLeftSeconds = 5 * 60;             // More than a pause between attempts.
constexpr std::time_t kUntouchedSeconds = 24 * 60 * 60;  // More than a night's break.
constexpr std::string_view kPart = ".part";
constexpr std::string_view kLock = ".part.lock";
constexpr std::string_view kLeft = "left";  // In the lock, once the attempt failed by itself.

bool is_same_file(int fd, const std::string& path) {
  struct stat held {};
  struct stat named {};
  return ::fstat(fd, &held) == 0 && ::lstat(path.c_str(), &named) == 0 &&
         held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

// -1: another has it.
int lock(const std::string& path, int flags) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
  if (fd < 0) return -1;
  // Whoever had it may have removed it meanwhile; then this is no lock.
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0 && is_same_file(fd, path)) return fd;
  ::close(fd);
  return -1;
}

using std::filesystem::file_type;

std::vector<std::string> names_in(const std::string& directory,
                                  file_type type = file_type::regular) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (std::filesystem::directory_iterator at(directory, ignored), end; at != end;
       at.increment(ignored)) {
    if (at->symlink_status(ignored).type() == type) names.push_back(at->path().filename());
  }
  return names;
}

// "part.lock" of k3f9qz-17.part.lock; empty if the name begins with no task's id.
std::string_view after_id(std::string_view name) {
  const auto dot = name.find('.');
  if (dot == name.npos || !parse_task_id(name.substr(0, dot))) return {};
  return name.substr(dot + 1);
}

// "17-3.part": of one lease, START-NUMBER.SUFFIX.
bool is_of_a_lease(std::string_view rest) {
  const auto is_number = [](std::string_view word) {
    return !word.empty() && word.find_first_not_of("0123456789") == word.npos;
  };
  const auto dash = rest.find('-');
  const auto dot = rest.find('.');
  return dash != rest.npos && dot != rest.npos && dash < dot && is_number(rest.substr(0, dash)) &&
         is_number(rest.substr(dash + 1, dot - dash - 1));
}

bool was_left(int lock_fd) {
  char word[kLeft.size()] = {};
  return ::pread(lock_fd, word, sizeof word, 0) == sizeof word &&
         std::string_view(word, sizeof word) == kLeft;
}

std::time_t untouched_seconds(const std::string& path, int lock_fd) {
  struct stat part {};
  struct stat held {};
  ::fstat(lock_fd, &held);
  if (::lstat(path.c_str(), &part) != 0) part.st_mtime = 0;
  return std::time(nullptr) - std::max(part.st_mtime, held.st_mtime);
}

void remove_all_of(const std::string& path) {
  const auto directory = path.substr(0, path.rfind('/'));
  const auto prefix = path.substr(directory.size() + 1);
  for (const auto& name : names_in(directory))
    if (name == prefix || name.starts_with(prefix + "."))
      ::unlink(text(directory, "/", name).c_str());
}

void remove_lasting(const std::string& directory, std::time_t left_seconds) {
  for (const auto& name : names_in(directory)) {
    if (after_id(name) != kLock.substr(1)) continue;
    const auto path = text(directory, "/", name.substr(0, name.size() - kLock.size()), kPart);
    const int fd = lock(text(directory, "/", name), 0);
    if (fd < 0) continue;  // At work.
    const auto limit = was_left(fd) ? left_seconds : kUntouchedSeconds;
    if (untouched_seconds(path, fd) >= limit) remove_all_of(path);
    ::close(fd);
  }
}

}  // namespace

std::unique_ptr<LastingFile> LastingFile::hold(const std::string& directory, const TaskId& id) {
  const auto stem = text(directory, "/", to_text(id));
  const int fd = lock(text(stem, kLock), O_CREAT);
  if (fd < 0) return nullptr;
  [[maybe_unused]] const bool is_marked = ::ftruncate(fd, 0) == 0;
  return std::unique_ptr<LastingFile>(new LastingFile(text(stem, kPart), fd));
}

bool LastingFile::is_left(const std::string& directory, const TaskId& id) {
  return ::access(text(directory, "/", to_text(id), kPart).c_str(), F_OK) == 0;
}

LastingFile::~LastingFile() { ::close(lock_fd_); }

void LastingFile::forget() { remove_all_of(path_); }

void LastingFile::leave() {
  struct stat part {};
  // What cannot be marked (a full disk) has to go.
  const bool is_worth_it = ::lstat(path_.c_str(), &part) == 0 && part.st_size > 0;
  if (!is_worth_it || ::pwrite(lock_fd_, kLeft.data(), kLeft.size(), 0) != ssize_t{kLeft.size()})
    forget();
}

void remove_stale_lasting(const std::string& directory) { remove_lasting(directory, kLeftSeconds); }

void remove_leftovers(const std::string& directory) {
  remove_lasting(directory, 0);
  const auto names = names_in(directory);
  for (const auto& name : names) {
    const auto rest = after_id(name);
    const auto stem = name.substr(0, name.find('.'));
    const bool has_lock = std::find(names.begin(), names.end(), text(stem, kLock)) != names.end();
    const bool is_part = rest == kPart.substr(1) || rest.starts_with("part.");
    if (is_of_a_lease(rest) || (is_part && !has_lock)) ::unlink(text(directory, "/", name).c_str());
  }
  for (const auto& name : names_in(directory, file_type::directory))
    if (is_of_a_lease(after_id(name)) || name.starts_with(kSpare))
      remove_directory(text(directory, "/", name));
}

}  // namespace eole::worker
