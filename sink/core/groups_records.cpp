#include <algorithm>
#include <utility>

#include "sink/core/groups.hpp"

// What is durable of groups. A record of groups: u64 the last generation of any, then each: u64
// number, u64 generation, u64 moved, u64 wish, u16 members, u16 partitions (zero: it is
// removed), u8 name size, name; members: u64 run, u8 name size, name, u8 key size, key;
// partitions: u64 cursor, u64 owner, u64 next. A record of a commit: u64 number, then cursors. A
// record of a share: u64 number, u64 generation, u64 moved, u64 wish, u16 who went, u16 who
// came; their runs; members; then what changed: u16 partition, u64 cursor, u64 owner, u64 next.
namespace eole::sink {

using protocol::kPartitionsMax;

namespace {

void put_short(Bytes& out, const std::string& text) {
  put<std::uint8_t>(out, static_cast<std::uint8_t>(text.size()));
  out += text;
}

std::string get_short(ByteReader& reader) {
  return std::string(reader.take(reader.get<std::uint8_t>()));
}

}  // namespace

void Groups::Member::put(Bytes& out, RunId run) const {
  eole::put<RunId>(out, run);
  put_short(out, name);
  put_short(out, user);
}

void Groups::Group::read_member(ByteReader& reader) {
  auto& member = members[reader.get<RunId>()];
  member.name = get_short(reader);
  member.user = get_short(reader);
  member.is_shared_with = true;
}

void Groups::Partition::put(Bytes& out) const {
  eole::put<std::uint64_t>(out, cursor);
  eole::put<RunId>(out, owner);
  eole::put<RunId>(out, next);
}

Groups::Partition Groups::Partition::read(ByteReader& reader) {
  Partition partition;
  partition.cursor = reader.get<std::uint64_t>();
  partition.owner = reader.get<RunId>();
  partition.next = reader.get<RunId>();
  return partition;
}

void Groups::Group::drop_strangers() {
  for (auto& partition : partitions)
    for (auto* run : {&partition.owner, &partition.next})
      if (!members.contains(*run)) *run = 0;
}

// As it is durable: a change that is still to be shared is none yet.
void Groups::put(Bytes& out, const Group& group) {
  auto members = group.gone;
  for (const auto& [run, member] : group.members)
    if (member.is_shared_with) members.emplace(run, member);
  eole::put<std::uint64_t>(out, group.number);
  eole::put<std::uint64_t>(out, group.generation);
  eole::put<std::uint64_t>(out, group.moved);
  eole::put<std::uint64_t>(out, group.wish);
  eole::put<std::uint16_t>(out, static_cast<std::uint16_t>(members.size()));
  eole::put<std::uint16_t>(out, static_cast<std::uint16_t>(group.partitions.size()));
  put_short(out, group.name);
  for (const auto& [run, member] : members) member.put(out, run);
  for (const auto& partition : group.partitions) partition.put(out);
}

void Groups::append(const Group& group, Actions& out) const {
  AppendGroups groups;
  eole::put<std::uint64_t>(groups.payload, last_generation_);
  put(groups.payload, group);
  out.push_back(std::move(groups));
}

void Groups::append_share(const Group& group, const std::vector<Partition>& before,
                          const std::map<RunId, Member>& went, const std::set<RunId>& came,
                          Actions& out) {
  AppendShare share;
  eole::put<std::uint64_t>(share.payload, group.number);
  eole::put<std::uint64_t>(share.payload, group.generation);
  eole::put<std::uint64_t>(share.payload, group.moved);
  eole::put<std::uint64_t>(share.payload, group.wish);
  eole::put<std::uint16_t>(share.payload, static_cast<std::uint16_t>(went.size()));
  eole::put<std::uint16_t>(share.payload, static_cast<std::uint16_t>(came.size()));
  for (const auto& [run, member] : went) eole::put<RunId>(share.payload, run);
  for (const auto run : came) group.members.at(run).put(share.payload, run);
  for (std::size_t i = 0; i < group.partitions.size(); ++i) {
    if (group.partitions[i] == before[i]) continue;
    eole::put<std::uint16_t>(share.payload, static_cast<std::uint16_t>(i));
    group.partitions[i].put(share.payload);
  }
  out.push_back(std::move(share));
}

void Groups::save(SavePlace& place, Bytes& out) const {
  if (groups_.empty() && place.number == 0 && last_generation_ != 0) {  // No group has it again.
    eole::put<std::uint64_t>(out, last_generation_);
    place.number = 1;
  }
  for (auto group = groups_.lower_bound(place.number);
       group != groups_.end() && out.size() < kPartBytesMax; ++group) {
    if (out.empty()) eole::put<std::uint64_t>(out, last_generation_);
    put(out, group->second);
    place.number = group->first + 1;
  }
}

bool Groups::load(std::string_view payload) {
  ByteReader reader(payload);
  last_generation_ = std::max(last_generation_, reader.get<std::uint64_t>());
  while (reader.ok() && !reader.is_done()) {
    Group group;
    group.number = reader.get<std::uint64_t>();
    group.generation = reader.get<std::uint64_t>();
    group.moved = reader.get<std::uint64_t>();
    group.wish = reader.get<std::uint64_t>();
    const auto members = reader.get<std::uint16_t>();
    const auto partitions = reader.get<std::uint16_t>();
    group.name = get_short(reader);
    for (std::uint16_t i = 0; i < members && reader.ok(); ++i) group.read_member(reader);
    if (!reader.ok() || partitions > kPartitionsMax) return false;
    group.partitions.resize(partitions);
    for (auto& partition : group.partitions) partition = Partition::read(reader);
    group.drop_strangers();
    if (partitions == 0) {
      groups_.erase(group.number);
      numbers_.erase(group.name);
      continue;
    }
    numbers_.insert_or_assign(group.name, group.number);
    groups_.insert_or_assign(group.number, std::move(group));
  }
  return reader.ok();
}

bool Groups::load_commit(std::string_view payload) {
  ByteReader reader(payload);
  const auto group = groups_.find(reader.get<std::uint64_t>());
  const auto cursors = protocol::decode_cursors(reader.rest());
  if (!reader.ok() || !cursors) return false;
  if (group == groups_.end()) return true;  // A checkpoint that did not come to it yet says it.
  for (const auto& cursor : *cursors) {
    if (cursor.partition >= group->second.partitions.size()) return false;
    group->second.partitions[cursor.partition].cursor = cursor.offset;
  }
  return true;
}

bool Groups::load_share(std::string_view payload) {
  ByteReader reader(payload);
  const auto found = groups_.find(reader.get<std::uint64_t>());
  const auto generation = reader.get<std::uint64_t>();
  last_generation_ = std::max(last_generation_, generation);
  if (found == groups_.end()) return reader.ok();  // As of a commit.
  auto& group = found->second;
  group.generation = generation;
  group.moved = reader.get<std::uint64_t>();
  group.wish = reader.get<std::uint64_t>();
  const auto gone = reader.get<std::uint16_t>();
  const auto came = reader.get<std::uint16_t>();
  for (std::uint16_t i = 0; i < gone && reader.ok(); ++i) group.members.erase(reader.get<RunId>());
  for (std::uint16_t i = 0; i < came && reader.ok(); ++i) group.read_member(reader);
  while (reader.ok() && !reader.is_done()) {
    const auto index = reader.get<std::uint16_t>();
    if (index >= group.partitions.size()) return false;
    group.partitions[index] = Partition::read(reader);
  }
  group.drop_strangers();
  return reader.ok();
}

}  // namespace eole::sink
