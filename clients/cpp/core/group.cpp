#include "clients/cpp/core/group.hpp"

#include <algorithm>

#include "clients/cpp/core/silence.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::client {

using protocol::PartitionCursor;

namespace {
constexpr Duration kRepeat = 1s;
}

GroupCore::GroupCore(std::string group, RunId run, std::string member, TimePoint now)
    : group_(std::move(group)),
      run_(run),
      member_(std::move(member)),
      attend_at_(now),
      silent_at_(now + kPatience) {}

void GroupCore::on_event(GroupEvent event, TimePoint now, GroupActions& out) {
  if (state_ == State::kOver || state_ == State::kLeft) return;
  std::visit([&](auto& concrete) { on(concrete, now, out); }, event);
}

// ---- What it owns.

void GroupCore::on(AttendingReceived& event, TimePoint now, GroupActions& out) {
  const auto& told = event.attending;
  if (told.request != 0 && told.request <= answered_) return;
  if (told.generation < told_) return;
  if (log_ != 0 && told.log != log_) {
    state_ = State::kOver;
    out.emplace_back(GroupTrouble{Error{"the sink: it has another log now"}, true});
    return;
  }
  silent_at_ = now + kPatience;
  log_ = told.log;
  if (told.heartbeat_ms > 0) attend_every_ = std::chrono::milliseconds(told.heartbeat_ms);
  if (told.request != 0) {
    answered_ = told.request;
    if (state_ == State::kLeaving && told.request == request_) {
      state_ = State::kLeft;
      return;
    }
    attend_at_ = now + attend_every_;
    if (told.request == request_) sure_until_ = said_at_ + attend_every_ * kSureBeats / 2;
  }
  if (state_ != State::kIn) return;
  count_ = told.partitions;
  take_generation(told, now, out);
}

void GroupCore::take_generation(const protocol::Attending& told, TimePoint now,
                                GroupActions& out) {
  const auto cursors = protocol::decode_cursors(told.payload);
  if (!cursors || told.partitions == 0 || told.partitions > protocol::kPartitionsMax) return;
  const bool is_new = told.generation > told_;
  const bool is_moved = told.moved > told_;
  told_ = told.generation;
  if (is_moved) owned_.clear();  // What was handed out before is not to be committed now.
  for (auto& [partition, owned] : owned_) {
    owned.position = level(owned);
    const bool is_told = std::any_of(cursors->begin(), cursors->end(), [&](const auto& cursor) {
      return cursor.partition == partition;
    });
    if (!is_told && is_new) owned.is_leaving = true;
  }
  if (!is_new && let_go_request_ != 0 && answered_ >= let_go_request_) {
    std::erase_if(owned_, [](const auto& one) { return one.second.is_leaving; });
    let_go_request_ = 0;
  }
  bool is_behind = is_moved;
  for (const auto& cursor : *cursors) {
    if (cursor.partition >= told.partitions) continue;
    const auto [known, is_added] = owned_.try_emplace(
        cursor.partition, Owned{cursor.offset, cursor.offset, cursor.offset, 0, false});
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
    } else if (!let_go_at_) {
      let_go_at_ = now + kLetGoWithin;
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
  let_go_at_.reset();
  attend(now, out);
  let_go_request_ = request_;
}

// What it has now begins elsewhere: from the one on that lies farthest behind.
void GroupCore::read_anew(GroupActions& out) {
  auto lowest = UINT64_MAX;
  for (const auto& [partition, owned] : owned_)
    if (!owned.is_leaving) lowest = std::min(lowest, owned.position);
  if (lowest == UINT64_MAX) lowest = 0;
  at_ = given_ = lowest;
  read_at_ = {};
  is_reading_ = false;
  ++read_request_;
  ahead_bytes_ = 0;
  out.emplace_back(DropPieces{});
}

// ---- What it says.

void GroupCore::attend(TimePoint now, GroupActions& out) {
  protocol::Attend said{++request_, group_, run_, member_, generation_,
                        static_cast<std::uint8_t>(state_ == State::kLeaving ? 1 : 0), {}};
  std::vector<PartitionCursor> cursors;
  for (auto& [partition, owned] : owned_) {
    // What was looked through behind what was handed out is others'.
    if (owned.handed <= owned.wanted) owned.wanted = std::max(owned.wanted, level(owned));
    if (owned.wanted > owned.committed) cursors.push_back({partition, owned.wanted});
  }
  said.payload = protocol::encode_cursors(cursors);
  attend_at_ = now + kRepeat;
  said_at_ = now;
  out.emplace_back(SendAttend{std::move(said)});
}

void GroupCore::on(CommitWanted&, TimePoint now, GroupActions& out) {
  for (auto& [partition, owned] : owned_) owned.wanted = std::max(owned.wanted, level(owned));
  if (generation_ != told_) return let_go(now, out);
  if (!is_committed()) attend(now, out);
}

bool GroupCore::is_committed() const {
  return std::all_of(owned_.begin(), owned_.end(), [](const auto& one) {
    return one.second.committed >= one.second.wanted;
  });
}

void GroupCore::on(LeaveWanted&, TimePoint now, GroupActions& out) {
  state_ = State::kLeaving;
  generation_ = told_;
  attend(now, out);
}

void GroupCore::on(GroupRefused& event, TimePoint, GroupActions& out) {
  state_ = State::kOver;
  out.emplace_back(GroupTrouble{Error{text("the sink: ", event.refused.reason)}, true});
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
  return partition;
}

bool GroupCore::may_read() const {
  if (is_reading_ || state_ != State::kIn || ahead_bytes_ >= kPiecesBytesMax) return false;
  return std::any_of(owned_.begin(), owned_.end(),
                     [](const auto& one) { return !one.second.is_leaving; });
}

void GroupCore::read(TimePoint now, GroupActions& out) {
  if (!may_read() || (at_ >= head_ && now < read_at_)) return;
  protocol::Partitions partitions;
  partitions.count = count_;
  for (const auto& [partition, owned] : owned_)
    if (!owned.is_leaving) partitions.has.set(partition);
  is_reading_ = true;
  read_at_ = now + kRepeat;
  out.emplace_back(SendGroupRead{{++read_request_, log_, at_, 0, kReadBytes, {}, {},
                                  protocol::encode_partitions(partitions)}});
}

void GroupCore::on(GroupRecordsReceived& event, TimePoint now, GroupActions& out) {
  const auto& records = event.records;
  if (!is_reading_ || records.request != read_request_) return;
  is_reading_ = false;
  head_ = std::max(head_, records.head);
  ByteReader reader(records.payload);
  while (!reader.is_done()) {
    const auto bytes = reader.take(reader.get<std::uint32_t>());
    const auto batch = reader.ok() ? protocol::read_batch(bytes) : std::nullopt;
    if (!batch) {
      state_ = State::kOver;
      out.emplace_back(
          GroupTrouble{Error{text("the sink: a malformed piece of its log, at ", at_)}, true});
      return;
    }
    ahead_bytes_ += bytes.size();
    out.emplace_back(GivePiece{Bytes(bytes), batch->first_offset + batch->count});
  }
  if (records.next > at_) out.emplace_back(GivePiece{{}, records.next});
  at_ = std::max(at_, records.next);
  read_at_ = now + kPollEvery;
  read(now, out);
}

// They are told once, and then count as read.
void GroupCore::on(GroupGoneReceived& event, TimePoint now, GroupActions& out) {
  const auto& gone = event.gone;
  if (!is_reading_ || gone.request != read_request_ || gone.kept_from <= at_) return;
  is_reading_ = false;
  if (!planted("gone-records-skipped")) out.emplace_back(TellGone{at_, gone.kept_from - 1});
  at_ = gone.kept_from;
  head_ = std::max(head_, gone.head);
  read(now, out);
}

void GroupCore::on(LogGrew& event, TimePoint now, GroupActions& out) {
  if (event.head.log != log_) return;
  head_ = std::max(head_, event.head.head);
  if (!is_reading_) read_at_ = std::max(read_at_, now + kPollEvery);  // It hears of news.
  read(now, out);
}

void GroupCore::on(PieceDone& event, TimePoint now, GroupActions& out) {
  ahead_bytes_ -= std::min(ahead_bytes_, event.bytes);
  read(now, out);
}

void GroupCore::on_deadline(TimePoint now, GroupActions& out) {
  if (state_ == State::kOver || state_ == State::kLeft) return;
  if (let_go_at_ && now >= *let_go_at_) let_go(now, out);
  if (now >= attend_at_) attend(now, out);
  if (now >= silent_at_) {
    silent_at_ = now + kPatience;
    out.emplace_back(GroupTrouble{silence_of("the sink", kPatience), false});
  }
  if (is_reading_ && now >= read_at_) is_reading_ = false;
  if (now >= read_at_) read(now, out);
}

std::optional<TimePoint> GroupCore::next_deadline() const {
  if (state_ == State::kOver || state_ == State::kLeft) return std::nullopt;
  auto next = std::min(attend_at_, silent_at_);
  if (let_go_at_) next = std::min(next, *let_go_at_);
  if (is_reading_ || may_read()) next = std::min(next, read_at_);
  return next;
}

}  // namespace eole::client
