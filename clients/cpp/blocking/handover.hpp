#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "clients/cpp/blocking/artifact_client.hpp"

namespace eole::client {

/// A file that its writer gives away, on its way to the sink while it is still being written. Where
/// both share a file system it is linked there, and the sink alone reads it; else it is sent once
/// it is whole. One thread.
class Handover {
 public:
  /// `path`: a file of ours alone, which nobody changes afterwards.
  Handover(ArtifactClient& client, std::string path);
  /// If it did not end, the sink forgets it.
  ~Handover();
  Handover(const Handover&) = delete;
  Handover& operator=(const Handover&) = delete;

  /// So many bytes of it are there, and will not change. Never waits.
  void reach(std::uint64_t bytes);
  /// So many are in all, some perhaps behind a gap: the disk begins with them. Never waits.
  void write_behind(std::uint64_t bytes);
  /// All `bytes` of it are: returns once the sink has it durably.
  Expected<ArtifactClient::Stored> finish(std::uint64_t bytes,
                                          const ArtifactClient::OnProgress& on_progress);
  bool is_by_link() const { return !link_.empty(); }

 private:
  Expected<void> wait_for_disk(std::uint64_t bytes, const ArtifactClient::OnProgress& on_progress);
  ArtifactClient& client_;
  std::string path_;
  int fd_ = -1;
  std::uint64_t behind_ = 0;  // The disk was told to begin when so much was written.
  std::string link_;  // Its name among the sink's; empty: none.
  std::optional<Expected<protocol::Handed>> outcome_;
  Transfers::Id id_ = 0;
};

}  // namespace eole::client
