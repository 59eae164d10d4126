#include "common/storage/real_disk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "common/base/own_files.hpp"
#include "common/base/text.hpp"

namespace eole::storage {

namespace {

[[noreturn]] void fail(const std::string& what, const std::string& path, int error) {
  const auto said = text(what, " ", path, ": ", std::strerror(error));
  if (error == ENOENT) throw Missing(said);
  throw StorageFailure(said);
}

class RealFile final : public File {
 public:
  RealFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~RealFile() override { ::close(fd_); }
  RealFile(const RealFile&) = delete;
  RealFile& operator=(const RealFile&) = delete;

  void write(std::uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const auto written = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (written < 0 && errno == EINTR) continue;
      if (written <= 0) fail("cannot write", path_, written < 0 ? errno : ENOSPC);
      bytes.remove_prefix(static_cast<std::size_t>(written));
      offset += static_cast<std::uint64_t>(written);
    }
  }
  std::string read(std::uint64_t offset, std::size_t size) const override {
    std::string out(size, '\0');
    std::size_t got = 0;
    while (got < size) {
      const auto part =
          ::pread(fd_, out.data() + got, size - got, static_cast<off_t>(offset + got));
      if (part < 0 && errno == EINTR) continue;
      if (part < 0) fail("cannot read", path_, errno);
      if (part == 0) break;
      got += static_cast<std::size_t>(part);
    }
    out.resize(got);
    return out;
  }
  void sync() override {
    // Not even EINTR is retried: after any failure the kernel may have dropped the pages.
    if (::fdatasync(fd_) != 0) fail("cannot sync", path_, errno);
  }
  void stamp(std::int64_t unix_ms) override {
    timespec times[2] = {};
    times[0].tv_nsec = UTIME_OMIT;
    times[1].tv_sec = unix_ms / 1000;
    times[1].tv_nsec = unix_ms % 1000 * 1'000'000;
    if (::futimens(fd_, times) != 0) fail("cannot date", path_, errno);
  }
  void sync_all() override {
    if (::fsync(fd_) != 0) fail("cannot sync", path_, errno);  // fdatasync leaves times out.
  }
  void write_behind(std::uint64_t offset, std::uint64_t bytes) override {
    // Not every file system can; what fails shows at the sync.
    ::sync_file_range(fd_, static_cast<off64_t>(offset), static_cast<off64_t>(bytes),
                      SYNC_FILE_RANGE_WRITE);
  }
  void reserve(std::uint64_t size) override {
    const auto before = this->size();
    const int error = ::posix_fallocate(fd_, 0, static_cast<off_t>(size));
    if (error == 0) return;
    if (error == ENOSPC) truncate(before);  // A part of it may be taken; others need it.
    fail("cannot reserve space for", path_, error);
  }
  void truncate(std::uint64_t size) override {
    if (::ftruncate(fd_, static_cast<off_t>(size)) != 0) fail("cannot truncate", path_, errno);
  }
  std::uint64_t size() const override {
    struct stat status {};
    if (::fstat(fd_, &status) != 0) fail("cannot stat", path_, errno);
    return static_cast<std::uint64_t>(status.st_size);
  }

 private:
  int fd_;
  std::string path_;
};

class RealWalk final : public Walk {
 public:
  explicit RealWalk(std::string path) : path_(std::move(path)), at_(::opendir(path_.c_str())) {
    if (at_ == nullptr) fail("cannot list", path_, errno);
  }
  ~RealWalk() override { ::closedir(at_); }
  RealWalk(const RealWalk&) = delete;
  RealWalk& operator=(const RealWalk&) = delete;

  std::vector<std::string> next(std::size_t most) override {
    std::vector<std::string> names;
    while (names.size() < most) {
      errno = 0;
      const auto* entry = ::readdir(at_);
      if (entry == nullptr && errno != 0) fail("cannot list", path_, errno);
      if (entry == nullptr) break;
      std::string name = entry->d_name;
      if (name != "." && name != "..") names.push_back(std::move(name));
    }
    return names;
  }

 private:
  std::string path_;
  DIR* at_;
};

class RealDirectory final : public Directory {
 public:
  explicit RealDirectory(std::string path) : path_(std::move(path)) {
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path_).parent_path(), ignored);
    if (::mkdir(path_.c_str(), 0700) != 0 && errno != EEXIST)
      fail("cannot make directory", path_, errno);
    fd_ = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd_ < 0) fail("cannot open directory", path_, errno);
    struct stat status {};
    if (::fstat(fd_, &status) != 0) fail("cannot stat", path_, errno);
    if ((status.st_mode & 0022) != 0)
      throw Damage(text("directory ", path_, ": others may write to it, chmod it to 0700"));
    lock_fd_ = ::openat(fd_, "lock", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock_fd_ < 0) fail("cannot open the lock in", path_, errno);
    if (::flock(lock_fd_, LOCK_EX | LOCK_NB) != 0)
      fail("another process uses the directory", path_, errno);
  }
  ~RealDirectory() override {
    if (lock_fd_ >= 0) ::close(lock_fd_);
    if (fd_ >= 0) ::close(fd_);
  }
  RealDirectory(const RealDirectory&) = delete;
  RealDirectory& operator=(const RealDirectory&) = delete;

  std::unique_ptr<Walk> walk() const override {
    const OwnFiles own;
    return std::make_unique<RealWalk>(path_);
  }
  bool has(const std::string& name) const override {
    return ::faccessat(fd_, name.c_str(), F_OK, 0) == 0;
  }
  std::optional<FileStatus> status(const std::string& name) const override {
    struct stat status {};
    if (::fstatat(fd_, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
      if (errno == ENOENT) return std::nullopt;
      fail("cannot stat", path_ + "/" + name, errno);
    }
    return FileStatus{
        static_cast<std::uint64_t>(status.st_size),
        std::int64_t{status.st_mtim.tv_sec} * 1000 + status.st_mtim.tv_nsec / 1'000'000,
        S_ISREG(status.st_mode)};
  }
  std::unique_ptr<File> open(const std::string& name) override { return open_file(name, O_RDWR); }
  std::unique_ptr<File> create(const std::string& name) override {
    return open_file(name, O_RDWR | O_CREAT | O_TRUNC);
  }
  void rename(const std::string& from, const std::string& to) override {
    if (::renameat(fd_, from.c_str(), fd_, to.c_str()) != 0) fail("cannot rename", from, errno);
  }
  void remove(const std::string& name) override {
    if (::unlinkat(fd_, name.c_str(), 0) != 0) fail("cannot remove", name, errno);
  }
  void sync() override {
    if (::fsync(fd_) != 0) fail("cannot sync directory", path_, errno);
  }
  std::uint64_t free_bytes() const override {
    struct statvfs status {};
    if (::fstatvfs(fd_, &status) != 0) fail("cannot measure free space of", path_, errno);
    return static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
  }

 private:
  std::unique_ptr<File> open_file(const std::string& name, int flags) {
    const OwnFiles own;
    const int fd = ::openat(fd_, name.c_str(), flags | O_CLOEXEC, 0600);
    if (fd < 0) fail("cannot open", path_ + "/" + name, errno);
    return std::make_unique<RealFile>(fd, path_ + "/" + name);
  }
  std::string path_;
  int fd_ = -1;
  int lock_fd_ = -1;
};

}  // namespace

std::unique_ptr<Directory> open_directory(const std::string& path) {
  return std::make_unique<RealDirectory>(path);
}

}  // namespace eole::storage
