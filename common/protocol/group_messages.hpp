#pragma once
#include <cstdint>
#include <string>

#include "common/base/bytes.hpp"
#include "common/base/ids.hpp"

/// What members of a group and the sink tell each other, as messages.hpp has all others.
namespace eole::protocol {

/// Client -> sink, from each member of a group, at its start, at every heartbeat, to commit
/// (payload: cursors) and to leave (`leaving` is one): it is there, and has let go of what
/// `generation` does not give it. Levels: may be lost or repeated (rules G1, G2, G4).
struct Attend {
  static constexpr std::string_view kName = "attend";
  static constexpr std::uint32_t kFieldsNeeded = 6;
  std::uint64_t request = 0;
  std::string group;
  RunId run = 0;
  std::string member;  // For people.
  std::uint64_t generation = 0;
  std::uint8_t leaving = 0;
  Bytes payload;
  std::string within = {};
  std::uint64_t unacknowledged = 0;  // Records handed out and not committed; for people.
  void fields(auto& io) {
    io(request), io(group), io(run), io(member), io(generation), io(leaving), io(within);
    io(unacknowledged);
  }
  bool operator==(const Attend&) const = default;
};

/// Sink -> client, the answer to an attend once that is durable, or (request zero) at once when
/// something changed: the partitions that it owns, with what is committed (payload: cursors), of
/// how many. Cursors were set by a person in the generation `moved`, and not since (rules G1, G3).
struct Attending {
  static constexpr std::string_view kName = "attending";
  std::uint64_t request = 0;
  std::uint64_t log = 0;
  std::uint64_t generation = 0;
  std::uint64_t moved = 0;
  std::uint32_t heartbeat_ms = 0;
  std::uint32_t partitions = 0;
  Bytes payload;
  void fields(auto& io) {
    io(request), io(log), io(generation), io(moved), io(heartbeat_ms), io(partitions);
  }
  bool operator==(const Attending&) const = default;
};

}  // namespace eole::protocol
