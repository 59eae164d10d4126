#include "clients/cpp/blocking/handover.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <utility>

#include "common/base/ids.hpp"
#include "common/base/text.hpp"
#include "common/process/descriptor.hpp"
#include "common/process/system.hpp"
#include "common/protocol/hand_messages.hpp"
#include "common/protocol/records.hpp"

namespace eole::client {

namespace {
constexpr Duration kGlanceEvery = 100ms;            // At whoever may stop it.
constexpr std::uint64_t kBehindBytes = 8ULL << 20;  // Told to the disk at a time.
constexpr std::size_t kCopyBytes = 1 << 20;         // The sink is told of.
}  // namespace

Handover::Handover(ArtifactClient& client, std::string path)
    : Handover(client, std::move(path), By::kLink) {}

Handover::Handover(ArtifactClient& client, std::string path, By by)
    : client_(client), path_(std::move(path)) {
  const auto& place = client_.place();
  if (place.empty()) return;
  // Nobody guesses it, so the sink that finds it sees the same directory.
  const auto file = hex(process::random_u64()) + hex(process::random_u64());
  const auto link = text(place, "/", file, ".handed");
  if (by == By::kLink) {
    if (::link(path_.c_str(), link.c_str()) != 0) return;
    fd_ = ::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  } else {
    fd_ = ::open(link.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd_ < 0) return;
  }
  link_ = link;
  id_ = client_.transfers_.hand(file, [this](const auto& ended) { outcome_ = ended; });
}

Handover::~Handover() { take_back(); }

// The sink notices that the name is gone. Of a copy its room is, too.
void Handover::take_back() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  if (link_.empty()) return;
  if (!outcome_) client_.transfers_.stop(id_);
  if (!outcome_ || !*outcome_) ::unlink(link_.c_str());
  link_.clear();
}

Expected<ArtifactClient::Stored> Handover::copy(ArtifactClient& client, const std::string& path,
                                                const ArtifactClient::OnProgress& on_progress) {
  struct stat found {};
  const bool is_one_piece =
      ::lstat(path.c_str(), &found) == 0 && found.st_size <= off_t{protocol::kChunkBytes};
  if (is_one_piece) return client.put(path, on_progress);  // One question.
  const auto bytes = static_cast<std::uint64_t>(std::max<off_t>(found.st_size, 0));
  Handover handover(client, path, By::kCopy);
  const auto copied = handover.copy_all(bytes, on_progress);
  if (!copied) return copied.error();
  if (*copied) return handover.finish(bytes, on_progress);
  handover.take_back();  // The long way may need its room.
  return client.put(path, on_progress);
}

// The sink looks at what is there already while the rest comes. It is not asked for room as a put
// asks, so as much is left here as it leaves.
Expected<bool> Handover::copy_all(std::uint64_t bytes,
                                  const ArtifactClient::OnProgress& on_progress) {
  const int from = link_.empty() ? -1 : ::open(path_.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (from < 0) return false;
  const process::Descriptor closed(from);
  const auto has_room = [&](std::uint64_t wanted) {
    std::error_code failed;
    const auto space = std::filesystem::space(client_.place(), failed);
    return !failed && space.available >= protocol::kArtifactFloorBytes &&
           space.available - protocol::kArtifactFloorBytes >= wanted;
  };
  for (std::uint64_t done = 0; done < bytes;) {
    if (on_progress && !on_progress(client_.transfers_.have(id_), bytes)) return Error{"stopped"};
    if (outcome_ || !has_room(bytes - done)) return false;  // It has refused what there is.
    const auto got = ::copy_file_range(from, nullptr, fd_, nullptr,
                                       std::min<std::uint64_t>(kCopyBytes, bytes - done), 0);
    if (got <= 0) return false;
    done += static_cast<std::uint64_t>(got);
    reach(done);
  }
  return true;
}

void Handover::reach(std::uint64_t bytes) {
  if (link_.empty() || outcome_) return;
  client_.transfers_.reach(id_, bytes, false);
  client_.waiting_.wait(Duration{});
  write_behind(bytes);
}

void Handover::write_behind(std::uint64_t bytes) {
  if (fd_ < 0 || outcome_ || bytes < behind_ + kBehindBytes) return;
  ::sync_file_range(fd_, 0, 0, SYNC_FILE_RANGE_WRITE);  // All that is not on its way yet.
  behind_ = bytes;
}

// Here and not in the sink, whose one thread the others wait for: its own sync, on which everything
// rests, finds little to do. What fails to be written may be told to one of the two alone.
Expected<void> Handover::wait_for_disk(std::uint64_t bytes,
                                       const ArtifactClient::OnProgress& on_progress) {
  constexpr unsigned kWritten =
      SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER;
  for (std::uint64_t at = 0; at < bytes && !outcome_; at += kBehindBytes) {
    const auto size = std::min(kBehindBytes, bytes - at);
    const bool is_written =
        ::sync_file_range(fd_, static_cast<off64_t>(at), static_cast<off64_t>(size), kWritten) == 0;
    if (!is_written && (errno == EIO || errno == ENOSPC || errno == EDQUOT))
      return Error{text("cannot write ", path_, ": ", std::strerror(errno))};
    if (on_progress && !on_progress(client_.transfers_.have(id_), bytes)) return Error{"stopped"};
    client_.waiting_.wait(Duration{});
  }
  return {};
}

Expected<ArtifactClient::Stored> Handover::finish(std::uint64_t bytes,
                                                  const ArtifactClient::OnProgress& on_progress) {
  if (link_.empty()) return client_.put(path_, on_progress);
  client_.transfers_.reach(id_, bytes, false);
  if (auto written = wait_for_disk(bytes, on_progress); !written) return written.error();
  client_.transfers_.reach(id_, bytes, true);
  while (!outcome_) {
    if (on_progress && !on_progress(client_.transfers_.have(id_), bytes)) return Error{"stopped"};
    client_.waiting_.wait(kGlanceEvery);
  }
  if (*outcome_) return ArtifactClient::Stored{(*outcome_)->sha256, bytes};
  take_back();
  // It was started anew, or sees another directory there: the long way.
  return client_.put(path_, on_progress);
}

}  // namespace eole::client
