#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "clients/cpp/blocking/waiting.hpp"
#include "clients/cpp/session/transfers.hpp"

namespace eole::client {

/// What to do if the file to be written is there already.
enum class IfThere { kReplace, kRefuse };

/// Sends files to the sink and fetches them, and waits until that is done; either goes on where it
/// broke off. One thread.
class ArtifactClient {
 public:
  ArtifactClient(net::Context& context, const net::ClusterFile& cluster);

  /// Tells how far it is, ten times a second and more often; false stops the transfer.
  using OnProgress = std::function<bool(std::uint64_t done, std::uint64_t total)>;
  struct Stored {
    std::string sha256;  // Hexadecimal.
    std::uint64_t bytes = 0;
  };
  /// Returns once the sink has the whole file durably.
  Expected<Stored> put(const std::string& path, const OnProgress& on_progress = {});
  /// The same, of a file whose digest is known.
  Expected<Stored> put(const std::string& path, const Stored& known, const OnProgress& on_progress);
  /// The same, of bytes that are in memory; `go_on` is asked all the while.
  Expected<Stored> put_bytes(std::string_view bytes, const std::function<bool()>& go_on = {});
  /// Where the sink takes files that are linked there, and has its artifacts; empty: nowhere. Asks
  /// it once; `go_on` is asked all the while.
  const std::string& place(const std::function<bool()>& go_on = {});
  /// Writes the artifact to `path`: under a temporary name beside it, which an interrupted
  /// transfer leaves and the next one goes on from; its digest is checked before it is renamed.
  Expected<std::uint64_t> get(const std::string& sha256, const std::string& path,
                              const OnProgress& on_progress = {},
                              IfThere if_there = IfThere::kReplace);
  /// Hands the bytes over as they come; false ends it, as does `go_on`, which is asked also while
  /// none come. Errors: also if at the end they turn out to have another digest.
  using OnBytes = std::function<bool(std::string_view bytes)>;
  Expected<std::uint64_t> get_to(const std::string& sha256, const OnBytes& on_bytes,
                                 const std::function<bool()>& go_on = {});

 private:
  /// The bytes from `from` on, one piece after the other; `go_on` is asked all the while. Where this
  /// machine is the sink's, they are read where they lie: no artifact ever changes.
  Expected<void> pieces(const std::string& sha256, std::uint64_t from,
                        const Transfers::OnPiece& on_piece, const std::function<bool()>& go_on);
  Expected<void> wait(Transfers::Id id, const std::optional<Expected<void>>& outcome,
                      const std::function<bool()>& go_on);
  friend class Handover;
  Waiting waiting_;
  Transfers transfers_;
  std::optional<std::string> place_;
};

}  // namespace eole::client
