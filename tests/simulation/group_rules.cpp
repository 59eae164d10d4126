#include "tests/simulation/group_rules.hpp"

#include <algorithm>

#include "common/base/crc32c.hpp"
#include "common/base/text.hpp"
#include "common/protocol/partition.hpp"
#include "tests/simulation/world.hpp"

namespace eole::simulation {

void GroupRules::on_durable(std::uint64_t log, const protocol::ResultBatch& batch) {
  auto& known = logs_[log].records;
  protocol::ResultReader reader(batch.records);
  for (std::uint32_t i = 0; i < batch.count; ++i) {
    const auto result = *reader.next();
    auto& record = known[batch.first_offset + i];
    record.partition = protocol::partition_of(result, kPartitions);
    record.id = result.id;
    record.body_crc = crc32c(result.body);
  }
}

void GroupRules::on_attending(const protocol::Attending& told) {
  auto& log = logs_[told.log];
  if (told.moved > log.moved) {
    log.moved = told.moved;
    for (auto& [number, partition] : log.partitions) partition.committed = 0;
    for (auto& [offset, record] : log.records) record.had_by.clear();
  }
  const auto cursors = *protocol::decode_cursors(told.payload);
  for (const auto& cursor : cursors) {
    auto& partition = log.partitions[cursor.partition];
    auto& committed = partition.committed;
    if (cursor.offset < committed)
      throw Violation{text("partition ", cursor.partition, " was committed up to ", committed,
                           ", and is again at ", cursor.offset)};
    for (auto at = log.records.lower_bound(committed);
         at != log.records.end() && at->first < cursor.offset; ++at)
      if (at->second.partition == cursor.partition && !log.dealt_with.contains(at->first + 1))
        throw Violation{text("offset ", at->first, " was committed with partition ",
                             cursor.partition, ", and no member had it")};
    committed = cursor.offset;
    partition.told = std::max(partition.told, told.generation);
  }
}

void GroupRules::on_move(std::uint64_t log, std::uint64_t offset) {
  if (offset > 0) logs_[log].dealt_with.add(1, offset);
}

void GroupRules::on_handed(std::uint64_t log, const client::GroupRecord& record,
                           const std::string& member, std::uint64_t generation) {
  const auto offset = record.offset;
  const auto partition = record.partition;
  auto& known = logs_[log];
  const auto found = known.records.find(offset);
  if (found == known.records.end() || found->second.partition != partition ||
      found->second.id != record.result.id || found->second.body_crc != crc32c(record.result.body))
    throw Violation{text(member, " had ", to_text(record.result.id), " at offset ", offset,
                         " of partition ", partition, ", and that is not durable there")};
  auto& one = known.partitions[partition];
  // A member that was away may hear late that its own last commit still counted, also if another
  // had the same meanwhile.
  const bool is_first = found->second.had_by.insert(member).second;
  if (offset < one.committed && generation >= one.told && is_first)
    throw Violation{text(member, " had offset ", offset, " of partition ", partition,
                         ", which is committed up to ", one.committed)};
  if (generation < one.generation || (generation == one.generation && member != one.member))
    throw Violation{text("partition ", partition, " was ", one.member, "'s in generation ",
                         one.generation, " and is read by ", member, " in ", generation)};
  one.generation = generation;
  one.member = member;
  known.dealt_with.add(offset + 1, offset + 1);
}

void GroupRules::on_gone(std::uint64_t log, std::uint64_t first, std::uint64_t last,
                         std::uint64_t kept_from) {
  if (first > last || last >= kept_from)
    throw Violation{text("a group was told that ", first, " to ", last,
                         " are gone, and the log is kept from ", kept_from)};
  logs_[log].dealt_with.add(first + 1, last + 1);
}

void GroupRules::check_end(std::uint64_t log) const {
  const auto found = logs_.find(log);
  if (found == logs_.end()) return;
  for (const auto& [offset, record] : found->second.records)
    if (!found->second.dealt_with.contains(offset + 1))
      throw Violation{text("no member had offset ", offset, " of partition ", record.partition)};
}

}  // namespace eole::simulation
