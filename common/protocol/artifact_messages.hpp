#pragma once
#include <cstdint>
#include <string>

#include "common/base/bytes.hpp"

/// The messages by which artifacts come and go, as messages.hpp has all others.
namespace eole::protocol {

/// Client or worker -> sink: a chunk of an artifact (payload), which has `size` bytes in all. Of no
/// project, as a get: who knows a SHA-256 may have the file.
struct Put {
  static constexpr std::string_view kName = "put";
  static constexpr bool kIsOfNoProject = true;
  std::uint64_t request = 0;
  std::string sha256;
  std::uint64_t size = 0;
  std::uint64_t offset = 0;
  Bytes payload;
  void fields(auto& io) { io(request), io(sha256), io(size), io(offset); }
  bool operator==(const Put&) const = default;
};

/// Sink -> who puts: it has the bytes up to `have`; `is_whole` is one once all is durable
/// (rule R4).
struct PutAt {
  static constexpr std::string_view kName = "put_at";
  std::uint64_t request = 0;
  std::uint64_t have = 0;
  std::uint8_t is_whole = 0;
  void fields(auto& io) { io(request), io(have), io(is_whole); }
  bool operator==(const PutAt&) const = default;
};

/// Client or worker -> sink: up to `size` bytes of an artifact, from `offset`.
struct Get {
  static constexpr std::string_view kName = "get";
  static constexpr bool kIsOfNoProject = true;
  std::uint64_t request = 0;
  std::string sha256;
  std::uint64_t offset = 0;
  std::uint32_t size = 0;
  void fields(auto& io) { io(request), io(sha256), io(offset), io(size); }
  bool operator==(const Get&) const = default;
};

/// Sink -> who gets: bytes (payload) of an artifact of `size` bytes, from `offset`.
struct Chunk {
  static constexpr std::string_view kName = "chunk";
  std::uint64_t request = 0;
  std::uint64_t size = 0;
  std::uint64_t offset = 0;
  Bytes payload;
  void fields(auto& io) { io(request), io(size), io(offset); }
  bool operator==(const Chunk&) const = default;
};

}  // namespace eole::protocol
