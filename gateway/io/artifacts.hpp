#pragma once
#include <optional>
#include <string>
#include <vector>

#include "common/base/bytes.hpp"
#include "gateway/core/http/ranges.hpp"
#include "gateway/io/exchange.hpp"
#include "gateway/io/places.hpp"
#include "gateway/io/routes.hpp"

namespace eole::gateway {

class Gateway;
class Fabric;

/// Sends artifacts, whole or in ranges, a piece at a time: what a client does not take is not asked
/// of the sink.
class Artifacts {
 public:
  explicit Artifacts(Fabric& fabric) : fabric_(fabric) {}
  /// `name`: for who saves it. Throws http::Problem: 304, 404, 412, 416, 503.
  awaitable<std::optional<http::Response>> send(Exchange& exchange, std::string sha256,
                                                std::string name);

 private:
  static constexpr std::size_t kDownloadsMax = 256;
  static constexpr std::uint32_t kPieceBytes = 256 << 10;
  struct Piece {
    std::uint64_t size = 0;  // Of the whole artifact.
    Bytes bytes;
  };
  struct File {
    std::string sha256;
    std::string type;
    std::uint64_t size = 0;
  };
  awaitable<Piece> piece(std::string sha256, std::uint64_t from, std::uint32_t most);
  awaitable<void> send_bytes(Exchange& exchange, std::string sha256, std::uint64_t from,
                             std::uint64_t size);
  /// `answer`: its head, but for what is said of the body. `file` and `ranges` outlive the sending.
  awaitable<void> send_whole(Exchange& exchange, http::Response answer, const File& file);
  awaitable<void> send_ranges(Exchange& exchange, http::Response answer, const File& file,
                              const std::vector<http::ByteRange>& ranges);

  Fabric& fabric_;
  Places places_{kDownloadsMax};
};

/// GET /artifact/{hash}, HEAD too.
void add_artifacts(Routes& routes, Gateway& gateway);

}  // namespace eole::gateway
