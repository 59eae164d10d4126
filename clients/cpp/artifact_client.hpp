#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "clients/cpp/requests.hpp"

namespace eole::client {

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
  /// Writes the artifact to `path` under a temporary name, checks its digest, renames it.
  Expected<std::uint64_t> get(const std::string& sha256, const std::string& path,
                              const OnProgress& on_progress = {});

 private:
  Requests sink_;
};

/// SHA-256 (hexadecimal) and size of a file.
Expected<ArtifactClient::Stored> digest_of(const std::string& path);

}  // namespace eole::client
