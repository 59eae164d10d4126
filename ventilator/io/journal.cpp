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
constexpr std::uint32_t kSegmentsKept = 4;  // Moving tasks pays only when more lie around.
constexpr std::uint32_t kLiveShare = 8;     // … and when at most an eighth is alive.
constexpr std::size_t kMovedMax = 65536;
constexpr std::size_t kMovedBytes = 64 << 10;  // Of one record: one of its tasks costs reading it.

std::uint32_t type_of(JournalRecord record) { return static_cast<std::uint32_t>(record); }
}  // namespace

Journal::Journal(storage::Directory& directory, storage::StoreOptions options, std::string boot_id)
    : directory_(directory),
      segment_bytes_(options.segment_bytes),
      store_(directory, options, [this](Position at, std::uint32_t type, std::string_view payload) {
        load(at, type, payload);
      }) {
  if (recovered_.start == 0)
    recovered_.origin = static_cast<Origin>(options.entropy >> 34);  // 30 bits
  recovered_.is_power_cut = recovered_.start != 0 && boot_id != start_.boot_id;
  if (!planted("start-not-counted") || recovered_.start == 0) ++recovered_.start;
  start_ = {recovered_.origin, recovered_.start, std::move(boot_id)};
  checkpoint(recovered_);
  store_.commit();
  collect(recovered_.settled);
}

void Journal::load(Position at, std::uint32_t type, std::string_view payload) {
  bool is_good = false;
  switch (static_cast<JournalRecord>(type)) {
    case JournalRecord::kTasks: {
      TasksRecord tasks;
      is_good = decode(payload, tasks);
      index_.put(tasks.first, {tasks.count, static_cast<std::uint32_t>(payload.size()), at,
                               tasks.submitted_unix_ms});
      if (tasks.first <= recovered_.last) break;  // A checkpoint has told the rest.
      recovered_.last = tasks.first + tasks.count - 1;
      if (tasks.attempts_max != 0)
        recovered_.limits[tasks.first] = {tasks.count, tasks.attempts_max};
      if (planted("answers-forgotten-at-restart")) break;
      const Answered answered{tasks.hash, tasks.first, tasks.count};
      if (!tasks.key.empty()) {
        recovered_.keys[tasks.key] = answered;
      } else {
        recovered_.requests[tasks.run].add(tasks.request, tasks.confirmed, answered);
      }
      break;
    }
    case JournalRecord::kCancel: {
      ByteReader reader(payload);
      const auto seq = reader.get<std::uint64_t>();
      is_good = reader.ok();
      if (!recovered_.settled.contains(seq)) recovered_.cancelled.insert(seq);
      break;
    }
    case JournalRecord::kNote: {
      JournalNote note;
      is_good = decode(payload, note);
      if (planted("notes-forgotten-at-restart")) break;
      for (const auto& run : note.runs)
        for (std::uint32_t i = 0; i < run.count; ++i) {
          if (run.attempt == 0) {
            recovered_.notes.erase(run.seq + i);  // Given back before its first attempt began.
          } else {
            recovered_.notes[run.seq + i] = {
                note.run, {note.start, run.lease_number + i}, run.attempt};
          }
        }
      break;
    }
    case JournalRecord::kCheckpoint:
      is_good = decode_checkpoint(payload, start_, recovered_);
      recovered_.origin = start_.origin;
      recovered_.start = start_.start;
      break;
    case JournalRecord::kStart: {
      Seq last = 0;
      is_good = decode(payload, start_, last);
      recovered_.origin = start_.origin;
      recovered_.start = start_.start;
      recovered_.last = std::max(recovered_.last, last);
      break;
    }
    case JournalRecord::kLost: {
      SeqRanges lost;
      is_good = lost.decode(payload);
      for (const auto& [first, last] : lost.ranges()) recovered_.lost.add(first, last);
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
  }
  if (!is_good)
    throw storage::StorageFailure(
        text("journal: a record of type ", type, " in segment ", at.segment, " at offset ",
             at.offset, " is whole but makes no sense: written by another version?"));
}

void Journal::write(Actions& actions, const std::function<Durable()>& state) {
  bool needs_sync = false;
  for (auto& action : actions) {
    if (auto* tasks = std::get_if<JournalTasks>(&action)) {
      append(*tasks);
      needs_sync = true;
    } else if (const auto* cancel = std::get_if<JournalCancel>(&action)) {
      if (planted("cancel-not-journalled")) continue;
      append(*cancel);
      needs_sync = true;
    } else if (const auto* note = std::get_if<JournalNote>(&action)) {
      if (planted("attempts-not-noted")) continue;
      append(*note);
      needs_sync = needs_sync || note->needs_sync;
    } else if (std::holds_alternative<Forget>(action)) {
      is_collection_due_ = true;
    }
  }
  if (store_.current_segment() != checkpoint_segment_) {  // Each segment begins with the whole.
    checkpoint(state());
    is_collection_due_ = true;
  }
  needs_sync ? store_.commit() : store_.flush();
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
  const auto at = store_.append(type_of(JournalRecord::kTasks), head, submit.payload);
  const auto bytes = static_cast<std::uint32_t>(head.size() + submit.payload.size());
  index_.put(tasks.first, {submit.count, bytes, at, tasks.submitted_unix_ms});
  if (cache_bytes_ + submit.payload.size() <= kCacheBytesMax)
    keep(tasks.first, std::move(submit.payload), 0);
}

void Journal::append(const JournalCancel& cancel) {
  Bytes payload;
  put<std::uint64_t>(payload, cancel.seq);
  store_.append(type_of(JournalRecord::kCancel), payload);
}

void Journal::append(const JournalNote& note) {
  store_.append(type_of(JournalRecord::kNote), encode(note));
}

void Journal::checkpoint(const Durable& durable) {
  const auto payload = encode_checkpoint(start_, durable);
  checkpoint_segment_ = store_.append(type_of(JournalRecord::kCheckpoint), payload).segment;
  const auto last = planted("checkpoint-without-last") ? 0 : durable.last;
  store_.append(type_of(JournalRecord::kStart), encode(start_, last));
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
  auto needed = checkpoint_segment_;
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
    const auto at = store_.append(type_of(JournalRecord::kMoved), piece.payload);
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
