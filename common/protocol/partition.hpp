#pragma once
#include <bitset>
#include <cstdint>
#include <vector>

#include "common/protocol/records.hpp"

/// How the log is shared among the members of a group: by partitions, of which each record has one.
namespace eole::protocol {

constexpr std::uint32_t kPartitionsMax = 256;

/// Which of `count` partitions a result is in: by the key that orders its task, so that all of a
/// key are in one; else by the task's number, so that they spread evenly.
std::uint32_t partition_of(const ResultRecord& result, std::uint32_t count);

/// Some of `count` partitions. On the wire: u32 count, then each of them as u32.
struct Partitions {
  std::uint32_t count = 1;
  std::bitset<kPartitionsMax> has;
  bool is_all() const { return has.count() == count; }
  /// Whether one of the run's results may be in one of them.
  bool may_have(const ResultRun& run) const;
};
Bytes encode_partitions(const Partitions& partitions);
Expected<Partitions> decode_partitions(std::string_view payload);

/// How far a group has read in one partition: all of it below `offset`. u32 partition, u64 offset.
struct PartitionCursor {
  std::uint32_t partition = 0;
  std::uint64_t offset = 0;
  bool operator==(const PartitionCursor&) const = default;
};
Bytes encode_cursors(const std::vector<PartitionCursor>& cursors);
/// At most kPartitionsMax.
Expected<std::vector<PartitionCursor>> decode_cursors(std::string_view payload);

}  // namespace eole::protocol
