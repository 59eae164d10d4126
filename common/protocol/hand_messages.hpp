#pragma once
#include <cstdint>
#include <string>

#include "common/base/bytes.hpp"

/// How a file becomes an artifact where its writer and the sink share a machine: it is linked,
/// copied or written into the sink's directory and not carried through a socket.
namespace eole::protocol {

/// Left free on the sink's disk for its log: by the sink, and by who copies a file there.
constexpr std::uint64_t kArtifactFloorBytes = 256ULL << 20;

/// Client or worker -> sink, over ipc alone: the first `size` bytes of `file` (32 random hexadecimal
/// letters), which was put there as FILE.handed, change no more; with `is_last` these are all.
/// Without a file: where is "there"? Lost: said again. Repeated: harmless.
struct Hand {
  static constexpr std::string_view kName = "hand";
  static constexpr bool kIsOfNoProject = true;
  std::uint64_t request = 0;
  std::string file;
  std::uint64_t size = 0;
  std::uint8_t is_last = 0;
  void fields(auto& io) { io(request), io(file), io(size), io(is_last); }
  bool operator==(const Hand&) const = default;
};

/// Sink -> who hands: it has looked at the bytes up to `have`; `sha256` is theirs once it was the
/// last and all is durable under that name (rule R4). Or the `directory` that was asked for.
struct Handed {
  static constexpr std::string_view kName = "handed";
  std::uint64_t request = 0;
  std::uint64_t have = 0;
  std::string sha256;
  std::string directory;
  void fields(auto& io) { io(request), io(have), io(sha256), io(directory); }
  bool operator==(const Handed&) const = default;
};

}  // namespace eole::protocol
