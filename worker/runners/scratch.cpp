#include "worker/runners/scratch.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>

#include "common/base/text.hpp"
#include "common/net/cluster_file.hpp"
#include "common/process/descriptor.hpp"
#include "common/process/private.hpp"

namespace eole::worker {

namespace {

constexpr mode_t kOwnersAlone = S_IRWXU;

// -1: another has it. A directory's lock goes with its process.
int lock_directory(const std::string& path, int how) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (fd < 0 || ::flock(fd, how) == 0) return fd;
  ::close(fd);
  return -1;
}

bool is_empty(int directory) {
  std::array<char, 1024> entries;
  ssize_t got = 0;
  while ((got = ::getdents64(directory, entries.data(), entries.size())) > 0)
    for (ssize_t at = 0; at < got;) {
      const auto* entry = reinterpret_cast<const dirent64*>(entries.data() + at);
      const std::string_view name = entry->d_name;
      if (name != "." && name != "..") return false;
      at += entry->d_reclen;
    }
  return got == 0;
}

// Nothing that its attempt did to it is left.
bool is_as_made(const std::string& path) {
  const process::Descriptor directory(
      ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW));
  struct stat found {};
  return directory.is_open() && ::fstat(directory.get(), &found) == 0 &&
         found.st_uid == ::geteuid() && (found.st_mode & 07777) == kOwnersAlone &&
         ::flistxattr(directory.get(), nullptr, 0) <= 0 && is_empty(directory.get());
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

SpareDirectory::~SpareDirectory() {
  if (is_there_) remove_directory(path_);
}

bool SpareDirectory::take(const std::string& path) {
  if (std::exchange(is_there_, false) && ::rename(path_.c_str(), path.c_str()) == 0) return true;
  return ::mkdir(path.c_str(), kOwnersAlone) == 0;
}

void SpareDirectory::give(const std::string& path) {
  const bool is_kept = !is_there_ && is_as_made(path) && ::rename(path.c_str(), path_.c_str()) == 0;
  is_kept ? void(is_there_ = true) : remove_directory(path);
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
