#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/storage/segment.hpp"
#include "common/storage/store_reader.hpp"
#include "sink/io/log_pages.hpp"
#include "sink/io/result_log.hpp"

// What a start reads: the last whole checkpoint with what lies behind it, and the pages of the
// segments before.
namespace eole::sink {

using storage::Position;
using storage::StorageFailure;

namespace {

Summary summary_of(const protocol::ResultBatch& batch) {
  Summary summary;
  summary.first_offset = batch.first_offset;
  ByteReader reader(batch.records);
  while (const auto run = protocol::read_result_run(reader)) summary.add(*run);
  return summary;
}

}  // namespace

void ResultLog::load(Position at, std::uint32_t type, std::string_view payload) {
  first_loaded_ = std::min(first_loaded_, at.segment);
  written_ += payload.size();
  if (checkpoint_) checkpoint_->bytes += payload.size();
  bool is_good = false;
  switch (static_cast<LogRecord>(type)) {
    case LogRecord::kBatch:
      is_good = load_batch(at, payload);
      break;
    case LogRecord::kIntroduction:
      is_good = load_introduction(payload);
      break;
    case LogRecord::kDiscard:
      is_good = load_discard(payload);
      break;
    case LogRecord::kRun: {
      ByteReader reader(payload);
      const auto run = reader.get<RunId>();
      is_good = reader.ok();
      if (is_good) core_->load_run({run, std::string(reader.rest())});
      break;
    }
    case LogRecord::kCommit:
      is_good = core_->groups().load_commit(payload);
      break;
    case LogRecord::kShare:
      is_good = core_->groups().load_share(payload);
      break;
    case LogRecord::kSegment:
      is_good = load_head(at, payload);
      break;
    case LogRecord::kCheckpoint:
      is_good = load_checkpoint(at, payload);
      break;
    case LogRecord::kCheckpointEnd:
      is_good = load_checkpoint_end(payload);
      break;
    default:
      is_good = core_->load_part(static_cast<Part>(type), payload);
  }
  if (!is_good)
    throw StorageFailure(text("log: a record of type ", type, " in segment ", at.segment,
                              " at offset ", at.offset,
                              " is whole but makes no sense: written by another version?"));
}

// The first record that names an offset says where the log begins that is read.
bool ResultLog::is_next(std::uint64_t offset) {
  if (!std::exchange(is_head_known_, true)) core_->load_head(offset);
  return core_->head() == offset;
}

bool ResultLog::load_batch(Position at, std::string_view payload) {
  const auto batch = protocol::read_batch(payload);
  if (!batch || !is_next(batch->first_offset)) return false;
  add(at, core_->load_batch(*batch));
  return true;
}

bool ResultLog::load_introduction(std::string_view payload) {
  ByteReader reader(payload);
  AppendIntroduction introduction;
  introduction.origin = reader.get<std::uint32_t>();
  introduction.start = reader.get<std::uint32_t>();
  introduction.nonce = reader.get<std::uint64_t>();
  introduction.highest = reader.get<std::uint64_t>();
  if (!reader.ok() || !introduction.settled.decode(reader.rest())) return false;
  core_->load_introduction(introduction);
  return true;
}

bool ResultLog::load_discard(std::string_view payload) {
  ByteReader reader(payload);
  AppendDiscard letters{reader.get<std::uint32_t>(), {}};
  if (!reader.ok() || !letters.seqs.decode(reader.rest())) return false;
  if (!planted("discards-forgotten-at-restart")) core_->load_discard(letters);
  return true;
}

bool ResultLog::load_head(Position at, std::string_view payload) {
  const auto head = SegmentHead::decode(payload);
  if (!head || !is_next(head->offset)) return false;
  begin_segment(at.segment, *head);
  core_->set_time(head->begun_unix_ms);
  return true;
}

bool ResultLog::load_checkpoint(Position at, std::string_view payload) {
  ByteReader reader(payload);
  const auto head = reader.get<std::uint64_t>();
  begin_checkpoint();
  checkpoint_->segment = at.segment;
  return reader.ok() && is_next(head);
}

bool ResultLog::load_checkpoint_end(std::string_view payload) {
  ByteReader reader(payload);
  const auto segment = reader.get<std::uint32_t>();
  const auto head = reader.get<std::uint64_t>();
  reader.get<std::uint64_t>();  // Where the log began: for a salvage.
  if (!reader.ok() || !is_next(head)) return false;
  if (checkpoint_) end_checkpoint(segment);
  return true;
}

// From the files beside the segments; where one is missing or damaged, from the segment itself.
void ResultLog::load_older_pages() {
  drop_pages_below(directory_, store_.first_segment());
  storage::StoreReader reader(directory_);
  reader.set_end(store_.end());
  LogIndex older;
  for (auto segment = store_.first_segment(); segment < first_loaded_; ++segment) {
    if (segment >= store_.current_segment()) break;
    if (load_pages(directory_, older, store_.id(), segment)) continue;
    reader.visit({segment, storage::kSegmentHeaderBytes},
                 [&](Position at, std::uint32_t type, std::string_view payload) {
                   if (static_cast<LogRecord>(type) == LogRecord::kBatch)
                     older.add(at, summary_of(*protocol::read_batch(payload)));
                   if (static_cast<LogRecord>(type) == LogRecord::kSegment)
                     if (const auto head = SegmentHead::decode(payload))
                       older.begin(segment, *head);
                   return true;
                 });
    keep_pages(directory_, older, store_.id(), segment);
  }
  for (const auto& [segment, head] : older.heads()) heads_.emplace(segment, head);
  for (const auto& page : older.pages()) firsts_.try_emplace(page.at().segment, page.first());
  news_.index.prepend(std::move(older));
}

}  // namespace eole::sink
