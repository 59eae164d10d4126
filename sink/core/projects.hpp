#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>

#include "common/protocol/records.hpp"
#include "sink/core/checkpoint.hpp"

namespace eole::sink {

constexpr std::size_t kProjectsMax = 65536;  // Some 300 bytes each.
/// Stretches of results of which it is known where they counted: a ventilator has still to read
/// some.
constexpr std::size_t kLastEndsMax = 4096;

/// How many tasks of each project ended, and how: each task once, for ever. Beyond kProjectsMax the
/// project whose last task ended longest ago is forgotten; one that comes back counts anew.
class Projects {
 public:
  struct Project {
    std::array<std::uint64_t, 5> counts{};  // Indexed by TaskState.
    std::int64_t first_unix_ms = 0;         // When the first of them finished …
    std::int64_t last_unix_ms = 0;          // … and the last, by the workers' clocks.
    std::uint64_t first_offset = 0;         // Where the log has the first of them …
    std::uint64_t last_offset = 0;          // … and the one that it took last.
  };
  /// Settled tasks, which the log has from `offset` on. Those of no project are not counted.
  void count(const protocol::ResultRun& run, std::uint64_t offset);
  /// Null if none of its tasks ended.
  const Project* find(std::string_view name) const;
  /// By name.
  const std::map<std::string, Project, std::less<>>& list() const { return projects_; }
  /// How many of its tasks counted since the log had `offset` results: exact for the last
  /// kLastEndsMax stretches.
  std::uint64_t counted_since(std::uint64_t offset, const Project& project) const;

  void save(SavePlace& place, Bytes& out) const;
  bool load(std::string_view payload);

 private:
  using List = std::map<std::string, Project, std::less<>>;
  struct Ends {
    std::uint64_t offset = 0;
    std::uint64_t of = 0;  // The project's first_offset, which no two share.
    std::uint32_t count = 0;
    std::uint64_t behind(std::uint64_t from) const;
  };
  void move(List::iterator project, std::uint64_t offset);
  List projects_;
  std::map<std::uint64_t, List::iterator> by_offset_;
  std::deque<Ends> last_ends_;
};

}  // namespace eole::sink
