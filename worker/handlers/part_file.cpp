#include "worker/handlers/part_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <utility>

#include "common/base/text.hpp"

namespace eole::worker {

namespace {

constexpr std::size_t kReadBytes = 1 << 20;
constexpr std::uint64_t kNoteEveryBytes = 1 << 20;  // Of a stretch: what a kill costs at most.
constexpr std::size_t kStretchesMax = 4096;         // Of a note that is believed.

// A part is of no use after a power cut: its file may have its length and not its bytes.
const std::string& boot() {
  static const std::string kId = [] {
    std::string id;
    std::getline(std::ifstream("/proc/sys/kernel/random/boot_id"), id);
    return id;
  }();
  return kId;
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

PartFile::PartFile(std::function<Place()> place, bool is_left) : place_(std::move(place)) {
  if (is_left) open();
}

void PartFile::open() {
  auto place = place_();
  path_ = std::move(place.path);
  is_lasting_ = place.is_lasting;
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  struct stat status {};
  if (fd_ < 0 || ::fstat(fd_, &status) != 0) {
    fail("open");
    return;
  }
  stretches_[0] = static_cast<std::uint64_t>(status.st_size);
  read_note();
  if (resume_at() == 0) start_over();
}

bool PartFile::put_on_disk() {
  if (is_on_disk()) return true;
  auto place = place_();
  path_ = std::move(place.path);
  is_lasting_ = place.is_lasting;
  if (!open_anew()) return false;
  if (!write_all(fd_, memory_, 0)) return fail("write");
  memory_ = {};
  return true;
}

PartFile::~PartFile() {
  if (!is_over_ && is_small() && resume_at() > 0 && put_on_disk()) note();
  if (fd_ >= 0) ::close(fd_);
}

bool PartFile::fail(std::string_view what) {
  if (problem_.empty()) problem_ = text("cannot ", what, " ", path_, ": ", std::strerror(errno));
  return false;
}

std::string PartFile::problem() const {
  const std::scoped_lock lock(mutex_);
  return problem_;
}

std::string PartFile::path() const {
  const std::scoped_lock lock(mutex_);
  return path_;
}

Version PartFile::version() const {
  const std::scoped_lock lock(mutex_);
  return version_;
}

std::uint64_t PartFile::have() const {
  const std::scoped_lock lock(mutex_);
  std::uint64_t have = 0;
  for (const auto& [begin, end] : stretches_) have += end - begin;
  return have;
}

std::uint64_t PartFile::front() const {
  const std::scoped_lock lock(mutex_);
  std::uint64_t front = 0;
  for (const auto& [begin, end] : stretches_)
    if (begin <= front) front = end;
  return front;
}

std::vector<PartFile::Gap> PartFile::gaps() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Gap> gaps;
  for (auto one = stretches_.begin(); one != stretches_.end(); ++one) {
    const auto next = std::next(one);
    const auto to = next != stretches_.end() ? next->first : version_.total.value_or(UINT64_MAX);
    if (one->second < to) gaps.push_back({one->second, to, one->first});
  }
  return gaps;
}

// A server that holds each connection to a rate lets as much pass at once when another begins as it
// did for the first: of halves of the rest the first one's would end last.
std::uint64_t PartFile::Gap::middle() const {
  const auto rest = to - from;
  return from + (rest - std::min(from - after, rest / 4)) / 2;
}

std::uint64_t PartFile::generation() const {
  const std::scoped_lock lock(mutex_);
  return generation_;
}

std::uint64_t PartFile::resume_at() const {
  const auto open = gaps();
  const auto all = have();
  const std::scoped_lock lock(mutex_);
  if (version_.validator.empty() || (version_.total && all > *version_.total)) return 0;
  if (!open.empty()) return open.front().from;
  // All of it is here: its last byte is asked for again, to hear that this is still the version.
  return all > 0 ? all - 1 : 0;
}

bool PartFile::begin(const Version& version, std::uint64_t from) {
  const std::scoped_lock lock(mutex_);
  if (from == 0 && !start_anew()) return false;
  for (auto& [begin, end] : stretches_)
    if (begin <= from && from < end) end = from;
  const bool is_news = version != version_;
  version_ = version;
  if (is_small()) return true;  // It is noted if it is left: a kill may cost a MiB.
  return put_on_disk() && (!is_news || (set_space_aside() && note()));
}

// So that a full disk shows before the hours of a download, not after them. A file system that
// cannot is none the worse.
bool PartFile::set_space_aside() {
  if (!version_.total || *version_.total == 0) return true;
  const auto total = static_cast<off_t>(*version_.total);
  struct statvfs disk {};
  const bool is_known = ::fstatvfs(fd_, &disk) == 0;  // Before some of it is taken.
  if (::fallocate(fd_, FALLOC_FL_KEEP_SIZE, 0, total) == 0 || errno != ENOSPC) return true;
  problem_ = text("the disk has no room for its ", total, " bytes",
                  is_known ? text(", ", disk.f_bavail * disk.f_frsize, " are free") : "", ": ",
                  path_.substr(0, path_.rfind('/')));
  return false;
}

std::size_t PartFile::append(std::uint64_t at, std::string_view bytes) {
  const std::scoped_lock lock(mutex_);
  const auto next = stretches_.upper_bound(at);
  auto& [begin, end] = *std::prev(next);
  if (at != end) return 0;  // Another fills it.
  if (next != stretches_.end()) bytes = bytes.substr(0, next->first - at);
  if (!problem_.empty()) return 0;
  if (!is_on_disk()) {
    memory_.replace(at, bytes.size(), bytes);
  } else if (!write_all(fd_, bytes, at)) {
    fail("write");
    return 0;
  }
  end = at + bytes.size();
  // Of one stretch the file's size says the same.
  if (stretches_.size() > 1 && is_far_from_note(begin, end) && !note()) return 0;
  return bytes.size();
}

bool PartFile::is_far_from_note(std::uint64_t begin, std::uint64_t end) const {
  const auto noted = noted_.find(begin);
  return end - (noted == noted_.end() ? begin : noted->second) >= kNoteEveryBytes;
}

bool PartFile::divide(std::uint64_t at) {
  const std::scoped_lock lock(mutex_);
  if (!is_on_disk() || at <= std::prev(stretches_.upper_bound(at))->second) return false;
  stretches_.emplace(at, at);
  return note();  // Before its first byte: from then on the file's size says nothing.
}

bool PartFile::start_over() {
  const std::scoped_lock lock(mutex_);
  return start_anew();
}

bool PartFile::start_anew() {
  const bool is_fresh = is_fresh_ && stretches_.size() == 1 && stretches_[0] == 0;
  stretches_ = {{0, 0}};
  version_ = {};
  if (is_on_disk()) ::unlink(note_path().c_str());
  if (is_fresh) return true;
  ++generation_;
  memory_.clear();
  is_fresh_ = true;
  return !is_on_disk() || open_anew();
}

// Another file: the one before may be the sink's already.
bool PartFile::open_anew() {
  ::unlink(path_.c_str());
  const int fresh = ::open(path_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fresh < 0) return fail("make anew");
  if (is_on_disk()) ::close(fd_);
  fd_ = fresh;
  return true;
}

bool PartFile::finish() {
  const auto size = front();
  const std::scoped_lock lock(mutex_);
  if (!put_on_disk()) return false;
  is_over_ = true;
  is_fresh_ = false;
  ::unlink(note_path().c_str());
  return ::ftruncate(fd_, static_cast<off_t>(size)) == 0 || fail("truncate");
}

void PartFile::drop() {
  is_over_ = true;
  if (!is_on_disk()) return;
  ::unlink(note_path().c_str());
  ::unlink(path_.c_str());
}

std::string PartFile::read(std::uint64_t at) {
  const std::scoped_lock lock(mutex_);  // A transfer may move it just now, or put it on the disk.
  if (!is_on_disk()) return memory_.substr(std::min<std::uint64_t>(at, memory_.size()));
  std::string bytes(kReadBytes, '\0');
  const auto got = ::pread(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at));
  if (got < 0) fail("read");
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
  return bytes;
}

// Before the first byte of its version is written; without a validator there is nothing to resume.
// A kill leaves the one before or this one.
bool PartFile::note() {
  if (!is_lasting_ || version_.validator.empty()) return true;
  noted_ = stretches_;
  const auto total = version_.total ? text(*version_.total) : std::string("?");
  auto said = text(boot(), '\n', version_.validator, '\n', total, '\n', version_.encoding, '\n',
                   version_.name, '\n', version_.sha256, '\n');
  if (stretches_.size() > 1)
    for (const auto& [begin, end] : stretches_) {
      char line[64];
      std::snprintf(line, sizeof line, "%020llu %020llu\n", static_cast<unsigned long long>(begin),
                    static_cast<unsigned long long>(end));
      said += line;
    }
  said += ".\n";
  const auto temporary = note_path() + ".new";
  const int fd =
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  const bool is_written =
      fd >= 0 && write_all(fd, said, 0) && ::rename(temporary.c_str(), note_path().c_str()) == 0;
  if (fd >= 0) ::close(fd);
  return is_written || fail("note the version of");
}

void PartFile::read_note() {
  if (!is_lasting_) return;
  std::ifstream file(note_path());
  std::string boot_id, total, line;
  Version found;
  std::getline(file, boot_id);
  std::getline(file, found.validator);
  std::getline(file, total);
  std::getline(file, found.encoding);
  std::getline(file, found.name);
  std::getline(file, found.sha256);
  std::map<std::uint64_t, std::uint64_t> stretches;
  const auto size = stretches_[0];
  std::uint64_t last = 0;
  while (std::getline(file, line) && line != ".") {
    unsigned long long begin = 0, end = 0;
    if (std::sscanf(line.c_str(), "%llu %llu", &begin, &end) != 2 || begin < last || end < begin ||
        stretches.size() == kStretchesMax)
      return;
    if (end > size && end > begin) return;  // The file ends before a stretch that is still empty.
    stretches.emplace(begin, last = end);
  }
  if (line != "." || boot_id.empty() || boot_id != boot()) return;
  if (!stretches.empty() && !stretches.contains(0)) return;
  if (total != "?") found.total = std::strtoull(total.c_str(), nullptr, 10);
  if (!stretches.empty()) stretches_ = std::move(stretches);
  version_ = std::move(found);
}

}  // namespace eole::worker
