#include "sink/io/result_log.hpp"

#include <algorithm>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::sink {

using storage::Position;

namespace {

storage::StoreOptions with_kind(storage::StoreOptions options) {
  options.kind = storage::StoreKind::kLog;
  return options;
}

}  // namespace

ResultLog::ResultLog(storage::Directory& directory, storage::StoreOptions options)
    : directory_(directory),
      segment_bytes_(options.segment_bytes),
      core_(std::in_place, 0),
      store_(directory, with_kind(options),
             [this](Position at, std::uint32_t type, std::string_view payload) {
               load(at, type, payload);
             }) {
  core_->set_log(store_.id());
}

void ResultLog::load(Position at, std::uint32_t type, std::string_view payload) {
  if (static_cast<LogRecord>(type) == LogRecord::kBatch) {
    const auto batch = protocol::read_batch(payload);
    if (batch && batch->first_offset == core_->head()) {
      const auto summary = core_->load_batch(*batch);
      index_.add(at, summary);
      if (oldest_unix_ms_ == 0) oldest_unix_ms_ = summary.finished_max_unix_ms;
      return;
    }
  } else if (static_cast<LogRecord>(type) == LogRecord::kIntroduction) {
    ByteReader reader(payload);
    AppendIntroduction introduction;
    introduction.origin = reader.get<std::uint32_t>();
    introduction.start = reader.get<std::uint32_t>();
    introduction.nonce = reader.get<std::uint64_t>();
    introduction.highest = reader.get<std::uint64_t>();
    if (reader.ok() && introduction.settled.decode(reader.rest()))
      return core_->load_introduction(introduction);
  } else if (static_cast<LogRecord>(type) == LogRecord::kDiscard) {
    ByteReader reader(payload);
    const auto origin = reader.get<std::uint32_t>();
    SeqRanges seqs;
    if (reader.ok() && seqs.decode(reader.rest())) {
      if (!planted("discards-forgotten-at-restart")) core_->load_discard({origin, std::move(seqs)});
      return;
    }
  }
  if (static_cast<LogRecord>(type) == LogRecord::kRun && payload.size() >= sizeof(RunId)) {
    ByteReader reader(payload);
    const auto run = reader.get<RunId>();
    return core_->load_run({run, std::string(reader.rest())});
  }
  throw storage::Damage(text("log: a record of type ", type, " in segment ", at.segment,
                             " at offset ", at.offset,
                             " is whole but makes no sense: written by another version?"));
}

void ResultLog::write(const Actions& actions) {
  for (const auto& action : actions) {
    if (const auto* batch = std::get_if<AppendBatch>(&action)) append(*batch);
    if (const auto* introduction = std::get_if<AppendIntroduction>(&action)) append(*introduction);
    if (const auto* run = std::get_if<AppendRun>(&action)) append(*run);
    if (const auto* letters = std::get_if<AppendDiscard>(&action)) append(*letters);
  }
  if (!planted("publish-before-sync")) store_.commit();
}

void ResultLog::append(const AppendBatch& batch) {
  const auto at = store_.append(static_cast<std::uint32_t>(LogRecord::kBatch), batch.batch);
  index_.add(at, batch.summary);
  if (oldest_unix_ms_ == 0) oldest_unix_ms_ = batch.summary.finished_max_unix_ms;
}

void ResultLog::append(const AppendIntroduction& introduction) {
  Bytes payload;
  put<std::uint32_t>(payload, introduction.origin);
  put<std::uint32_t>(payload, introduction.start);
  put<std::uint64_t>(payload, introduction.nonce);
  put<std::uint64_t>(payload, introduction.highest);
  payload += introduction.settled.encode();
  store_.append(static_cast<std::uint32_t>(LogRecord::kIntroduction), payload);
}

void ResultLog::append(const AppendDiscard& letters) {
  Bytes payload;
  put<std::uint32_t>(payload, letters.origin);
  payload += letters.seqs.encode();
  store_.append(static_cast<std::uint32_t>(LogRecord::kDiscard), payload);
  core_->load_discard(letters);
}

void ResultLog::append(const AppendRun& run) {
  Bytes payload;
  put<RunId>(payload, run.run);
  store_.append(static_cast<std::uint32_t>(LogRecord::kRun), payload, run.user);
}

std::int64_t ResultLog::oldest_unix_ms() const { return oldest_unix_ms_; }

bool ResultLog::is_full() const {
  if (planted("full-log-not-seen")) return false;
  return directory_.free_bytes() < std::max<std::uint64_t>(32ULL << 20, segment_bytes_);
}

}  // namespace eole::sink
