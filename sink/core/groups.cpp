#include "sink/core/groups.hpp"

#include <algorithm>
#include <utility>

#include "common/base/counted.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::sink {

using protocol::kPartitionsMax;
using protocol::PartitionCursor;

namespace {

constexpr std::uint64_t kUnacknowledgedMax = 1ULL << 32;  // That a member is believed.
constexpr std::size_t kHoldersMax = 10;           // That are named.
constexpr std::size_t kMovedBytes = 2 + 3 * 8;    // A partition in a record of a share.

}  // namespace

std::uint64_t Groups::Group::lowest() const {
  auto lowest = UINT64_MAX;
  for (const auto& partition : partitions) lowest = std::min(lowest, partition.cursor);
  return lowest;
}

Groups::Group* Groups::find(std::string_view name) {
  const auto number = numbers_.find(name);
  return number == numbers_.end() ? nullptr : &groups_.at(number->second);
}

// ---- Members.

void Groups::set_due(const Group& group, RunId run, Member& member) {
  due_.erase({member.due, group.number, run});
  member.due = member.heard + kMemberGone;
  if (member.must_answer) member.due = std::min(member.due, *member.must_answer);
  due_.insert({member.due, group.number, run});
}

void Groups::forget(Group& group, RunId run) {
  const auto member = group.members.find(run);
  due_.erase({member->second.due, group.number, run});
  group.redelivered += member->second.unacknowledged;
  if (member->second.is_shared_with) group.gone.insert(*member);
  group.members.erase(member);
}

void Groups::start(TimePoint now) {
  looked_ = now;
  for (auto& [number, group] : groups_) {
    if (group.attended == TimePoint{}) group.attended = now;
    for (auto& [run, member] : group.members) {
      member.heard = now;
      member.must_answer = now + kLetGoWithin;
      set_due(group, run, member);
    }
  }
}

void Groups::tell(const Group& group, RunId run, std::uint64_t request, std::uint64_t log,
                  Actions& out) const {
  protocol::Attending told{request,
                           log,
                           group.generation,
                           group.moved,
                           static_cast<std::uint32_t>(kAttendEvery / 1ms),
                           static_cast<std::uint32_t>(group.partitions.size()),
                           {}};
  std::vector<PartitionCursor> owned;
  for (std::uint32_t i = 0; i < group.partitions.size(); ++i) {
    const auto& partition = group.partitions[i];
    if (partition.owner == run && partition.next == 0) owned.push_back({i, partition.cursor});
  }
  told.payload = protocol::encode_cursors(owned);
  out.push_back(Reply{group.members.at(run).peer, std::move(told)});
}

std::optional<Error> Groups::why_full(const Group& group, const std::string& user) const {
  if (group.members.size() >= kMembersMax)
    return Error{text("group ", group.name, ": has ", kMembersMax, " members, more is the limit"),
                 ErrorCode::kFull};
  const auto is_its = [&](const auto& member) { return member.second.user == user; };
  const auto its = std::count_if(group.members.begin(), group.members.end(), is_its);
  if (user.empty() || static_cast<std::size_t>(its) < kMembersOfKeyMax) return std::nullopt;
  return Error{text("group ", group.name, ": has ", kMembersOfKeyMax,
                    " members by this key, more is the limit"),
               ErrorCode::kFull};
}

bool Groups::is_removed(const Group& group, RunId run) {
  return std::find(group.removed.begin(), group.removed.end(), run) != group.removed.end();
}

bool Groups::may_join(const Group& group, const std::string& user, const std::string& name,
                      TimePoint now) {
  const auto moved = group.partitions.size() / (group.members.size() + 1) + 1;
  return user.empty() || joins_.take(user, name.size() + user.size() + moved * kMovedBytes, 0, now);
}

Expected<void> Groups::attend(const Peer& peer, const std::string& user,
                              const protocol::Attend& said, std::uint64_t log, std::uint64_t head,
                              TimePoint now, Actions& out) {
  auto* group = find(said.group);
  if (group == nullptr)
    return Error{text("group ", said.group, ": there is none; eole group create ", said.group,
                      " --from earliest (or latest) makes it"),
                 ErrorCode::kUnknown};
  const auto cursors = protocol::decode_cursors(said.payload);
  if (!cursors) return cursors.error();
  if (said.run == 0) return Error{"attend: run zero is nobody's"};
  if (said.member.size() > kGroupNameBytesMax)
    return Error{text("attend: a member's name of ", said.member.size(), " bytes, limit ",
                      kGroupNameBytesMax)};
  if (is_removed(*group, said.run))
    return Error{text("group ", said.group, ": the member ", said.member,
                      " was removed; it may join again as a new one"),
                 ErrorCode::kDenied};
  const auto known = group->members.find(said.run);
  const bool is_member = known != group->members.end();
  if (is_member && known->second.user != user)
    return Error{text("attend: run ", hex(said.run), " of group ", said.group, " is another key's"),
                 ErrorCode::kDenied};
  group->attended = now;
  const bool is_now = said.generation == group->generation || planted("stale-member-commits");
  if (is_member) known->second.unacknowledged = std::min(said.unacknowledged, kUnacknowledgedMax);
  if (is_member && is_now) commit(*group, said.run, *cursors, head, out);
  if (said.leaving != 0) {
    if (is_member) {
      forget(*group, said.run);
      share_soon(*group, log, now, out);
    }
    protocol::Attending told{said.request,
                             log,
                             group->generation,
                             group->moved,
                             0,
                             static_cast<std::uint32_t>(group->partitions.size()),
                             {}};
    out.push_back(Reply{peer, std::move(told)});
    return {};
  }
  if (!is_member) {
    if (auto full = why_full(*group, user)) return *full;
    // It would have again what is being taken from it; and both say it again.
    if (group->gone.contains(said.run) || !may_join(*group, user, said.member, now)) return {};
  }
  auto& member = group->members[said.run];
  member.heard = now;
  if (!is_member) {
    member.name = said.member;
    member.user = user;
    share_soon(*group, log, now, out);
  } else if (said.generation == group->generation) {
    member.must_answer.reset();
    let_go(*group, said.run, log, out);
  }
  member.peer = peer;  // It is told once.
  set_due(*group, said.run, member);
  tell(*group, said.run, said.request, log, out);
  return {};
}

// Only what its owner says, never back, never beyond the log.
void Groups::commit(Group& group, RunId run, const std::vector<PartitionCursor>& cursors,
                    std::uint64_t head, Actions& out) {
  std::vector<PartitionCursor> committed;
  for (const auto& cursor : cursors) {
    if (cursor.partition >= group.partitions.size() || cursor.offset > head) continue;
    auto& partition = group.partitions[cursor.partition];
    if (partition.owner != run && !planted("stale-member-commits")) continue;
    if (cursor.offset == partition.cursor) continue;
    if (cursor.offset < partition.cursor && !planted("commit-goes-back")) continue;
    partition.cursor = cursor.offset;
    committed.push_back(cursor);
  }
  if (committed.empty()) return;
  ++group.commits;
  AppendCommit record;
  eole::put<std::uint64_t>(record.payload, group.number);
  record.payload += protocol::encode_cursors(committed);
  out.push_back(std::move(record));
}

// It has answered: what it is to give goes to who waits for it.
void Groups::let_go(Group& group, RunId run, std::uint64_t log, Actions& out) {
  std::set<RunId> heirs;
  const auto before = group.partitions;
  for (auto& partition : group.partitions) {
    if (partition.owner != run || partition.next == 0) continue;
    partition.owner = std::exchange(partition.next, 0);
    heirs.insert(partition.owner);
  }
  if (heirs.empty()) return;
  append_share(group, before, {}, {}, out);
  for (const auto heir : heirs) {
    const auto member = group.members.find(heir);  // It may be gone, which is shared soon.
    if (member != group.members.end() && !member->second.peer.empty())
      tell(group, heir, 0, log, out);
  }
}

// What changes within a second is one generation, and one record (G7). Cursors that are used one
// after the other wait for nothing.
void Groups::share_soon(Group& group, std::uint64_t log, TimePoint now, Actions& out) {
  const auto is_in = [](const auto& member) { return member.second.is_shared_with; };
  const bool is_empty = std::none_of(group.members.begin(), group.members.end(), is_in);
  const auto due = group.shared + kShareEvery;
  if (is_empty || now >= due) return share(group, group.partitions, log, now, out);
  due_.insert({due, group.number, 0});
}

void Groups::share(Group& group, std::vector<Partition> before, std::uint64_t log, TimePoint now,
                   Actions& out) {
  due_.erase({group.shared + kShareEvery, group.number, 0});
  group.shared = now;
  group.generation = ++last_generation_;
  deal(group);
  std::set<RunId> came;
  for (auto& [run, member] : group.members)
    if (!std::exchange(member.is_shared_with, true)) came.insert(run);
  append_share(group, before, std::exchange(group.gone, {}), came, out);
  for (auto& [run, member] : group.members) {
    if (!member.must_answer) member.must_answer = now + kLetGoWithin;
    set_due(group, run, member);
    if (!member.peer.empty()) tell(group, run, 0, log, out);
  }
}

// Each gets as many as any other, or one less, and keeps what it has of them.
void Groups::deal(Group& group) {
  std::map<RunId, std::vector<std::uint32_t>> has;
  for (const auto& [run, member] : group.members) has[run];
  std::vector<std::uint32_t> free;
  for (std::uint32_t i = 0; i < group.partitions.size(); ++i) {
    auto& partition = group.partitions[i];
    if (!has.contains(partition.owner)) partition.owner = 0;  // It left, or was silent.
    if (!has.contains(partition.next)) partition.next = 0;
    if (partition.owner == 0) partition.owner = std::exchange(partition.next, 0);
    partition.next = 0;
    if (partition.owner == 0) {
      free.push_back(i);
    } else {
      has[partition.owner].push_back(i);
    }
  }
  if (!has.empty()) {
    std::vector<RunId> order;  // Who has most keeps the odd ones.
    order.reserve(has.size());
    for (const auto& [run, ones] : has) order.push_back(run);
    std::stable_sort(order.begin(), order.end(),
                     [&](RunId a, RunId b) { return has[a].size() > has[b].size(); });
    const auto least = group.partitions.size() / order.size();
    const auto odd = group.partitions.size() % order.size();
    const auto share_of = [&](std::size_t place) { return least + (place < odd ? 1 : 0); };
    for (std::size_t place = 0; place < order.size(); ++place)
      for (auto& ones = has[order[place]]; ones.size() > share_of(place); ones.pop_back())
        free.push_back(ones.back());
    for (std::size_t place = 0; place < order.size(); ++place)
      for (auto count = has[order[place]].size(); count < share_of(place); ++count) {
        auto& partition = group.partitions[free.back()];
        free.pop_back();
        const bool is_nobodys = partition.owner == 0 || planted("partition-given-early");
        (is_nobodys ? partition.owner : partition.next) = order[place];
      }
  }
}

void Groups::on_deadline(TimePoint now, std::uint64_t log, Actions& out) {
  const bool has_listened = std::exchange(is_listening_, true) && now <= looked_ + kMemberGone;
  if (!has_listened) return start(now);  // Who did not listen does not judge.
  looked_ = now;
  std::set<std::uint64_t> changed;
  while (!due_.empty() && due_.begin()->at <= now) {
    const auto due = *due_.begin();
    if (due.run == 0)
      due_.erase(due_.begin());
    else
      forget(groups_.at(due.group), due.run);
    changed.insert(due.group);
  }
  for (const auto number : changed) share_soon(groups_.at(number), log, now, out);
}

std::optional<TimePoint> Groups::next_deadline() const {
  return due_.empty() ? std::nullopt : std::optional(due_.begin()->at);
}

// ---- What people do with them.

Expected<bool> Groups::create(std::string_view name, std::uint32_t partitions, std::uint64_t offset,
                              TimePoint now, Actions& out) {
  if (name.empty() || name.size() > kGroupNameBytesMax)
    return Error{
        text("group: a name of ", name.size(), " bytes, limits 1 and ", kGroupNameBytesMax)};
  if (partitions < 1 || partitions > kPartitionsMax)
    return Error{
        text("group ", name, ": ", partitions, " partitions, limits 1 and ", kPartitionsMax)};
  if (const auto* known = find(name)) {
    if (known->partitions.size() == partitions) return false;
    return Error{text("group ", name, ": is there already, with ",
                      counted(known->partitions.size(), "partition")),
                 ErrorCode::kConflict};
  }
  if (groups_.size() >= kGroupsMax)
    return Error{text("group ", name, ": there are ", kGroupsMax, " groups, more is the limit"),
                 ErrorCode::kFull};
  Group group;
  group.number = group.generation = group.moved = ++last_generation_;
  group.name = name;
  group.partitions.resize(partitions, {offset, 0, 0});
  group.attended = now;
  numbers_.emplace(group.name, group.number);
  append(groups_.emplace(group.number, std::move(group)).first->second, out);
  return true;
}

bool Groups::move(std::string_view name, std::uint64_t offset, std::uint64_t wish,
                  std::uint64_t log, TimePoint now, Actions& out) {
  auto* group = find(name);
  if (group == nullptr) return false;
  if (wish != 0 && std::exchange(group->wish, wish) == wish) return true;
  const auto before = group->partitions;
  for (auto& partition : group->partitions) partition.cursor = offset;
  group->moved = last_generation_ + 1;  // That of the share that follows.
  share(*group, before, log, now, out);
  return true;
}

bool Groups::remove(std::string_view name, Actions& out) {
  auto* group = find(name);
  if (group == nullptr) return false;
  for (const auto& [run, member] : group->members) due_.erase({member.due, group->number, run});
  due_.erase({group->shared + kShareEvery, group->number, 0});
  group->members.clear();
  group->gone.clear();
  group->partitions.clear();
  append(*group, out);
  numbers_.erase(numbers_.find(name));
  groups_.erase(group->number);
  return true;
}

std::optional<std::size_t> Groups::remove_member(std::string_view name, std::string_view member) {
  auto* group = find(name);
  if (group == nullptr) return std::nullopt;
  std::size_t count = 0;
  for (const auto& [run, one] : group->members) {
    if (one.name != member || is_removed(*group, run)) continue;
    ++count;
    group->removed.push_back(run);
    if (group->removed.size() > kMembersMax) group->removed.pop_front();
  }
  return count;
}

// ---- What they hold, and what is told of them.

bool Groups::holds(const Group& group, TimePoint now) const {
  return !group.members.empty() || now < group.attended + kGroupIdle;
}

std::uint64_t Groups::held_from(std::uint64_t head, TimePoint now) const {
  auto from = head;
  for (const auto& [number, group] : groups_)
    if (holds(group, now)) from = std::min(from, group.lowest());
  return from;
}

std::vector<std::string> Groups::holders(std::uint64_t offset, TimePoint now) const {
  std::vector<std::string> names;
  for (const auto& [number, group] : groups_)
    if (names.size() < kHoldersMax && holds(group, now) && group.lowest() < offset)
      names.push_back(group.name);
  return names;
}

GroupView Groups::view_of(const Group& group, TimePoint now) const {
  GroupView view;
  view.name = group.name;
  view.generation = group.generation;
  view.is_holding = holds(group, now);
  view.commits = group.commits;
  view.redelivered = group.redelivered;
  view.is_settled = group.gone.empty();
  std::map<RunId, std::uint32_t> owned;
  for (const auto& partition : group.partitions) ++owned[partition.owner];
  for (const auto& [run, member] : group.members) {
    if (member.is_shared_with)
      view.members.push_back({member.name, now - member.heard, owned[run], member.unacknowledged});
    view.is_settled = view.is_settled && member.is_shared_with;
  }
  for (const auto& partition : group.partitions) {
    view.cursors.push_back(partition.cursor);
    const auto owner = group.members.find(partition.owner);
    view.owners.push_back(owner == group.members.end() ? "" : owner->second.name);
    view.is_settled = view.is_settled && partition.next == 0;
  }
  return view;
}

std::vector<GroupView> Groups::list(std::string_view prefix, std::string_view after,
                                    std::size_t most, TimePoint now) const {
  std::vector<GroupView> views;
  auto at = after < prefix ? numbers_.lower_bound(prefix) : numbers_.upper_bound(after);
  for (; at != numbers_.end() && views.size() < most && at->first.starts_with(prefix); ++at)
    views.push_back(view_of(groups_.at(at->second), now));
  return views;
}

std::optional<GroupView> Groups::find(std::string_view name, TimePoint now) const {
  const auto number = numbers_.find(name);
  if (number == numbers_.end()) return std::nullopt;
  return view_of(groups_.at(number->second), now);
}

}  // namespace eole::sink
