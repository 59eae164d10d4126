#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "clients/cpp/session/group_pieces.hpp"
#include "common/base/seq_ranges.hpp"
#include "common/protocol/group_messages.hpp"
#include "common/protocol/records.hpp"

namespace eole::simulation {

/// Each log has one group, which reads it from its first record on. A partition is one member's at
/// a time; what is committed stays so and goes to no other member; nothing below it was left out.
class GroupRules {
 public:
  static constexpr const char* kGroup = "readers";
  static constexpr std::uint32_t kPartitions = 5;
  /// Records that are durable in the log.
  void on_durable(std::uint64_t log, const protocol::ResultBatch& batch);
  /// What a sink tells a member of what it owns: that is durable.
  void on_attending(const protocol::Attending& told);
  /// A person is about to set all cursors there.
  void on_move(std::uint64_t log, std::uint64_t offset);
  /// `generation`: the latest that the member was told of.
  void on_handed(std::uint64_t log, const client::GroupRecord& record, const std::string& member,
                 std::uint64_t generation);
  /// A member was told that these are gone; the oldest that the sink keeps is `kept_from`.
  void on_gone(std::uint64_t log, std::uint64_t first, std::uint64_t last, std::uint64_t kept_from);
  /// A log that was read to its end.
  void check_end(std::uint64_t log) const;

 private:
  struct Record {
    std::uint32_t partition = 0;
    TaskId id;
    std::uint32_t body_crc = 0;
    std::set<std::string> had_by;  // Since the last move.
  };
  struct Partition {
    std::uint64_t committed = 0;
    std::uint64_t told = 0;        // The generation in which a member was told of that.
    std::uint64_t generation = 0;  // In which it was handed out last …
    std::string member;            // … and to whom.
  };
  struct Log {
    std::map<std::uint64_t, Record> records;  // That are durable.
    SeqRanges dealt_with;  // Handed out, told to be gone, or skipped by a person: offset + 1.
    std::uint64_t moved = 0;
    std::map<std::uint32_t, Partition> partitions;
  };
  std::map<std::uint64_t, Log> logs_;
};

}  // namespace eole::simulation
