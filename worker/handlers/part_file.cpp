#include "worker/handlers/part_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>

#include "common/base/text.hpp"

namespace eole::worker {

namespace {

constexpr std::size_t kReadBytes = 1 << 20;

// A part is of no use after a power cut: its file may have its length and not its bytes.
std::string boot() {
  std::string id;
  std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), id);
  return id;
}

bool write_all(int fd, std::string_view bytes, std::uint64_t at) {
  while (!bytes.empty()) {
    const auto written = ::pwrite(fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
    at += static_cast<std::uint64_t>(written);
  }
  return true;
}

}  // namespace

PartFile::PartFile(std::string path, bool is_lasting)
    : path_(std::move(path)), is_lasting_(is_lasting) {
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  struct stat status {};
  if (fd_ < 0 || ::fstat(fd_, &status) != 0) {
    fail("open");
    return;
  }
  have_ = static_cast<std::uint64_t>(status.st_size);
  read_note();
  if (resume_at() == 0) start_over();
}

PartFile::~PartFile() {
  if (fd_ >= 0) ::close(fd_);
}

bool PartFile::fail(std::string_view what) {
  if (problem_.empty()) problem_ = text("cannot ", what, " ", path_, ": ", std::strerror(errno));
  return false;
}

std::uint64_t PartFile::resume_at() const {
  if (version_.validator.empty() || (version_.total && have_ > *version_.total)) return 0;
  // All of it is here: its last byte is asked for again, to hear that this is still the version.
  return version_.total == have_ && have_ > 0 ? have_ - 1 : have_;
}

bool PartFile::begin(const Version& version, std::uint64_t from) {
  if (from == 0 && !start_over()) return false;
  have_ = std::min(have_, from);
  if (version == version_) return true;
  version_ = version;
  return note();
}

bool PartFile::append(std::string_view bytes) {
  if (!write_all(fd_, bytes, have_)) return fail("write");
  have_ += bytes.size();
  return true;
}

bool PartFile::start_over() {
  have_ = 0;
  version_ = {};
  ::unlink(note_path().c_str());
  return ::ftruncate(fd_, 0) == 0 || fail("truncate");
}

bool PartFile::finish() {
  ::unlink(note_path().c_str());
  return ::ftruncate(fd_, static_cast<off_t>(have_)) == 0 || fail("truncate");
}

void PartFile::drop() {
  ::unlink(note_path().c_str());
  ::unlink(path_.c_str());
}

std::string PartFile::read(std::uint64_t at) {
  std::string bytes(kReadBytes, '\0');
  const auto got = ::pread(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at));
  if (got < 0) fail("read");
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
  return bytes;
}

// Before the first byte of its version is written; without a validator there is nothing to resume.
bool PartFile::note() {
  ::unlink(note_path().c_str());
  if (!is_lasting_ || version_.validator.empty()) return true;
  const int fd =
      ::open(note_path().c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return fail("note the version of");
  const auto total = version_.total ? text(*version_.total) : std::string("?");
  const bool is_written = write_all(fd,
                                    text(boot(), '\n', version_.validator, '\n', total, '\n',
                                         version_.encoding, '\n', version_.name, "\n.\n"),
                                    0);
  ::close(fd);
  return is_written || fail("note the version of");
}

void PartFile::read_note() {
  if (!is_lasting_) return;
  std::ifstream file(note_path());
  std::string boot_id, total, end;
  Version found;
  std::getline(file, boot_id);
  std::getline(file, found.validator);
  std::getline(file, total);
  std::getline(file, found.encoding);
  std::getline(file, found.name);
  std::getline(file, end);
  if (end != "." || boot_id.empty() || boot_id != boot()) return;
  if (total != "?") found.total = std::strtoull(total.c_str(), nullptr, 10);
  version_ = std::move(found);
}

}  // namespace eole::worker
