#include "clients/cpp/artifact_client.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "common/base/text.hpp"
#include "common/process/sha256.hpp"
#include "common/process/system.hpp"
#include "common/protocol/records.hpp"

namespace eole::client {

namespace {

constexpr std::uint64_t kChunksUnderWay = 8;  // 2 MiB: enough for a fast network's round trip.
constexpr Duration kStalled = 5s;

struct Descriptor {
  int fd;
  explicit Descriptor(int opened) : fd(opened) {}
  ~Descriptor() {
    if (fd >= 0) ::close(fd);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
};

}  // namespace

Expected<ArtifactClient::Stored> digest_of(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.fd < 0) return Error{text(path, ": ", std::strerror(errno))};
  process::Sha256 hash;
  ArtifactClient::Stored stored;
  std::string chunk(1 << 20, '\0');
  while (true) {
    const auto got = ::read(file.fd, chunk.data(), chunk.size());
    if (got < 0) return Error{text(path, ": ", std::strerror(errno))};
    if (got == 0) break;
    hash.add(std::string_view(chunk).substr(0, static_cast<std::size_t>(got)));
    stored.bytes += static_cast<std::uint64_t>(got);
  }
  stored.sha256 = hex(hash.digest());
  return stored;
}

ArtifactClient::ArtifactClient(net::Context& context, const net::ClusterFile& cluster)
    : sink_(context, cluster.artifacts, "the sink") {}

Expected<ArtifactClient::Stored> ArtifactClient::put(const std::string& path,
                                                     const OnProgress& on_progress) {
  const auto stored = digest_of(path);
  if (!stored) return stored.error();
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const auto size = stored->bytes;
  std::string chunk;
  while (true) {
    // An empty piece asks where to go on; then pieces are sent ahead of the answers.
    auto at = sink_.ask<protocol::PutAt>(protocol::Put{0, stored->sha256, size, 0, {}}, 30s);
    if (!at) return at.error();
    auto have = at->have;
    auto sent = have;
    bool is_whole = at->is_whole != 0;
    auto heard = process::now();
    while (!is_whole && process::now() < heard + kStalled) {
      while (sent < size && sent < have + kChunksUnderWay * protocol::kChunkBytes) {
        chunk.resize(std::min<std::uint64_t>(protocol::kChunkBytes, size - sent));
        const auto got = ::pread(file.fd, chunk.data(), chunk.size(), static_cast<off_t>(sent));
        if (got != static_cast<ssize_t>(chunk.size()))
          return Error{text(path, ": changed while it was sent")};
        sink_.socket().send(
            protocol::encode(protocol::Put{UINT32_MAX, stored->sha256, size, sent, chunk}));
        sent += chunk.size();
      }
      if (on_progress && !on_progress(have, size)) return Error{"stopped"};
      sink_.socket().wait(100);
      while (auto received = sink_.socket().receive()) {
        const auto head = protocol::HeadReader::parse(received->message.head);
        if (!head) continue;
        if (head->name() == protocol::Refused::kName) {
          const auto refused = protocol::decode<protocol::Refused>(*head, {});
          if (refused) return Error{text("the sink: ", refused->reason)};
        }
        const auto answer = protocol::decode<protocol::PutAt>(*head, {});
        if (head->name() != protocol::PutAt::kName || !answer) continue;
        heard = process::now();
        have = std::max(have, answer->have);
        is_whole = is_whole || answer->is_whole != 0;
      }
    }
    if (is_whole) {
      if (on_progress) on_progress(size, size);
      return *stored;
    }
  }
}

Expected<void> ArtifactClient::pieces(const std::string& sha256, std::uint64_t from,
                                      const OnPiece& on_piece) {
  while (true) {
    const auto piece = sink_.ask<protocol::Chunk>(
        protocol::Get{0, sha256, from, static_cast<std::uint32_t>(protocol::kChunkBytes * 4)}, 30s);
    if (!piece) return piece.error();
    if (piece->offset != from) continue;
    if (auto taken = on_piece(*piece); !taken) return taken;
    from += piece->payload.size();
    if (from >= piece->size || piece->payload.empty()) return {};
  }
}

Expected<std::uint64_t> ArtifactClient::get_to(const std::string& sha256, const OnBytes& on_bytes) {
  process::Sha256 hash;
  std::uint64_t bytes = 0;
  const auto got = pieces(sha256, 0, [&](const protocol::Chunk& piece) -> Expected<void> {
    hash.add(piece.payload);
    bytes += piece.payload.size();
    if (!on_bytes(piece.payload)) return Error{"what was fetched cannot be written"};
    return {};
  });
  if (!got) return got.error();
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
  const Descriptor claim(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  return claim.fd >= 0 && std::rename(temporary.c_str(), path.c_str()) == 0;
}

}  // namespace

Expected<std::uint64_t> ArtifactClient::get(const std::string& sha256, const std::string& path,
                                            const OnProgress& on_progress, IfThere if_there) {
  // Named by the digest: `path` with an ending may be too long for a name.
  const auto directory = path.substr(0, path.find_last_of('/') + 1);
  const auto temporary = text(directory, ".", sha256, ".part");
  const Descriptor file(::open(temporary.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (file.fd < 0) return Error{text(temporary, ": ", std::strerror(errno))};
  if (::flock(file.fd, LOCK_EX | LOCK_NB) != 0)
    return Error{text(temporary, ": is being written, by another fetch of this artifact")};
  process::Sha256 hash;
  std::uint64_t have = 0;
  std::string chunk(protocol::kChunkBytes, '\0');
  while (true) {  // What an earlier fetch left counts.
    const auto got = ::pread(file.fd, chunk.data(), chunk.size(), static_cast<off_t>(have));
    if (got <= 0) break;
    hash.add(std::string_view(chunk).substr(0, static_cast<std::size_t>(got)));
    have += static_cast<std::uint64_t>(got);
  }
  const auto got = pieces(sha256, have, [&](const protocol::Chunk& piece) -> Expected<void> {
    const auto& bytes = piece.payload;
    if (::pwrite(file.fd, bytes.data(), bytes.size(), static_cast<off_t>(have)) !=
        static_cast<ssize_t>(bytes.size()))
      return Error{text(temporary, ": ", std::strerror(errno))};
    hash.add(bytes);
    have += bytes.size();
    if (on_progress && !on_progress(have, piece.size)) return Error{"stopped"};
    return {};
  });
  if (!got) {
    if (have == 0) ::unlink(temporary.c_str());  // Nothing to go on from.
    return got.error();
  }
  if (hex(hash.digest()) != sha256) {
    ::unlink(temporary.c_str());
    return Error{text("artifact ", sha256, ": what was fetched has another digest; try again")};
  }
  if (::fsync(file.fd) != 0 || !name_it(temporary, path, if_there)) {
    const auto why = std::strerror(errno);
    ::unlink(temporary.c_str());
    return Error{text(path, ": ", why)};
  }
  return have;
}

}  // namespace eole::client
