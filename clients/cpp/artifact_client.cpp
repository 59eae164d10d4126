#include "clients/cpp/artifact_client.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
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

Expected<std::uint64_t> ArtifactClient::get(const std::string& sha256, const std::string& path,
                                            const OnProgress& on_progress) {
  const auto temporary = path + ".part";
  const Descriptor file(::open(temporary.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644));
  if (file.fd < 0) return Error{text(temporary, ": ", std::strerror(errno))};
  process::Sha256 hash;
  std::uint64_t have = 0;
  std::string chunk(protocol::kChunkBytes, '\0');
  while (true) {  // What an earlier fetch left counts.
    const auto got = ::pread(file.fd, chunk.data(), chunk.size(), static_cast<off_t>(have));
    if (got <= 0) break;
    hash.add(std::string_view(chunk).substr(0, static_cast<std::size_t>(got)));
    have += static_cast<std::uint64_t>(got);
  }
  while (true) {
    const auto piece = sink_.ask<protocol::Chunk>(
        protocol::Get{0, sha256, have, static_cast<std::uint32_t>(protocol::kChunkBytes * 4)}, 30s);
    if (!piece) return piece.error();
    if (piece->offset != have) continue;
    const auto& bytes = piece->payload;
    if (::pwrite(file.fd, bytes.data(), bytes.size(), static_cast<off_t>(have)) !=
        static_cast<ssize_t>(bytes.size()))
      return Error{text(temporary, ": ", std::strerror(errno))};
    hash.add(bytes);
    have += bytes.size();
    if (on_progress && !on_progress(have, piece->size)) return Error{"stopped"};
    if (have >= piece->size || bytes.empty()) break;
  }
  if (hex(hash.digest()) != sha256) {
    ::unlink(temporary.c_str());
    return Error{text("artifact ", sha256, ": what was fetched has another digest; try again")};
  }
  if (::fsync(file.fd) != 0 || std::rename(temporary.c_str(), path.c_str()) != 0)
    return Error{text(path, ": ", std::strerror(errno))};
  return have;
}

}  // namespace eole::client
