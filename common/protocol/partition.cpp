#include "common/protocol/partition.hpp"

#include "common/base/crc32c.hpp"
#include "common/base/text.hpp"

namespace eole::protocol {

namespace {

bool is_in_range(std::uint32_t count) { return count >= 1 && count <= kPartitionsMax; }

}  // namespace

std::uint32_t partition_of(const ResultRecord& result, std::uint32_t count) {
  if (!result.key.empty()) return crc32c(result.key) % count;
  return static_cast<std::uint32_t>((result.id.origin + result.id.seq) % count);
}

// A run of as many as there are partitions has some of each.
bool Partitions::may_have(const ResultRun& run) const {
  if (run.count >= count) return has.any();
  auto result = run.first;
  for (std::uint32_t i = 0; i < run.count; ++i, ++result.id.seq)
    if (has.test(partition_of(result, count))) return true;
  return false;
}

Bytes encode_partitions(const Partitions& partitions) {
  Bytes out;
  put<std::uint32_t>(out, partitions.count);
  for (std::uint32_t i = 0; i < partitions.count; ++i)
    if (partitions.has.test(i)) put<std::uint32_t>(out, i);
  return out;
}

Expected<Partitions> decode_partitions(std::string_view payload) {
  Partitions partitions;
  ByteReader reader(payload);
  partitions.count = reader.get<std::uint32_t>();
  if (!reader.ok() || !is_in_range(partitions.count))
    return Error{text("partitions: ", partitions.count, ", limits 1 and ", kPartitionsMax)};
  while (!reader.is_done()) {
    const auto one = reader.get<std::uint32_t>();
    if (!reader.ok() || one >= partitions.count)
      return Error{text("partition ", one, " of ", partitions.count, ": there is none")};
    partitions.has.set(one);
  }
  return partitions;
}

Bytes encode_cursors(const std::vector<PartitionCursor>& cursors) {
  Bytes out;
  for (const auto& cursor : cursors) {
    put<std::uint32_t>(out, cursor.partition);
    put<std::uint64_t>(out, cursor.offset);
  }
  return out;
}

Expected<std::vector<PartitionCursor>> decode_cursors(std::string_view payload) {
  std::vector<PartitionCursor> cursors;
  ByteReader reader(payload);
  while (!reader.is_done()) {
    PartitionCursor cursor;
    cursor.partition = reader.get<std::uint32_t>();
    cursor.offset = reader.get<std::uint64_t>();
    if (!reader.ok()) return Error{"cursors: cut short"};
    if (cursors.size() == kPartitionsMax)
      return Error{text("cursors: more than ", kPartitionsMax)};
    cursors.push_back(cursor);
  }
  return cursors;
}

}  // namespace eole::protocol
