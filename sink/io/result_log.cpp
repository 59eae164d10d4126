#include "sink/io/result_log.hpp"

#include <algorithm>

#include "common/base/crc32c.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::sink {

using storage::Position;

namespace {

constexpr std::size_t kReadBytesMax = 4 << 20;

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
      index(at, payload, core_->load_batch(*batch));
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
      if (!planted("discards-forgotten-at-restart")) discard(origin, seqs);
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
  index(at, batch.batch, batch.summary);
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
  discard(letters.origin, letters.seqs);
}

void ResultLog::append(const AppendRun& run) {
  Bytes payload;
  put<RunId>(payload, run.run);
  store_.append(static_cast<std::uint32_t>(LogRecord::kRun), payload, run.user);
}

void ResultLog::index(Position at, std::string_view encoded, const Summary& summary) {
  const auto before = index_.empty() ? INT64_MIN : index_.back().finished_max_unix_ms;
  if (index_.empty()) oldest_unix_ms_ = summary.finished_max_unix_ms;
  const auto has_failures =
      std::any_of(summary.settlements.begin(), summary.settlements.end(),
                  [](const auto& settlement) { return !settlement.second.failures.empty(); });
  index_.push_back({summary.first_offset, summary.count, crc32c(encoded), summary.origin,
                    summary.seq_min, summary.seq_max, at,
                    std::max(before, summary.finished_max_unix_ms), has_failures});
  for (const auto& [offset, id] : summary.dead) {
    dead_[offset] = id;
    dead_offsets_[id] = offset;
  }
}

SeqRanges ResultLog::letters_of(Origin origin, const SeqRanges& seqs) const {
  SeqRanges letters;
  for (const auto& [first, last] : seqs.ranges())
    for (auto letter = dead_offsets_.lower_bound({origin, first});
         letter != dead_offsets_.end() && letter->first <= TaskId{origin, last}; ++letter)
      letters.add(letter->first.seq, letter->first.seq);
  return letters;
}

void ResultLog::discard(Origin origin, const SeqRanges& seqs) {
  const auto letters = letters_of(origin, seqs);
  for (const auto& [first, last] : letters.ranges())
    for (auto seq = first; seq <= last; ++seq) {
      const auto letter = dead_offsets_.find({origin, seq});
      dead_.erase(letter->second);
      dead_offsets_.erase(letter);
    }
}

std::size_t ResultLog::entry_of(std::uint64_t offset) const {
  const auto after = std::upper_bound(
      index_.begin(), index_.end(), offset,
      [](std::uint64_t wanted, const Entry& entry) { return wanted < entry.first; });
  return after == index_.begin() ? 0 : static_cast<std::size_t>(after - index_.begin()) - 1;
}

Expected<protocol::Records> ResultLog::read(const protocol::Read& query) const {
  const auto head = core_->head();
  if (query.log != 0 && query.log != store_.id())
    return Error{text("cursor of log ", hex(query.log), ", this is log ", hex(store_.id()))};
  if (query.offset > head)
    return Error{text("cursor ", query.offset, " is beyond the log's head ", head)};
  if (query.crc != 0 && query.offset > 0 && index_[entry_of(query.offset - 1)].crc != query.crc)
    return Error{text("cursor ", query.offset, ": other records lie before it (restored log?)")};
  protocol::Records records{query.request, store_.id(), query.offset, head, query.crc, {}};
  if (query.offset == head) return records;
  const auto bytes_max = std::min<std::size_t>(query.bytes_max, kReadBytesMax);
  for (auto at = entry_of(query.offset); at < index_.size(); ++at) {
    const auto& entry = index_[at];
    const auto batch = store_.read(entry.at);
    if (!records.payload.empty() && records.payload.size() + batch.size() > bytes_max) break;
    put<std::uint32_t>(records.payload, static_cast<std::uint32_t>(batch.size()));
    records.payload += batch;
    records.next = entry.first + entry.count;
    records.crc = entry.crc;
  }
  return records;
}

Expected<protocol::Settled> ResultLog::follow(const protocol::Follow& query) const {
  const auto head = core_->head();
  protocol::Settled settled{query.request, store_.id(), query.offset, query.offset, head, {}};
  if (query.log != store_.id()) {  // The reader sees by the log's id that it must start anew.
    settled.from = settled.to = head;
    return settled;
  }
  if (query.offset > head)
    return Error{text("the log went back: cursor ", query.offset, ", head ", head)};
  SettlementPage page;
  for (auto at = entry_of(query.offset); at < index_.size() && !page.is_full(); ++at) {
    const auto& entry = index_[at];
    const auto encoded = store_.read(entry.at);
    settled.to = page.add(*protocol::read_batch(encoded), query.origin, settled.to);
    if (settled.to < entry.first + entry.count) break;
  }
  settled.payload = protocol::encode_settlement(page.settlement);
  return settled;
}

std::optional<ResultLog::Found> ResultLog::find(const TaskId& id) const {
  std::optional<Found> best;
  const bool is_settled = core_->origins().is_settled(id);
  for (auto entry = index_.rbegin(); entry != index_.rend(); ++entry) {
    if (!is_settled && !entry->has_failures) continue;
    if (entry->origin != 0 && entry->origin != id.origin) continue;
    if (id.seq < entry->seq_min || id.seq > entry->seq_max) continue;
    auto encoded = store_.read(entry->at);
    const auto batch = protocol::read_batch(encoded);
    protocol::ResultReader reader(batch->records);
    for (std::uint32_t i = 0; i < batch->count; ++i) {
      const auto result = reader.next();
      if (!result || result->id != id) continue;
      if (result->is_final) return Found{std::move(encoded), entry->first + i};
      best = Found{encoded, entry->first + i};
    }
    if (best) return best;  // A later record would have been final.
  }
  return best;
}

void ResultLog::visit_dead(std::uint64_t from, const OnRecord& on_record) const {
  for (auto letter = dead_.lower_bound(from); letter != dead_.end();) {
    const auto& entry = index_[entry_of(letter->first)];
    const auto encoded = store_.read(entry.at);  // Once for all letters in it.
    const auto batch = protocol::read_batch(encoded);
    protocol::ResultReader reader(batch->records);
    const auto end = entry.first + entry.count;
    for (auto offset = entry.first; letter != dead_.end() && letter->first < end; ++offset) {
      const auto result = reader.next();
      if (offset != letter->first) continue;
      ++letter;
      if (!on_record(*result, batch->worker, offset)) return;
    }
  }
}

ResultLog::Visited ResultLog::visit_attempts(const TaskId& id, std::uint64_t before,
                                             const OnRecord& on_record,
                                             const std::function<bool()>& is_late) const {
  const bool is_settled = core_->origins().is_settled(id);
  auto at = before == 0 || index_.empty() ? 0 : entry_of(before - 1) + 1;
  bool has_final = before < core_->head();
  while (at-- > 0) {
    const auto& entry = index_[at];
    const bool may_have = (entry.origin == 0 || entry.origin == id.origin) &&
                          id.seq >= entry.seq_min && id.seq <= entry.seq_max &&
                          (entry.has_failures || (is_settled && !has_final));
    if (!may_have) continue;
    const auto encoded = store_.read(entry.at);
    const auto batch = protocol::read_batch(encoded);
    protocol::ResultReader reader(batch->records);
    struct Place {
      protocol::ResultRecord result;
      std::uint64_t offset = 0;
    };
    std::vector<Place> places;
    for (auto offset = entry.first; offset < std::min(entry.first + entry.count, before); ++offset)
      if (const auto result = reader.next(); result && result->id == id)
        places.push_back({*result, offset});
    for (auto place = places.rbegin(); place != places.rend(); ++place) {
      has_final = has_final || place->result.is_final;
      if (!on_record(place->result, batch->worker, place->offset)) return {place->offset};
      if (place->result.attempt <= 1) return {};  // None came before the first.
    }
    if (at > 0 && is_late()) return {entry.first};
  }
  return {};
}

std::uint64_t ResultLog::offset_at(std::int64_t unix_ms) const {
  const auto entry = std::lower_bound(
      index_.begin(), index_.end(), unix_ms,
      [](const Entry& one, std::int64_t wanted) { return one.finished_max_unix_ms < wanted; });
  return entry == index_.end() ? core_->head() : entry->first;
}

std::int64_t ResultLog::oldest_unix_ms() const { return oldest_unix_ms_; }

bool ResultLog::is_full() const {
  if (planted("full-log-not-seen")) return false;
  return directory_.free_bytes() < std::max<std::uint64_t>(32ULL << 20, segment_bytes_);
}

}  // namespace eole::sink
