#include "clients/cpp/core/group.hpp"

#include <algorithm>

#include "clients/cpp/core/silence.hpp"
#include "common/base/ids.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/protocol/refusal.hpp"

namespace eole::client {

using protocol::PartitionCursor;

namespace {
constexpr Duration kRepeat = 1s;
}

GroupCore::GroupCore(std::string group, RunId run, std::string member, TimePoint now,
                     std::string within)
    : group_(std::move(group)),
      run_(run),
      member_(std::move(member)),
      within_(std::move(within)),
      beats_{1s, 0, 0, now, {}, {}, now + kPatience} {}

void GroupCore::on_event(GroupEvent event, TimePoint now, GroupActions& out) {
  if (state_ == State::kOver || state_ == State::kLeft) return;
  std::visit([&](auto& concrete) { on(concrete, now, out); }, event);
}

// ---- What it owns.

void GroupCore::on(AttendingReceived& event, TimePoint now, GroupActions& out) {
  const auto& told = event.attending;
  if (told.request != 0 && told.request <= beats_.answered) return;
  if (told.generation < told_) return;
  if (log_ != 0 && told.log != log_) {
    state_ = State::kOver;
    out.emplace_back(GroupTrouble{Error{text("the log ", hex(log_), " was replaced by ", hex(told.log),
                                              ": the group ", group_, " is of the old one"),
                                         ErrorCode::kConflict},
                                   true});
    return;
  }
  beats_.silent_at = now + kPatience;
  log_ = told.log;
  if (told.heartbeat_ms > 0) beats_.every = std::chrono::milliseconds(told.heartbeat_ms);
  if (told.request != 0) {
    beats_.answered = told.request;
    if (state_ == State::kLeaving && told.request == beats_.request) {
      state_ = State::kLeft;
      return;
    }
    beats_.due = now + beats_.every;
    if (is_answered())
      beats_.sure_until = beats_.said + beats_.every * kSureBeats / 2;
  }
  if (state_ != State::kIn) return;
  take_generation(told, now, out);
  // What was wanted meanwhile.
  if (told.request != 0 && is_answered() && !is_committed()) attend(now, out);
}

void GroupCore::take_generation(const protocol::Attending& told, TimePoint now, GroupActions& out) {
  const auto cursors = protocol::decode_cursors(told.payload);
  if (!cursors || told.partitions == 0 || told.partitions > protocol::kPartitionsMax) return;
  count_ = told.partitions;
  const bool is_new = told.generation > told_;
  const bool is_moved = told.moved > told_;
  told_ = told.generation;
  if (is_moved) owned_.clear();  // What was handed out before is not to be committed now.
  for (auto& [partition, owned] : owned_) {
    owned.position = level(owned);
    const bool is_told =
        std::any_of(cursors->begin(), cursors->end(),
                    [&, its = partition](const auto& cursor) { return cursor.partition == its; });
    if (!is_told && is_new) owned.is_leaving = true;
  }
  if (!is_new && letting_go_.request != 0 && beats_.answered >= letting_go_.request) {
    std::erase_if(owned_, [](const auto& one) { return one.second.is_leaving; });
    letting_go_.request = 0;
  }
  bool is_behind = is_moved;
  for (const auto& cursor : *cursors) {
    if (cursor.partition >= told.partitions) continue;
    const auto [known, is_added] = owned_.try_emplace(
        cursor.partition, Owned{cursor.offset, cursor.offset, cursor.offset, 0, 0, false});
    auto& owned = known->second;
    is_behind = is_behind || is_added || owned.is_leaving;
    owned.is_leaving = false;
    owned.committed = std::max(owned.committed, cursor.offset);
    owned.wanted = std::max(owned.wanted, owned.committed);
    owned.position = std::max(owned.position, owned.committed);
  }
  if (is_behind) read_anew(out);
  if (is_new) {
    if (!is_to_let_go()) {
      let_go(now, out);
    } else if (!letting_go_.due) {
      letting_go_.due = now + kLetGoWithin;
    }
  }
  read(now, out);
}

bool GroupCore::is_to_let_go() const {
  return generation_ != told_ && std::any_of(owned_.begin(), owned_.end(), [](const auto& one) {
           return one.second.is_leaving && one.second.handed > one.second.wanted;
         });
}

void GroupCore::on(LetGo&, TimePoint now, GroupActions& out) { let_go(now, out); }

// The answer to the new generation, with what was committed.
void GroupCore::let_go(TimePoint now, GroupActions& out) {
  if (generation_ == told_) return;
  generation_ = told_;
  letting_go_.due.reset();
  attend(now, out);
  letting_go_.request = beats_.request;
}

// What it has now begins elsewhere: from the one on that lies farthest behind.
void GroupCore::read_anew(GroupActions& out) {
  auto lowest = UINT64_MAX;
  for (const auto& [partition, owned] : owned_)
    if (!owned.is_leaving) lowest = std::min(lowest, owned.position);
  if (lowest == UINT64_MAX) lowest = 0;
  reading_.begin(lowest);
  out.emplace_back(DropPieces{});
}

// ---- What it says.

void GroupCore::attend(TimePoint now, GroupActions& out) {
  protocol::Attend said{++beats_.request,
                        group_,
                        run_,
                        member_,
                        generation_,
                        static_cast<std::uint8_t>(state_ == State::kLeaving ? 1 : 0),
                        {},
                        within_};
  std::vector<PartitionCursor> cursors;
  for (auto& [partition, owned] : owned_) {
    // What was looked through behind what was handed out is others'.
    if (owned.handed <= owned.wanted) owned.wanted = std::max(owned.wanted, level(owned));
    if (owned.wanted > owned.committed) cursors.push_back({partition, owned.wanted});
    said.unacknowledged += owned.unacknowledged;
  }
  said.payload = protocol::encode_cursors(cursors);
  beats_.due = now + kRepeat;
  beats_.said = now;
  out.emplace_back(SendAttend{std::move(said)});
}

void GroupCore::on(CommitWanted&, TimePoint now, GroupActions& out) {
  for (auto& [partition, owned] : owned_) {
    owned.wanted = std::max(owned.wanted, level(owned));
    owned.unacknowledged = 0;
  }
  if (generation_ != told_) return let_go(now, out);
  if (is_answered() && !is_committed()) attend(now, out);  // Else with the answer.
}

bool GroupCore::is_committed() const {
  return std::all_of(owned_.begin(), owned_.end(),
                     [](const auto& one) { return one.second.committed >= one.second.wanted; });
}

void GroupCore::on(LeaveWanted&, TimePoint now, GroupActions& out) {
  state_ = State::kLeaving;
  generation_ = told_;
  letting_go_.due.reset();
  attend(now, out);
}

void GroupCore::on(GroupRefused& event, TimePoint, GroupActions& out) {
  state_ = State::kOver;
  out.emplace_back(GroupTrouble{protocol::error_of("the sink", event.refused), true});
}

// ---- What it reads.

std::optional<std::uint32_t> GroupCore::takes(const protocol::ResultRecord& result,
                                              std::uint64_t offset) {
  const auto partition = protocol::partition_of(result, count_);
  went_to(offset);
  const auto owned = owned_.find(partition);
  if (owned == owned_.end() || owned->second.is_leaving) return std::nullopt;
  if (offset < level(owned->second)) return std::nullopt;
  owned->second.position = owned->second.handed = offset + 1;
  ++owned->second.unacknowledged;
  return partition;
}

bool GroupCore::has_any() const {
  return state_ == State::kIn && std::any_of(owned_.begin(), owned_.end(), [](const auto& one) {
           return !one.second.is_leaving;
         });
}

void GroupCore::read(TimePoint now, GroupActions& out) {
  if (!has_any()) return;
  protocol::Partitions partitions;
  partitions.count = count_;
  for (const auto& [partition, owned] : owned_)
    if (!owned.is_leaving) partitions.has.set(partition);
  if (auto next = reading_.next(log_, partitions, now)) {
    next->within = within_;
    out.emplace_back(SendGroupRead{std::move(*next)});
  }
}

void GroupCore::on(GroupRecordsReceived& event, TimePoint now, GroupActions& out) {
  auto pieces = reading_.take(event.records, now);
  if (!pieces) {
    state_ = State::kOver;
    out.emplace_back(GroupTrouble{pieces.error(), true});
    return;
  }
  for (auto& piece : *pieces) out.emplace_back(std::move(piece));
  read(now, out);
}

void GroupCore::on(GroupGoneReceived& event, TimePoint now, GroupActions& out) {
  if (const auto gone = reading_.take(event.gone)) out.emplace_back(*gone);
  read(now, out);
}

void GroupCore::on(LogGrew& event, TimePoint now, GroupActions& out) {
  if (event.head.log != log_) return;
  reading_.grow(event.head.head, now);
  read(now, out);
}

void GroupCore::on(PieceDone& event, TimePoint now, GroupActions& out) {
  reading_.end_piece(event.bytes);
  read(now, out);
}

void GroupCore::on_deadline(TimePoint now, GroupActions& out) {
  if (state_ == State::kOver || state_ == State::kLeft) return;
  if (letting_go_.due && now >= *letting_go_.due) let_go(now, out);
  if (now >= beats_.due) attend(now, out);
  if (now >= beats_.silent_at) {
    beats_.silent_at = now + kPatience;
    out.emplace_back(GroupTrouble{silence_of("the sink", kPatience), false});
  }
  reading_.on_deadline(now);
  read(now, out);
}

std::optional<TimePoint> GroupCore::next_deadline() const {
  if (state_ == State::kOver || state_ == State::kLeft) return std::nullopt;
  auto next = std::min(beats_.due, beats_.silent_at);
  if (letting_go_.due) next = std::min(next, *letting_go_.due);
  if (const auto read = reading_.next_deadline(); read && has_any()) next = std::min(next, *read);
  return next;
}

}  // namespace eole::client
