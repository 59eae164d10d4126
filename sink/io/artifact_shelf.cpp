#include "sink/io/artifact_shelf.hpp"

#include "common/base/ids.hpp"
#include "common/base/planted.hpp"
#include "sink/core/keep.hpp"

namespace eole::sink {

namespace {
// So often at most a file's time is written: what is said to be kept for a day is for 23 hours.
constexpr std::int64_t kTouchEveryMs = 60LL * 60 * 1000;
// An artifact on its way out: it takes moments, in which nothing waits for the lock.
const std::string kGoing = "collected.tmp";
}  // namespace

ArtifactShelf::ArtifactShelf(storage::Directory& directory, std::int64_t unix_ms)
    : directory_(directory), unix_ms_(unix_ms), superfluous_before_(kAllKept) {
  // A name that the last life gave may not be durable yet, and from now on it is believed.
  if (!planted("artifact-names-believed")) directory_.sync();
  for (const auto& name : directory_.list()) {
    if (name == kGoing) directory_.remove(name);
    if (!is_sha256(name)) continue;
    if (const auto status = directory_.status(name)) add(status->size);
  }
}

void ArtifactShelf::set_times(std::int64_t unix_ms, std::int64_t superfluous_before) {
  unix_ms_ = unix_ms;
  superfluous_before_ = superfluous_before;
}

void ArtifactShelf::add(std::uint64_t bytes) {
  ++count_;
  bytes_ += bytes;
}

bool ArtifactShelf::touch(const std::string& sha256, std::int64_t unix_ms) {
  const std::scoped_lock lock(naming_);
  const auto status = directory_.status(sha256);
  if (!status) return false;
  if (status->changed_unix_ms < unix_ms - kTouchEveryMs && !planted("named-artifacts-not-touched"))
    directory_.open(sha256)->date(unix_ms);
  return true;
}

MissingArtifacts ArtifactShelf::missing(const NamedArtifacts& artifacts, std::int64_t unix_ms) {
  MissingArtifacts missing;
  for (const auto& artifact : artifacts)
    if (!touch(hex(artifact), unix_ms)) missing.emplace(artifact);
  return missing;
}

void ArtifactShelf::collect(const std::string& sha256) {
  std::uint64_t bytes = 0;
  {
    const std::scoped_lock lock(naming_);
    const auto status = directory_.status(sha256);
    if (!status || status->changed_unix_ms >= superfluous_before_) return;
    directory_.rename(sha256, kGoing);
    bytes = status->size;
  }
  directory_.remove(kGoing);
  --count_;
  bytes_ -= bytes;
  ++collected_;
  collected_bytes_ += bytes;
}

bool ArtifactShelf::collect_part(const std::string& part) {
  const auto status = directory_.status(part);
  if (!status || status->changed_unix_ms >= unix_ms_ - kKeptMs) return false;
  try {
    directory_.remove(part);
  } catch (const storage::Missing&) {  // Its writer took it back meanwhile.
  }
  return true;
}

void ArtifactShelf::tell(protocol::Value& status) const {
  status.set("artifacts", count_.load());
  status.set("artifact_bytes", bytes_.load());
  status.set("artifacts_collected", collected_.load());
  status.set("artifact_bytes_collected", collected_bytes_.load());
}

}  // namespace eole::sink
