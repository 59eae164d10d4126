#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "clients/cpp/requests.hpp"

namespace eole::client {

/// What to do if the file to be written is there already.
enum class IfThere { kReplace, kRefuse };

/// Sends files to the sink and fetches them, in chunks, a few under way at a time; either goes on
/// where it broke off. One thread.
class ArtifactClient {
 public:
  ArtifactClient(net::Context& context, const net::ClusterFile& cluster);

  /// Tells how far it is; false stops the transfer.
  using OnProgress = std::function<bool(std::uint64_t done, std::uint64_t total)>;
  struct Stored {
    std::string sha256;  // Hexadecimal.
    std::uint64_t bytes = 0;
  };
  /// Returns once the sink has the whole file durably.
  Expected<Stored> put(const std::string& path, const OnProgress& on_progress = {});
  /// Writes the artifact to `path`: under a temporary name beside it, which an interrupted
  /// transfer leaves and the next one goes on from; its digest is checked before it is renamed.
  Expected<std::uint64_t> get(const std::string& sha256, const std::string& path,
                              const OnProgress& on_progress = {},
                              IfThere if_there = IfThere::kReplace);
  /// Hands the bytes over as they come; false ends it. Errors: also if at the end they turn out
  /// to have another digest.
  using OnBytes = std::function<bool(std::string_view bytes)>;
  Expected<std::uint64_t> get_to(const std::string& sha256, const OnBytes& on_bytes);

 private:
  /// The bytes from `from` on, one piece after the other.
  using OnPiece = std::function<Expected<void>(const protocol::Chunk& piece)>;
  Expected<void> pieces(const std::string& sha256, std::uint64_t from, const OnPiece& on_piece);
  Requests sink_;
};

/// SHA-256 (hexadecimal) and size of a file.
Expected<ArtifactClient::Stored> digest_of(const std::string& path);

}  // namespace eole::client
