#include "ventilator/io/journal.hpp"

#include <algorithm>
#include <utility>

#include "common/base/expected.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::ventilator {

using storage::Position;

namespace {
std::uint32_t type_of(Part part) { return static_cast<std::uint32_t>(part); }

constexpr std::uint64_t kSegmentsKept = 4;  // Moving tasks pays only when more lie around.
constexpr std::size_t kMovedPerTurn = 1 << 20;
constexpr std::size_t kMovedBytes = 64 << 10;  // Of one record: one of its tasks costs reading it.
constexpr std::uint64_t kSnapshotShare = 4;          // Due when so many times as much was written.
constexpr std::uint64_t kSnapshotPace = 2;           // So many bytes beside one of a snapshot.
constexpr std::uint64_t kSnapshotAtStart = 1 << 20;  // So much of it at once: mostly all.
}  // namespace

Journal::Journal(storage::Directory& directory, storage::StoreOptions options, std::string boot_id)
    : segment_bytes_(options.segment_bytes),
      store_(directory, options, [this](Position at, std::uint32_t type, std::string_view payload) {
        load(at, type, payload);
      }) {
  recovered_.drop_settled();
  tasks_.count_live(recovered_.settled);
  if (recovered_.start == 0)
    recovered_.origin = static_cast<Origin>(options.entropy >> 34);  // 30 bits
  recovered_.is_power_cut = recovered_.start != 0 && boot_id != start_.boot_id;
  if (!planted("start-not-counted") || recovered_.start == 0) ++recovered_.start;
  start_ = {recovered_.origin, recovered_.start, std::move(boot_id)};
  last_ = recovered_.last;
  snapshot_.reset();                         // The last life's, if it did not come to its end.
  begin_snapshot(store_.current_segment());  // Each start leaves a segment: none may pile up.
  snapshot(
      [this](SavePlace& place) {
        return save_next(place, [this](SavePlace& at, Bytes& out) { recovered_.save(at, out); });
      },
      kSnapshotAtStart);
  store_.commit();
  collect(recovered_.settled);
}

void Journal::load(Position at, std::uint32_t type, std::string_view payload) {
  written_ += payload.size();
  if (snapshot_) snapshot_->bytes += payload.size();
  bool is_good = false;
  switch (static_cast<JournalRecord>(type)) {
    case JournalRecord::kTasks:
    case JournalRecord::kBeat: {
      TasksRecord tasks;
      is_good =
          decode(payload, tasks) &&
          recovered_.load_groups(tasks.first, tasks.count, tasks.groups, {&tasks.submitted_unix_ms, 1});
      if (is_good) load(at, tasks, payload.size());
      if (is_good && type == static_cast<std::uint32_t>(JournalRecord::kBeat)) {
        recovered_.projects.load_accepted(tasks.groups, "", tasks.first);
        recovered_.pass_beat(tasks.key, static_cast<std::int64_t>(tasks.request));
      } else if (is_good) {
        recovered_.projects.load_accepted(tasks.groups, tasks.key, tasks.first);
        remember_answer(tasks);
      }
      break;
    }
    case JournalRecord::kStart:
    case JournalRecord::kSnapshot:
    case JournalRecord::kSnapshotEnd: {
      Seq last = 0;
      is_good = decode(payload, start_, last);
      recovered_.origin = start_.origin;
      recovered_.start = start_.start;
      recovered_.last = std::max(recovered_.last, last);
      if (type == static_cast<std::uint32_t>(JournalRecord::kSnapshot)) begin_snapshot(at.segment);
      if (type == static_cast<std::uint32_t>(JournalRecord::kSnapshotEnd)) end_snapshot();
      break;
    }
    case JournalRecord::kMoved: {
      MovedRecord moved;
      is_good = decode(payload, moved);
      const auto count = static_cast<std::uint32_t>(moved.submitted_unix_ms.size());
      is_good = is_good && recovered_.load_groups(moved.first, count, moved.groups, moved.submitted_unix_ms);
      if (is_good && !planted("moved-forgotten-at-restart"))
        tasks_.put_moved(moved.first, count, at, payload.size());
      break;
    }
    default:
      is_good = recovered_.load(static_cast<Part>(type), payload);
  }
  if (!is_good)
    throw storage::Damage(text("journal: a record of type ", type, " in segment ", at.segment,
                               " at offset ", at.offset,
                               " is whole but makes no sense: written by another version?"));
}

void Journal::load(Position at, const TasksRecord& tasks, std::uint64_t bytes) {
  tasks_.put(tasks.first, tasks.count, at, bytes, tasks.submitted_unix_ms);
  recovered_.last = std::max(recovered_.last, tasks.first + tasks.count - 1);
}

void Journal::remember_answer(const TasksRecord& tasks) {
  if (is_own_key(tasks.key)) return;
  if (planted("answers-forgotten-at-restart")) return;
  const Answered answered{tasks.first, tasks.count};
  if (!tasks.key.empty()) {
    recovered_.answers.add({tasks.key, tasks.hash, answered, {}});
  } else {
    recovered_.answers.add(tasks.run, tasks.request, tasks.confirmed, answered, {});
  }
}

void Journal::write(Actions& actions, const Save& save) {
  bool needs_sync = false;
  const auto before = written_;
  for (auto& action : actions) {
    if (auto* tasks = std::get_if<JournalTasks>(&action)) {
      append(*tasks);
      needs_sync = true;
    } else if (const auto* cancel = std::get_if<JournalCancel>(&action)) {
      if (planted("cancel-not-journalled")) continue;
      Bytes payload;
      put<std::uint64_t>(payload, cancel->seq);
      append(type_of(Part::kCancelled), payload);
      needs_sync = true;
    } else if (const auto* wish = std::get_if<JournalWish>(&action)) {
      if (planted("wish-not-journalled")) continue;
      Bytes payload;
      put_wish(payload, wish->what, wish->about, wish->value);
      append(type_of(Part::kWishes), payload);
      needs_sync = true;
    } else if (const auto* project = std::get_if<JournalProject>(&action)) {
      if (planted("project-not-journalled")) continue;
      append(type_of(Part::kProjects), project->record);
      needs_sync = true;
    } else if (const auto* note = std::get_if<JournalNote>(&action)) {
      if (planted("attempts-not-noted")) continue;
      append(type_of(Part::kNotes), encode(*note));
      needs_sync = needs_sync || note->needs_sync;
    } else if (const auto* forget = std::get_if<Forget>(&action)) {
      for (const auto& [first, last] : forget->ranges) settled_.add(first, last);
    }
  }
  // Needs no sync of its own: what is lost of it, the sink says again.
  SavePlace place;
  for (Bytes ranges; save_ranges(settled_, place, ranges), !ranges.empty(); ranges.clear())
    append(type_of(Part::kSettled), ranges);
  const auto due = std::max(segment_bytes_, kSnapshotShare * snapshot_bytes_);
  if (!snapshot_ && written_ > due && has_room(snapshot_bytes_))
    begin_snapshot(store_.current_segment());
  // Behind the rest: it says what these actions have changed already.
  snapshot(save, (written_ - before) / kSnapshotPace);
  needs_sync ? store_.commit() : store_.flush();
}

Seq Journal::last_told() const { return planted("snapshot-without-last") ? 0 : last_; }

Position Journal::append(std::uint32_t type, std::string_view payload, std::string_view rest) {
  written_ += payload.size() + rest.size();
  const auto at = store_.append(type, payload, rest);
  // Each segment says whose it is: damage to others must not cost that.
  if (std::exchange(identity_segment_, at.segment) != at.segment)
    append(JournalRecord::kStart, encode(start_, last_told()));
  return at;
}

Position Journal::append(JournalRecord type, std::string_view payload, std::string_view rest) {
  return append(static_cast<std::uint32_t>(type), payload, rest);
}

void Journal::append(JournalTasks& tasks) {
  auto& submit = tasks.submit;
  const bool is_beat = !tasks.schedule.empty();
  const auto head = encode_head({tasks.first,
                                 submit.count,
                                 tasks.submitted_unix_ms,
                                 submit.run,
                                 is_beat ? static_cast<std::uint64_t>(tasks.beat) : submit.request,
                                 submit.confirmed,
                                 is_beat ? tasks.schedule : submit.key,
                                 tasks.hash,
                                 {}});
  const auto at =
      append(is_beat ? JournalRecord::kBeat : JournalRecord::kTasks, head, submit.payload);
  tasks_.put(tasks.first, submit.count, at, head.size() + submit.payload.size(),
             tasks.submitted_unix_ms);
  last_ = tasks.first + submit.count - 1;
  tasks_.keep(tasks.first, std::move(submit.payload));
}

// ---- Snapshots.

void Journal::begin_snapshot(std::uint32_t segment) {
  snapshot_ = Snapshot{segment, written_, 0, {}};
  if (planted("unfinished-snapshot-believed")) snapshot_segment_ = segment;
}

// Now the parts need nothing from before it.
void Journal::end_snapshot() {
  if (!snapshot_) return;  // A salvage found no more of it than its end.
  snapshot_segment_ = snapshot_->segment;
  snapshot_bytes_ = snapshot_->bytes;
  written_ -= snapshot_->begun;
  snapshot_.reset();
}

void Journal::snapshot(const Save& save, std::uint64_t bytes) {
  const auto begun = written_;
  while (snapshot_) {
    if (snapshot_->bytes == 0) {
      const auto payload = encode(start_, last_told());
      snapshot_->segment = append(JournalRecord::kSnapshot, payload).segment;
      snapshot_->bytes += payload.size();
    }
    if (const auto record = save(snapshot_->place)) {
      append(type_of(record->part), record->payload);
      snapshot_->bytes += record->payload.size();
      if (written_ - begun >= bytes) return;
    } else {
      append(JournalRecord::kSnapshotEnd, encode(start_, last_told()));
      end_snapshot();
    }
  }
}

// ---- What is kept.

void Journal::collect(const SeqRanges& settled) {
  tasks_.settle(settled_, settled);
  settled_ = {};
  if (is_moving_due()) move_some(settled);
  const auto needed = std::min(snapshot_segment_, tasks_.oldest_segment().value_or(UINT32_MAX));
  if (needed > store_.first_segment()) {
    // What replaces the old segments is durable before they go.
    if (!planted("drop-before-commit")) store_.commit();
    store_.drop_segments_below(needed);
  }
  store_.keep_spare();
}

// What lies below the last snapshot can go once its tasks are elsewhere.
bool Journal::is_moving_due() const {
  const auto oldest = store_.first_segment();
  if (oldest >= snapshot_segment_) return false;
  const auto live = tasks_.live_bytes_below(snapshot_segment_);
  const auto kept = store_.bytes_below(snapshot_segment_);
  return kept > live + tasks_.live_bytes() + kSegmentsKept * segment_bytes_ &&
         has_room(tasks_.live_bytes_below(oldest + 1));
}

void Journal::move_some(const SeqRanges& settled) {
  struct Piece {
    MovedRecord head;
    protocol::TaskGroups groups;
  };
  std::vector<Piece> pieces;
  std::size_t bytes = 0;
  while (bytes < kMovedPerTurn) {
    const auto record = tasks_.record_in(store_.first_segment());
    if (!record) break;
    const auto [first, last] = *record;
    for (auto seq = settled.first_missing(first); seq <= last;
         seq = settled.first_missing(seq + 1)) {
      const auto* piece = pieces.empty() ? nullptr : &pieces.back();
      if (piece == nullptr || piece->groups.bytes() >= kMovedBytes ||
          piece->head.first + piece->head.submitted_unix_ms.size() != seq)
        pieces.push_back({{seq, {}, {}}, {}});
      const auto spec = tasks_.specs(seq, 1, store_);
      invariant(spec.count == 1, "what a record has that lives is not settled");
      pieces.back().head.submitted_unix_ms.push_back(spec.submitted_unix_ms);
      pieces.back().groups.add(spec.task_class, spec.bytes);
      bytes += spec.bytes.size();
    }
    tasks_.remove(first);
  }
  for (auto& [head, groups] : pieces) {
    const auto taken = groups.take();
    head.groups = taken;
    const auto payload = encode(head);
    const auto at = append(JournalRecord::kMoved, payload);
    const auto count = static_cast<std::uint32_t>(head.submitted_unix_ms.size());
    tasks_.put_moved(head.first, count, at, payload.size());
  }
}

// On a full disk, what may wait must leave the rest of the segment to what settles tasks.
bool Journal::has_room(std::uint64_t bytes) const {
  return store_.has_spare() || store_.room() > bytes + segment_bytes_ / 4;
}

bool Journal::is_full() const { return !store_.has_spare() && !planted("full-disk-not-seen"); }

}  // namespace eole::ventilator
