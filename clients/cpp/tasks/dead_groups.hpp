#pragma once
#include <cstdint>
#include <map>
#include <string>

#include "common/protocol/value.hpp"

namespace eole::client {

constexpr std::size_t kDeadGroupsMax = 1000;      // One more reason is counted among the others.
constexpr std::size_t kDeadHoursMax = 24;         // Of a group, in which letters died.
constexpr std::size_t kDeadReasonBytesMax = 200;  // Of the reason that stands for a group.

/// Why the last attempt of a dead letter failed, without what differs from task to task: a path or
/// a URL is "…" and a number "#", unless it says which failure it is ("exit code 3", "HTTP 503").
std::string group_of(const protocol::Value& letter);

/// Dead letters by why they died.
class DeadGroups {
 public:
  struct Group {
    std::uint64_t count = 0;
    std::string oldest = {};   // When the first one died,
    std::string newest = {};   // and the last one.
    std::string example = {};  // That one's id.
    std::map<std::string, std::uint64_t> kinds = {};
    std::map<std::string, std::uint64_t> hours = {};  // Of the last kDeadHoursMax with any.
  };
  /// letter: not older than those before.
  void add(const protocol::Value& letter);
  const std::map<std::string, Group>& groups() const { return groups_; }
  /// Letters of reasons beyond kDeadGroupsMax.
  std::uint64_t others() const { return others_; }

 private:
  std::map<std::string, Group> groups_;
  std::uint64_t others_ = 0;
};

}  // namespace eole::client
