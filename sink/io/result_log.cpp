#include "sink/io/result_log.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "sink/io/log_pages.hpp"

namespace eole::sink {

using storage::Position;

namespace {

constexpr std::uint64_t kCheckpointShare = 4;  // Due when so many times as much was written.
constexpr std::uint64_t kCheckpointAtStart = 1 << 20;  // So much of it at once: mostly all.
constexpr std::uint64_t kHeadRecordBytes = 64;         // At most: what begins a segment.

storage::StoreOptions with_kind(storage::StoreOptions options) {
  options.kind = storage::StoreKind::kLog;
  return options;
}

// The record that ends a checkpoint begins with the segment in which it begun.
std::optional<std::uint32_t> shown_from(Position at, std::uint32_t type, std::string_view payload) {
  if (type == static_cast<std::uint32_t>(LogRecord::kCheckpoint) &&
      planted("unfinished-checkpoint-believed"))
    return at.segment;
  if (type != static_cast<std::uint32_t>(LogRecord::kCheckpointEnd)) return std::nullopt;
  ByteReader reader(payload);
  const auto segment = reader.get<std::uint32_t>();
  return planted("replay-begins-too-late") ? at.segment + 1 : segment;
}

}  // namespace

ResultLog::ResultLog(storage::Directory& directory, storage::StoreOptions options,
                     std::int64_t unix_ms)
    : directory_(directory),
      segment_bytes_(options.segment_bytes),
      unix_ms_(unix_ms),
      core_(std::in_place, 0),
      store_(
          directory, with_kind(options),
          [this](Position at, std::uint32_t type, std::string_view payload) {
            load(at, type, payload);
          },
          shown_from) {
  core_->set_log(store_.id());
  logged_ = core_->head();
  if (store_.first_segment() > 1 && checkpoint_segment_ == 0)
    throw storage::StorageFailure(
        text("log: damaged: the segments below ", store_.first_segment(),
             " are gone, and no checkpoint says what they held, at offset ", logged_));
  load_older_pages();
  for (const auto& [segment, head] : heads_) unix_ms_ = std::max(unix_ms_, head.begun_unix_ms);
  // What was copied into the new segment may be as old as the one before it.
  append_head(heads_.empty() ? (logged_ == 0 ? unix_ms : 0)
                             : heads_.rbegin()->second.since_unix_ms);
  checkpoint_.reset();  // The last life's, if it did not come to its end.
  begin_checkpoint();   // Each start begins a segment.
  checkpoint(kCheckpointAtStart);
  store_.commit();
  news_.letters.add(core_->letters());
  news_.pages_kept_below = std::min(first_loaded_, store_.current_segment());
}

LogNews ResultLog::take_news() {
  news_.log = store_.id();
  news_.head = logged_;
  news_.end = store_.end();
  return std::exchange(news_, {});
}

// ---- Writing.

void ResultLog::write(const Actions& actions, std::int64_t unix_ms) {
  unix_ms_ = std::max(unix_ms_, unix_ms);
  const auto before = written_;
  for (const auto& action : actions) {
    if (const auto* batch = std::get_if<AppendBatch>(&action)) append(*batch);
    if (const auto* introduction = std::get_if<AppendIntroduction>(&action)) append(*introduction);
    if (const auto* run = std::get_if<AppendRun>(&action)) append(*run);
    if (const auto* letters = std::get_if<AppendDiscard>(&action)) append(*letters);
    if (const auto* groups = std::get_if<AppendGroups>(&action)) append(*groups);
    if (const auto* share = std::get_if<AppendShare>(&action)) append(*share);
    if (const auto* commit = std::get_if<AppendCommit>(&action)) append(*commit);
  }
  const bool has_room =
      store_.has_spare() || store_.room() > checkpoint_bytes_ + segment_bytes_ / 4;
  const bool is_due = store_.current_segment() != checkpoint_segment_ && has_room &&
                      written_ >= kCheckpointShare * checkpoint_bytes_;
  if (!checkpoint_ && is_due) begin_checkpoint();
  // Behind the rest: it says what these actions have changed already.
  checkpoint(written_ - before);
  if (!planted("publish-before-sync")) store_.commit();
}

Position ResultLog::append(std::uint32_t type, std::string_view payload, std::string_view rest) {
  const auto bytes = payload.size() + rest.size();
  if (store_.rolls(bytes)) {
    store_.begin_segment(bytes + kHeadRecordBytes);
    append_head(unix_ms_);
  }
  written_ += bytes;
  return store_.append(type, payload, rest);
}

Position ResultLog::append(LogRecord type, std::string_view payload, std::string_view rest) {
  return append(static_cast<std::uint32_t>(type), payload, rest);
}

void ResultLog::append_head(std::int64_t since_unix_ms) {
  const SegmentHead head{logged_, unix_ms_, since_unix_ms};
  const auto at = store_.append(static_cast<std::uint32_t>(LogRecord::kSegment), head.encode());
  begin_segment(at.segment, head);
  core_->set_time(unix_ms_);
}

void ResultLog::append(const AppendBatch& batch) {
  const auto at = append(LogRecord::kBatch, batch.batch);
  add(at, batch.summary);
  for (const auto& stretch : batch.summary.stretches)
    if (stretch.is_dead) news_.letters.add(stretch.origin, stretch.first, stretch.last);
  logged_ = batch.summary.first_offset + batch.summary.count;
}

void ResultLog::append(const AppendIntroduction& introduction) {
  Bytes payload;
  put<std::uint32_t>(payload, introduction.origin);
  put<std::uint32_t>(payload, introduction.start);
  put<std::uint64_t>(payload, introduction.nonce);
  put<std::uint64_t>(payload, introduction.highest);
  payload += introduction.settled.encode();
  append(LogRecord::kIntroduction, payload);
}

void ResultLog::append(const AppendDiscard& letters) {
  Bytes payload;
  put<std::uint32_t>(payload, letters.origin);
  payload += letters.seqs.encode();
  append(LogRecord::kDiscard, payload);
  core_->load_discard(letters);
  news_.discarded.add(letters.origin, letters.seqs);
}

void ResultLog::append(const AppendRun& run) {
  Bytes payload;
  put<RunId>(payload, run.run);
  append(LogRecord::kRun, payload, run.user);
}

// As a checkpoint says them.
void ResultLog::append(const AppendGroups& groups) {
  append(static_cast<std::uint32_t>(Part::kGroups), groups.payload);
}

void ResultLog::append(const AppendShare& share) { append(LogRecord::kShare, share.payload); }

void ResultLog::append(const AppendCommit& commit) { append(LogRecord::kCommit, commit.payload); }

// ---- Checkpoints.

void ResultLog::begin_checkpoint() { checkpoint_ = Checkpoint{0, written_, 0, {}}; }

void ResultLog::checkpoint(std::uint64_t bytes) {
  const auto begun = written_;
  while (checkpoint_) {
    Bytes payload;
    if (checkpoint_->bytes == 0) {
      put<std::uint64_t>(payload, logged_);
      checkpoint_->segment = append(LogRecord::kCheckpoint, payload).segment;
      checkpoint_->bytes += payload.size();
    }
    if (const auto record = core_->save(checkpoint_->place)) {
      append(static_cast<std::uint32_t>(record->part), record->payload);
      checkpoint_->bytes += record->payload.size();
      if (written_ - begun >= bytes) return;
      continue;
    }
    payload.clear();
    put<std::uint32_t>(payload, checkpoint_->segment);
    put<std::uint64_t>(payload, logged_);
    put<std::uint64_t>(payload, kept_from());
    append(LogRecord::kCheckpointEnd, payload);
    end_checkpoint(checkpoint_->segment);
  }
}

void ResultLog::end_checkpoint(std::uint32_t segment) {
  checkpoint_segment_ = segment;
  checkpoint_bytes_ = checkpoint_->bytes;
  written_ -= checkpoint_->begun;
  checkpoint_.reset();
}

// ---- What is kept, and what is known of it.

void ResultLog::begin_segment(std::uint32_t segment, const SegmentHead& head) {
  heads_[segment] = head;
  news_.index.begin(segment, head);
}

void ResultLog::add(Position at, const Summary& summary) {
  if (firsts_.empty() || firsts_.rbegin()->first < at.segment)
    firsts_.emplace(at.segment, summary.first_offset);
  news_.index.add(at, summary);
}

std::uint64_t ResultLog::kept_from() const {
  return firsts_.empty() ? logged_ : firsts_.begin()->second;
}

std::int64_t ResultLog::oldest_unix_ms() const {
  const auto head = heads_.find(store_.first_segment());
  return head == heads_.end() ? 0 : head->second.since_unix_ms;
}

// What the current segment still has is for all that settles, also without a spare one; a quarter
// of it is left for what must be written whatever comes.
bool ResultLog::is_full() const {
  return !has_room_ && store_.room() < segment_bytes_ / 4 && !planted("full-log-not-seen");
}

std::uint64_t ResultLog::oldest_segment_end() const {
  const auto next = firsts_.upper_bound(store_.first_segment());
  return next == firsts_.end() ? logged_ : next->second;
}

std::optional<std::uint32_t> ResultLog::segment_to_drop(const Retention& retention,
                                                        std::uint64_t needed_from,
                                                        std::int64_t unix_ms,
                                                        std::uint64_t held_from) {
  has_room_ = store_.keep_spare();
  const auto segment = store_.first_segment();
  // Below the last whole checkpoint nothing is needed to know what is known.
  if (segment >= checkpoint_segment_) return std::nullopt;
  const auto next_head = heads_.upper_bound(segment);
  OldSegment oldest;
  oldest.end = oldest_segment_end();
  oldest.ended_unix_ms = next_head == heads_.end() ? unix_ms : next_head->second.begun_unix_ms;
  oldest.needed_from = needed_from;
  oldest.held_from = held_from;
  oldest.log_bytes = disk_bytes();
  oldest.unix_ms = unix_ms;
  oldest.is_disk_full = !has_room_;
  return is_to_drop(oldest, retention) ? std::optional(segment) : std::nullopt;
}

// A letter is listed as long as its record is kept.
void ResultLog::drop(std::uint32_t segment, const std::map<Origin, SeqRanges>& letters) {
  if (segment != store_.first_segment() || segment >= checkpoint_segment_) return;
  for (const auto& [origin, seqs] : letters) append(AppendDiscard{origin, seqs});
  store_.commit();
  store_.drop_segments_below(segment + 1);
  heads_.erase(heads_.begin(), heads_.upper_bound(segment));
  firsts_.erase(firsts_.begin(), firsts_.upper_bound(segment));
  drop_pages(directory_, segment);
  if (!has_room_) has_room_ = store_.keep_spare();
}

}  // namespace eole::sink
