#pragma once
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace eole {

/// Names one journal; 30 random bits, so that six letters are its text.
using Origin = std::uint32_t;
/// Counts the tasks of one journal: 1, 2, 3 … Zero is no task.
using Seq = std::uint64_t;
/// Names one life of a worker process or of a client; random, never used again.
using RunId = std::uint64_t;

/// Which task. Unique for ever.
struct TaskId {
  Origin origin = 0;
  Seq seq = 0;
  auto operator<=>(const TaskId&) const = default;
};

/// One dispatch of one task: (start of the ventilator, counter). Later leases compare greater.
struct Lease {
  std::uint32_t start = 0;
  std::uint64_t number = 0;
  auto operator<=>(const Lease&) const = default;
};

/// One accepted hello; the owner of one pipe.
struct Link {
  std::uint32_t start = 0;
  RunId run = 0;
  std::uint32_t hello = 0;
  auto operator<=>(const Link&) const = default;
};

/// The short text of an id, "k3f9qz-17".
std::string to_text(const TaskId& id);
/// "3-1234": its start and its number.
std::string to_text(const Lease& lease);
/// The six letters of an origin.
std::string origin_text(Origin origin);
/// The id behind a text; nothing if it is none.
std::optional<TaskId> parse_task_id(std::string_view written);

/// Lower-case hexadecimal of `bytes`, two letters a byte.
std::string hex(std::string_view bytes);
/// Sixteen hexadecimal letters of a 64-bit number.
std::string hex(std::uint64_t number);
/// True for 64 lower-case hexadecimal letters: the name of an artifact.
bool is_sha256(std::string_view written);

}  // namespace eole

template <>
struct std::hash<eole::TaskId> {
  std::size_t operator()(const eole::TaskId& id) const noexcept {
    // Neighbours in sequence are neighbours in a table: they are asked for together.
    return id.seq + (static_cast<std::size_t>(id.origin) << 34);
  }
};
