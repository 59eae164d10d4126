#include "ventilator/io/journal.hpp"

#include <algorithm>
#include <utility>

#include "common/base/expected.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::ventilator {

using protocol::read_task_spec;
using storage::Position;

namespace {
constexpr std::size_t kCacheBytesMax = 32 << 20;
std::uint32_t type_of(Part part) { return static_cast<std::uint32_t>(part); }

constexpr std::uint32_t kSegmentsKept = 4;  // Moving tasks pays only when more lie around.
constexpr std::uint32_t kLiveShare = 8;     // … and when at most an eighth is alive.
constexpr std::size_t kMovedMax = 65536;
constexpr std::size_t kMovedBytes = 64 << 10;  // Of one record: one of its tasks costs reading it.

constexpr std::uint64_t kSnapshotShare = 4;          // Due when so many times as much was written.
constexpr std::uint64_t kSnapshotAtStart = 1 << 20;  // So much of it at once: mostly all.
}  // namespace

Journal::Journal(storage::Directory& directory, storage::StoreOptions options, std::string boot_id)
    : directory_(directory),
      segment_bytes_(options.segment_bytes),
      store_(directory, options, [this](Position at, std::uint32_t type, std::string_view payload) {
        load(at, type, payload);
      }) {
  recovered_.drop_settled();
  if (recovered_.start == 0)
    recovered_.origin = static_cast<Origin>(options.entropy >> 34);  // 30 bits
  recovered_.is_power_cut = recovered_.start != 0 && boot_id != start_.boot_id;
  if (!planted("start-not-counted") || recovered_.start == 0) ++recovered_.start;
  start_ = {recovered_.origin, recovered_.start, std::move(boot_id)};
  last_ = recovered_.last;
  snapshot_.reset();  // The last life's, if it did not come to its end.
  append(JournalRecord::kStart, encode(start_, last_));
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
    case JournalRecord::kTasks: {
      TasksRecord tasks;
      is_good = decode(payload, tasks);
      if (is_good) load(at, tasks, payload.size());
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
      ByteReader reader(payload);
      is_good = true;
      while (is_good && !reader.is_done()) {
        const auto seq = reader.get<std::uint64_t>();
        reader.get<std::int64_t>();  // When it was accepted.
        if (!planted("moved-forgotten-at-restart")) moved_[seq] = at;
        is_good = read_task_spec(reader).has_value();
      }
      break;
    }
    default:
      is_good = recovered_.load(static_cast<Part>(type), payload);
  }
  if (!is_good)
    throw storage::StorageFailure(
        text("journal: a record of type ", type, " in segment ", at.segment, " at offset ",
             at.offset, " is whole but makes no sense: written by another version?"));
}

void Journal::load(Position at, const TasksRecord& tasks, std::uint64_t bytes) {
  index_.put(tasks.first,
             {tasks.count, static_cast<std::uint32_t>(bytes), at, tasks.submitted_unix_ms});
  recovered_.last = std::max(recovered_.last, tasks.first + tasks.count - 1);
  if (tasks.attempts_max != 0) recovered_.limits[tasks.first] = {tasks.count, tasks.attempts_max};
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
  SeqRanges settled;
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
    } else if (const auto* note = std::get_if<JournalNote>(&action)) {
      if (planted("attempts-not-noted")) continue;
      append(type_of(Part::kNotes), encode(*note));
      needs_sync = needs_sync || note->needs_sync;
    } else if (const auto* forget = std::get_if<Forget>(&action)) {
      for (const auto& [first, last] : forget->ranges) settled.add(first, last);
    }
  }
  // Needs no sync of its own: what is lost of it, the sink says again.
  SavePlace place;
  for (Bytes ranges; save_ranges(settled, place, ranges), !ranges.empty(); ranges.clear())
    append(type_of(Part::kSettled), ranges);
  is_collection_due_ = is_collection_due_ || settled.count() > 0;
  const auto due = std::max(segment_bytes_, kSnapshotShare * snapshot_bytes_);
  if (!snapshot_ && written_ > due) begin_snapshot(store_.current_segment());
  // Behind the rest: it says what these actions have changed already.
  snapshot(save, written_ - before);
  needs_sync ? store_.commit() : store_.flush();
}

Position Journal::append(std::uint32_t type, std::string_view payload, std::string_view rest) {
  written_ += payload.size() + rest.size();
  return store_.append(type, payload, rest);
}

Position Journal::append(JournalRecord type, std::string_view payload, std::string_view rest) {
  return append(static_cast<std::uint32_t>(type), payload, rest);
}

void Journal::append(JournalTasks& tasks) {
  auto& submit = tasks.submit;
  const auto head = encode_head({tasks.first,
                                 submit.count,
                                 submit.attempts_max,
                                 tasks.submitted_unix_ms,
                                 submit.run,
                                 submit.request,
                                 submit.confirmed,
                                 submit.key,
                                 tasks.hash,
                                 {}});
  const auto at = append(JournalRecord::kTasks, head, submit.payload);
  const auto bytes = static_cast<std::uint32_t>(head.size() + submit.payload.size());
  index_.put(tasks.first, {submit.count, bytes, at, tasks.submitted_unix_ms});
  last_ = tasks.first + submit.count - 1;
  if (cache_bytes_ + submit.payload.size() <= kCacheBytesMax)
    keep(tasks.first, std::move(submit.payload), 0);
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
  is_collection_due_ = true;
}

void Journal::snapshot(const Save& save, std::uint64_t bytes) {
  const auto begun = written_;
  const auto last = planted("snapshot-without-last") ? 0 : last_;
  while (snapshot_) {
    if (snapshot_->bytes == 0) {
      const auto payload = encode(start_, last);
      snapshot_->segment = append(JournalRecord::kSnapshot, payload).segment;
      snapshot_->bytes += payload.size();
    }
    if (const auto record = save(snapshot_->place)) {
      append(type_of(record->part), record->payload);
      snapshot_->bytes += record->payload.size();
      if (written_ - begun >= bytes) return;
    } else {
      append(JournalRecord::kSnapshotEnd, encode(start_, last));
      end_snapshot();
    }
  }
}

void Journal::collect(const SeqRanges& settled) {
  if (!std::exchange(is_collection_due_, false)) return;
  const auto is_oldest_over = [&] {
    const auto& [first, entry] = index_.front();
    const auto over = settled.count_within(first, first + entry.count - 1);
    return planted("collect-half-settled") ? over > 0 : over == entry.count;
  };
  while (!index_.empty() && is_oldest_over()) drop_oldest();
  std::erase_if(moved_, [&](const auto& entry) { return settled.contains(entry.first); });
  // Stragglers only: what merely waits its turn in an old segment leaves it soon.
  const auto* newest = find(settled.highest());
  const auto reached = newest != nullptr ? newest->second.at.segment
                       : index_.empty()  ? store_.current_segment()
                                         : index_.front().second.at.segment;
  if (reached >= store_.first_segment() + kSegmentsKept) move_live(store_.first_segment(), settled);
  auto needed = snapshot_segment_;
  if (!index_.empty()) needed = std::min(needed, index_.front().second.at.segment);
  for (const auto& [seq, at] : moved_) needed = std::min(needed, at.segment);
  if (needed > store_.first_segment()) {
    // What replaces the old segments is durable before they go.
    if (!planted("drop-before-commit")) store_.commit();
    store_.drop_segments_below(needed);
  }
}

// One task that waits for long must not pin a whole segment: it is written again at the end.
void Journal::move_live(std::uint32_t segment, const SeqRanges& settled) {
  std::vector<Seq> live;
  for (const auto& [first, entry] : index_) {
    if (entry.at.segment != segment) break;
    const auto last = first + entry.count - 1;
    for (auto seq = settled.first_missing(first); seq <= last; seq = settled.first_missing(seq + 1))
      live.push_back(seq);
    if (live.size() > kMovedMax) return;
  }
  for (const auto& [seq, at] : moved_)
    if (at.segment == segment) live.push_back(seq);
  struct Piece {
    std::vector<Seq> seqs;
    Bytes payload;
  };
  std::vector<Piece> pieces;
  std::size_t bytes = 0;
  for (const auto seq : live) {
    if (pieces.empty() || pieces.back().payload.size() >= kMovedBytes) pieces.emplace_back();
    auto& piece = pieces.back();
    piece.seqs.push_back(seq);
    const auto spec = specs(seq, 1);
    put<std::uint64_t>(piece.payload, seq);
    put<std::int64_t>(piece.payload, spec.submitted_unix_ms);
    piece.payload += spec.bytes;
    bytes += spec.bytes.size();
    if (bytes * kLiveShare > segment_bytes_) return;
  }
  for (const auto& piece : pieces) {
    const auto at = append(JournalRecord::kMoved, piece.payload);
    for (const auto seq : piece.seqs) moved_[seq] = at;
  }
  while (!index_.empty() && index_.front().second.at.segment == segment) drop_oldest();
}

void Journal::drop_oldest() {
  // Nothing is cached that is older.
  if (!cache_.empty() && cache_.front().first == index_.front().first) {
    cache_bytes_ -= cache_.front().second.payload.size();
    cache_.pop_front();
  }
  index_.pop_front();
}

const Journal::Entries::Entry* Journal::find(Seq seq) const {
  const auto* found = index_.at_or_before(seq);
  return found != nullptr && seq < found->first + found->second.count ? found : nullptr;
}

Journal::Cached& Journal::keep(Seq first, Bytes payload, std::size_t specs) {
  cache_bytes_ += payload.size();
  return cache_.put(first, {std::move(payload), specs, first, specs});
}

Journal::Cached& Journal::cache(Seq first, const Entry& entry) {
  if (auto* found = cache_.find(first)) return *found;
  auto payload = store_.read(entry.at, entry.bytes);
  while (!cache_.empty() && cache_bytes_ + payload.size() > kCacheBytesMax) {
    cache_bytes_ -= cache_.back().second.payload.size();
    cache_.pop_back();  // Needed last: tasks leave in order.
  }
  TasksRecord record;
  invariant(decode(payload, record), "the journal reads what it wrote");
  const auto specs = payload.size() - record.specs.size();
  return keep(first, std::move(payload), specs);
}

Journal::Specs Journal::moved_spec(Seq seq, Position at) {
  if (std::exchange(moved_read_, at) != at) moved_payload_ = store_.read(at);
  ByteReader reader(moved_payload_);
  while (!reader.is_done()) {
    const auto here = reader.get<std::uint64_t>();
    const auto submitted = reader.get<std::int64_t>();
    const auto rest = reader.rest();
    if (!read_task_spec(reader)) break;
    if (here == seq) return {rest.substr(0, rest.size() - reader.rest().size()), 1, submitted};
  }
  throw storage::StorageFailure(text("journal: task ", seq, " is not where it was moved to"));
}

Journal::Specs Journal::specs(Seq first, std::uint32_t count) {
  const auto moved = moved_.lower_bound(first);
  if (moved != moved_.end() && moved->first == first) return moved_spec(first, moved->second);
  const auto* found = find(first);
  if (found == nullptr) throw storage::StorageFailure(text("journal: task ", first, " is missing"));
  const auto& [entry_first, entry] = *found;
  auto last = std::min(first + count - 1, entry_first + entry.count - 1);
  if (moved != moved_.end()) last = std::min(last, moved->first - 1);
  auto& cached = cache(entry_first, entry);
  if (first < cached.next) {
    cached.next = entry_first;
    cached.offset = cached.specs;
  }
  const std::string_view payload = cached.payload;
  ByteReader reader(payload.substr(cached.offset));
  auto start = cached.offset;
  for (; cached.next <= last; ++cached.next) {
    if (cached.next == first) start = payload.size() - reader.rest().size();
    if (!read_task_spec(reader))
      throw storage::StorageFailure(text("journal: task ", cached.next, " is cut short"));
  }
  cached.offset = payload.size() - reader.rest().size();
  return {payload.substr(start, cached.offset - start),
          static_cast<std::uint32_t>(last - first + 1), entry.submitted_unix_ms};
}

bool Journal::is_full() const {
  const auto floor = std::max<std::uint64_t>(64ULL << 20, 2 * segment_bytes_);
  return directory_.free_bytes() < floor && !planted("full-disk-not-seen");
}

}  // namespace eole::ventilator
