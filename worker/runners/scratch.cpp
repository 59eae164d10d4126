#include "worker/runners/scratch.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "common/base/text.hpp"
#include "common/net/cluster_file.hpp"
#include "common/process/private.hpp"

namespace eole::worker {

namespace {

// -1: another has it. A directory's lock goes with its process.
int lock_directory(const std::string& path, int how) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 || ::flock(fd, how) == 0) return fd;
  ::close(fd);
  return -1;
}

void remove_those_of_the_dead(const std::string& directory) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(directory, ignored)) {
    const int fd = lock_directory(entry.path(), LOCK_EX | LOCK_NB);
    if (fd < 0) continue;
    remove_directory(entry.path());
    ::close(fd);
  }
}

}  // namespace

Scratch::Scratch(std::string& path, std::string name, bool is_named)
    : is_kept_(is_named || !path.empty()) {
  std::replace(name.begin(), name.end(), '/', '_');
  const auto unnamed = text(net::state_directory(), "/scratch-unnamed");
  if (path.empty())
    path = is_named ? text(net::state_directory(), "/scratch/", name) : text(unnamed, "/", name);
  path_ = path = std::filesystem::absolute(path).string();  // Whoever runs may run elsewhere.
  process::keep_private();
  if (is_kept_) {
    process::make_private_directory(path);
    lock_fd_ = lock_directory(path, LOCK_EX | LOCK_NB);
    if (lock_fd_ >= 0) return;
    // Another worker of this name lives, one that drains perhaps: what lies there is its own.
    is_kept_ = false;
    path_ = path = text(unnamed, "/", name, "-", ::getpid());
  }
  process::make_private_directory(unnamed);
  const int one_at_a_time = lock_directory(unnamed, LOCK_EX);
  remove_those_of_the_dead(unnamed);
  process::make_private_directory(path);
  lock_fd_ = lock_directory(path, LOCK_EX | LOCK_NB);
  ::close(one_at_a_time);
}

Scratch::~Scratch() {
  if (!is_kept_) remove_directory(path_);
  ::close(lock_fd_);
}

std::string mirrors_directory(const std::string& scratch) {
  namespace fs = std::filesystem;
  constexpr std::chrono::hours kKept{30 * 24};
  const auto path = text(scratch, "/mirrors");
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(path, ignored))
    if (entry.is_directory(ignored) &&
        fs::last_write_time(entry, ignored) < fs::file_time_type::clock::now() - kKept)
      remove_directory(entry.path());
  return path;
}

void remove_directory(const std::string& path) {
  namespace fs = std::filesystem;
  if (::rmdir(path.c_str()) == 0 || errno == ENOENT) return;  // As most are, and cheap.
  std::error_code error;
  fs::remove_all(path, error);
  if (!error) return;
  fs::permissions(path, fs::perms::owner_all, fs::perm_options::add, error);
  for (auto it = fs::recursive_directory_iterator(path, error); !error && it != end(it);
       it.increment(error))
    if (it->is_directory(error) && !it->is_symlink(error))
      fs::permissions(*it, fs::perms::owner_all, fs::perm_options::add, error);
  fs::remove_all(path, error);
}

}  // namespace eole::worker
