#include "clients/cpp/blocking/artifact_client.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/base/ids.hpp"
#include "common/base/text.hpp"
#include "common/process/descriptor.hpp"
#include "common/process/hash.hpp"
#include "common/protocol/records.hpp"

namespace eole::client {

namespace {

constexpr Duration kGlanceEvery = 100ms;  // At whoever may stop it.

// SHA-256 (hexadecimal) and size of a file, of which nothing is sent meanwhile.
Expected<ArtifactClient::Stored> digest_of(const std::string& path,
                                           const ArtifactClient::OnProgress& on_progress) {
  const process::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  struct stat found {};
  if (file.get() < 0 || ::fstat(file.get(), &found) != 0)
    return Error{text(path, ": ", std::strerror(errno))};
  process::Sha256 hash;
  ArtifactClient::Stored stored;
  std::string chunk(1 << 20, '\0');
  while (true) {
    if (on_progress && !on_progress(0, static_cast<std::uint64_t>(found.st_size)))
      return Error{"stopped"};
    const auto got = ::read(file.get(), chunk.data(), chunk.size());
    if (got < 0) return Error{text(path, ": ", std::strerror(errno))};
    if (got == 0) break;
    hash.add(std::string_view(chunk).substr(0, static_cast<std::size_t>(got)));
    stored.bytes += static_cast<std::uint64_t>(got);
  }
  stored.sha256 = hex(hash.digest());
  return stored;
}

}  // namespace

ArtifactClient::ArtifactClient(net::Context& context, const net::ClusterFile& cluster)
    : waiting_(context), transfers_(waiting_.session(), cluster) {
  if (!cluster.artifacts.starts_with("ipc:")) place_.emplace();  // Another machine's.
}

Expected<void> ArtifactClient::wait(Transfers::Id id, const std::optional<Expected<void>>& outcome,
                                    const std::function<bool()>& go_on) {
  while (!outcome) {
    if (go_on && !go_on()) {
      transfers_.stop(id);
      return Error{"stopped"};
    }
    waiting_.wait(kGlanceEvery);
  }
  return *outcome;
}

Expected<ArtifactClient::Stored> ArtifactClient::put(const std::string& path,
                                                     const OnProgress& on_progress) {
  const auto stored = digest_of(path, on_progress);
  return stored ? put(path, *stored, on_progress) : stored.error();
}

const std::string& ArtifactClient::place(const std::function<bool()>& go_on) {
  static const std::string kNowhere;
  if (place_) return *place_;
  std::optional<Expected<protocol::Handed>> answer;
  const auto id =
      transfers_.hand("", [&](const Expected<protocol::Handed>& ended) { answer = ended; });
  while (!answer) {
    if (go_on && !go_on()) {
      transfers_.stop(id);
      return kNowhere;
    }
    waiting_.wait(kGlanceEvery);
  }
  if (answer->operator bool()) return place_.emplace((*answer)->directory);
  // Of silence nothing follows for the next time.
  return answer->error().is_silence() ? kNowhere : place_.emplace();
}

Expected<ArtifactClient::Stored> ArtifactClient::put(const std::string& path, const Stored& known,
                                                     const OnProgress& on_progress) {
  const auto* stored = &known;
  const process::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const auto source = [&](std::uint64_t offset, std::size_t size) -> Expected<Bytes> {
    Bytes chunk(size, '\0');
    const auto got = ::pread(file.get(), chunk.data(), size, static_cast<off_t>(offset));
    if (got != static_cast<ssize_t>(size)) return Error{text(path, ": changed while it was sent")};
    return chunk;
  };
  std::optional<Expected<void>> outcome;
  const auto id = transfers_.put(stored->sha256, stored->bytes, source,
                                 [&](const Expected<void>& ended) { outcome = ended; });
  const auto go_on = [&] {
    return !on_progress || on_progress(transfers_.have(id), stored->bytes);
  };
  if (auto sent = wait(id, outcome, go_on); !sent) return sent.error();
  if (on_progress) on_progress(stored->bytes, stored->bytes);
  return *stored;
}

Expected<ArtifactClient::Stored> ArtifactClient::put_bytes(std::string_view bytes,
                                                           const std::function<bool()>& go_on) {
  const Stored stored{hex(process::sha256(bytes)), bytes.size()};
  const auto source = [&](std::uint64_t offset, std::size_t size) -> Expected<Bytes> {
    return Bytes(bytes.substr(offset, size));
  };
  std::optional<Expected<void>> outcome;
  const auto id = transfers_.put(stored.sha256, stored.bytes, source,
                                 [&](const Expected<void>& ended) { outcome = ended; });
  if (auto sent = wait(id, outcome, go_on); !sent) return sent.error();
  return stored;
}

namespace {

// A file that lies here; nothing if it cannot be read from there on: the sink says why.
std::optional<Expected<void>> read_here(const std::string& path, std::uint64_t from,
                                        const Transfers::OnPiece& on_piece,
                                        const std::function<bool()>& go_on) {
  const process::Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat found {};
  if (file.get() < 0 || ::fstat(file.get(), &found) != 0 || !S_ISREG(found.st_mode)) return {};
  const auto size = static_cast<std::uint64_t>(found.st_size);
  if (from > size) return {};
  TakePiece piece{from, size, {}};
  do {
    if (go_on && !go_on()) return Error{"stopped"};
    piece.bytes.resize(std::min<std::uint64_t>(protocol::kChunkBytes, size - piece.offset));
    const auto got = ::pread(file.get(), piece.bytes.data(), piece.bytes.size(),
                             static_cast<off_t>(piece.offset));
    if (got != static_cast<ssize_t>(piece.bytes.size()))
      return Error{text(path, ": ", got < 0 ? std::strerror(errno) : "became shorter")};
    if (auto taken = on_piece(piece); !taken) return taken;
    piece.offset += piece.bytes.size();
  } while (piece.offset < size);
  return Expected<void>();
}

}  // namespace

Expected<void> ArtifactClient::pieces(const std::string& sha256, std::uint64_t from,
                                      const Transfers::OnPiece& on_piece,
                                      const std::function<bool()>& go_on) {
  if (const auto& here = place(go_on); is_sha256(sha256) && !here.empty())
    if (auto read = read_here(text(here, "/", sha256), from, on_piece, go_on)) return *read;
  std::optional<Expected<void>> outcome;
  const auto id =
      transfers_.get(sha256, from, on_piece, [&](const Expected<void>& ended) { outcome = ended; });
  return wait(id, outcome, go_on);
}

Expected<std::uint64_t> ArtifactClient::get_to(const std::string& sha256, const OnBytes& on_bytes,
                                               const std::function<bool()>& go_on) {
  process::Sha256 hash;
  std::uint64_t bytes = 0;
  const auto take = [&](const TakePiece& piece) -> Expected<void> {
    hash.add(piece.bytes);
    bytes += piece.bytes.size();
    if (!on_bytes(piece.bytes)) return Error{"what was fetched cannot be written"};
    return {};
  };
  if (auto got = pieces(sha256, 0, take, go_on); !got) return got.error();
  if (hex(hash.digest()) != sha256)
    return Error{text("artifact ", sha256, ": what was fetched has another digest")};
  return bytes;
}

namespace {

// Gives the file its name; false if something has that name already and must keep it.
bool name_it(const std::string& temporary, const std::string& path, IfThere if_there) {
  if (if_there == IfThere::kReplace) return std::rename(temporary.c_str(), path.c_str()) == 0;
  if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, path.c_str(), RENAME_NOREPLACE) == 0)
    return true;
  if (errno != EINVAL && errno != ENOSYS) return false;
  // A filesystem that cannot: the name is taken first, and then replaced.
  const process::Descriptor claim(
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  return claim.get() >= 0 && std::rename(temporary.c_str(), path.c_str()) == 0;
}

}  // namespace

Expected<std::uint64_t> ArtifactClient::get(const std::string& sha256, const std::string& path,
                                            const OnProgress& on_progress, IfThere if_there) {
  // Named by the digest: `path` with an ending may be too long for a name.
  const auto directory = path.substr(0, path.find_last_of('/') + 1);
  const auto temporary = text(directory, ".", sha256, ".part");
  const process::Descriptor file(
      ::open(temporary.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (file.get() < 0) return Error{text(temporary, ": ", std::strerror(errno))};
  if (::flock(file.get(), LOCK_EX | LOCK_NB) != 0)
    return Error{text(temporary, ": is being written, by another fetch of this artifact")};
  std::optional<process::Sha256> hash(std::in_place);
  std::uint64_t have = 0;
  std::string chunk(protocol::kChunkBytes, '\0');
  while (true) {  // What an earlier fetch left counts.
    const auto got = ::pread(file.get(), chunk.data(), chunk.size(), static_cast<off_t>(have));
    if (got <= 0) break;
    hash->add(std::string_view(chunk).substr(0, static_cast<std::size_t>(got)));
    have += static_cast<std::uint64_t>(got);
  }
  std::uint64_t size = 0;  // Not known before the first piece.
  const auto take = [&](const TakePiece& piece) -> Expected<void> {
    const auto& bytes = piece.bytes;
    if (::pwrite(file.get(), bytes.data(), bytes.size(), static_cast<off_t>(have)) !=
        static_cast<ssize_t>(bytes.size()))
      return Error{text(temporary, ": ", std::strerror(errno))};
    hash->add(bytes);
    have += bytes.size();
    size = piece.size;
    return {};
  };
  const auto fetch = [&] {
    return pieces(sha256, have, take,
                  [&] { return !on_progress || size == 0 || on_progress(have, size); });
  };
  auto got = fetch();
  // Refused at once: what is here may be longer than the artifact. All of it, then.
  if (!got && !got.error().is_silence() && have > 0 && size == 0 &&
      ::ftruncate(file.get(), 0) == 0) {
    have = 0;
    hash.emplace();
    got = fetch();
  }
  if (!got) {
    if (have == 0) ::unlink(temporary.c_str());  // Nothing to go on from.
    return got.error();
  }
  if (hex(hash->digest()) != sha256) {
    ::unlink(temporary.c_str());
    return Error{text("artifact ", sha256, ": what was fetched has another digest; try again")};
  }
  if (::fsync(file.get()) != 0 || !name_it(temporary, path, if_there)) {
    const auto why = std::strerror(errno);
    ::unlink(temporary.c_str());
    return Error{text(path, ": ", why)};
  }
  return have;
}

}  // namespace eole::client
