#include "cli/ledger/tree.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "cli/common.hpp"
#include "common/base/text.hpp"
#include "common/process/descriptor.hpp"

namespace eole::cli::ledger {

namespace {

constexpr const char* kUnfinished = ".git/eole-unfinished";  // Where nobody looks for files.
constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;

using process::Descriptor;

[[noreturn]] void fail(const std::string& root, const std::string& path, const char* what) {
  const int error = errno;
  throw Failure{kNotDone, text(root, "/", path, ": ", what, ": ", std::strerror(error))};
}

// The folder that a path lies in, step by step; not open if it is not there.
Descriptor folder_above(int root, std::string_view path, bool is_made) {
  Descriptor at(::openat(root, ".", kFolder));
  for (auto slash = path.find('/'); slash != path.npos && at.is_open(); slash = path.find('/')) {
    const std::string name(path.substr(0, slash));
    path.remove_prefix(slash + 1);
    if (is_made) ::mkdirat(at.get(), name.c_str(), 0777);
    at = Descriptor(::openat(at.get(), name.c_str(), kFolder));
  }
  return at;
}

std::string name_of(const std::string& path) { return path.substr(path.rfind('/') + 1); }

std::optional<std::string> content_of(int folder, const std::string& name) {
  const Descriptor file(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  struct stat found {};
  if (!file.is_open() || ::fstat(file.get(), &found) != 0 || !S_ISREG(found.st_mode))
    return std::nullopt;
  std::string content;
  std::array<char, 65536> piece{};
  while (true) {
    const auto bytes = ::read(file.get(), piece.data(), piece.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) return std::nullopt;
    if (bytes == 0) return content;
    content.append(piece.data(), static_cast<std::size_t>(bytes));
  }
}

struct CloseList {
  void operator()(DIR* list) const { ::closedir(list); }
};

void each_below(int folder, const std::string& path,
                const std::function<void(const std::string&, bool is_folder)>& on_name) {
  const std::unique_ptr<DIR, CloseList> list(
      ::fdopendir(::openat(folder, path.empty() ? "." : path.c_str(), kFolder)));
  if (!list) return;
  while (const auto* entry = ::readdir(list.get())) {
    if (entry->d_name[0] == '.') continue;  // Nothing of ours begins so; .git does.
    struct stat found {};
    if (::fstatat(::dirfd(list.get()), entry->d_name, &found, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (S_ISREG(found.st_mode) || S_ISDIR(found.st_mode))
      on_name(entry->d_name, S_ISDIR(found.st_mode));
  }
}

}  // namespace

Tree::Tree(std::string root)
    : root_(std::move(root)), fd_(::open(root_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (fd_ < 0) throw Failure{kBadUse, text(root_, ": ", std::strerror(errno))};
}

Tree::~Tree() {
  if (fd_ >= 0) ::close(fd_);
}

Tree::Tree(Tree&& other) noexcept
    : root_(std::move(other.root_)), fd_(std::exchange(other.fd_, -1)) {}

void Tree::write(const std::string& path, std::string_view content) const {
  const auto folder = folder_above(fd_, path, true);
  if (!folder.is_open()) fail(root_, path, "what is above it is no folder");
  const auto name = name_of(path);
  if (content_of(folder.get(), name) == content) return;
  const Descriptor file(
      ::openat(fd_, kUnfinished, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666));
  if (!file.is_open()) fail(root_, path, "cannot be written");
  while (!content.empty()) {
    const auto bytes = ::write(file.get(), content.data(), content.size());
    if (bytes < 0 && errno == EINTR) continue;
    if (bytes < 0) fail(root_, path, "cannot be written");
    content.remove_prefix(static_cast<std::size_t>(bytes));
  }
  if (::renameat(fd_, kUnfinished, folder.get(), name.c_str()) != 0)
    fail(root_, path, "cannot be written");
}

void Tree::remove(const std::string& path) const {
  const auto folder = folder_above(fd_, path, false);
  if (folder.is_open() && ::unlinkat(folder.get(), name_of(path).c_str(), 0) != 0 && errno != ENOENT)
    fail(root_, path, "cannot be removed");
}

std::optional<std::string> Tree::read(const std::string& path) const {
  const auto folder = folder_above(fd_, path, false);
  return folder.is_open() ? content_of(folder.get(), name_of(path)) : std::nullopt;
}

std::vector<std::string> Tree::files(const std::string& folder) const {
  std::vector<std::string> names;
  const auto at = folder_above(fd_, folder + "/", false);
  if (at.is_open())
    each_below(at.get(), "", [&](const std::string& name, bool is_folder) {
      if (!is_folder) names.push_back(name);
    });
  std::sort(names.begin(), names.end());
  return names;
}

void Tree::each_file(const std::function<void(const std::string& path)>& on_file) const {
  std::vector<std::string> open{""};  // Ends with a slash, but for the root.
  while (!open.empty()) {
    const auto path = std::move(open.back());
    open.pop_back();
    const auto at = folder_above(fd_, path, false);
    if (!at.is_open()) continue;
    each_below(at.get(), "", [&](const std::string& name, bool is_folder) {
      is_folder ? open.push_back(path + name + "/") : on_file(path + name);
    });
  }
}

}  // namespace eole::cli::ledger
