#include "sink/io/history.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "common/base/crc32c.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/protocol/wanted.hpp"
#include "sink/core/batch.hpp"
#include "sink/io/log_pages.hpp"
#include "sink/io/log_record.hpp"

// What is read from the log: a page of the index says where to look, the batches there say the
// rest.
namespace eole::sink {

namespace {

constexpr std::size_t kReadBytesMax = 4 << 20;

/// Calls `on_record(result, offset)` for the records of a batch as long as that returns true.
template <class OnEach>
void each_record(const protocol::ResultBatch& batch, OnEach&& on_record) {
  protocol::ResultReader reader(batch.records);
  for (std::uint32_t i = 0; i < batch.count; ++i) {
    const auto result = reader.next();
    if (!result || !on_record(*result, batch.first_offset + i)) return;
  }
}

}  // namespace

void History::take(LogNews&& news) {
  if (std::exchange(log_, news.log) != news.log) compacted_.open(log_);
  head_ = news.head;
  reader_.set_end(news.end);
  index_.append(std::move(news.index));
  letters_.add(news.letters);
  letters_.discard(news.discarded);
  auto& segment = pages_kept_below_;
  for (segment = std::max(segment, news.pages_kept_below); segment < news.end.segment; ++segment)
    keep_pages(directory_, index_, log_, segment);
}

std::map<Origin, SeqRanges> History::release(std::uint32_t segment) {
  std::map<Origin, SeqRanges> letters;
  try {
    for (const auto& page : index_.pages()) {
      if (page.at().segment > segment) break;
      if (!page.has_letters()) continue;
      visit_page(page, [&](std::string_view, const protocol::ResultBatch& batch) {
        ByteReader reader(batch.records);
        while (const auto run = protocol::read_result_run(reader))
          if (run->first.is_final && run->first.state == protocol::TaskState::kDead)
            letters[run->first.id.origin].add(run->first.id.seq, run->last());
        return true;
      });
    }
  } catch (const storage::StorageFailure&) {  // Damaged: nobody can read it as long as it is there.
  }
  compacted_.add(kept_from(), [&](const Compacted::OnBatch& on_batch) {
    for (const auto& page : index_.pages()) {
      if (page.at().segment > segment) break;
      visit_page(page, [&](std::string_view, const protocol::ResultBatch& batch) {
        on_batch(batch);
        return true;
      });
    }
  });
  for (auto& [origin, seqs] : letters) seqs = letters_.of(origin, seqs);
  std::erase_if(letters, [](const auto& one) { return one.second.count() == 0; });
  index_.drop_below(segment + 1);
  reader_.release_below(segment + 1);
  return letters;
}

std::uint64_t History::kept_from() const {
  return index_.pages().empty() ? head_ : index_.pages().front().first();
}

History::Left History::left_of(std::string_view project, std::uint64_t offset,
                               std::size_t bytes_max) {
  const auto kept = kept_from();
  Left left{std::min(kept, compacted_.from(project).value_or(kept)), kept};
  offset = std::max(offset, left.from);
  if (offset < kept)
    left.next = compacted_.read(project, offset, kept, bytes_max, left.batches);
  return left;
}

void History::visit_page(const Page& page, const OnBatch& on_batch) {
  const auto next = index_.page_of(page.first()) + 1;
  const auto end = next < index_.pages().size() ? index_.pages()[next].first() : head_;
  reader_.visit(page.at(), [&](storage::Position, std::uint32_t type, std::string_view payload) {
    if (static_cast<LogRecord>(type) != LogRecord::kBatch) return true;
    const auto batch = protocol::read_batch(payload);
    return batch->first_offset < end && on_batch(payload, *batch);
  });
}

void History::visit_batches(std::uint64_t offset, const OnBatch& on_batch) {
  const auto& pages = index_.pages();
  bool goes_on = offset < head_;
  for (auto at = goes_on ? index_.page_of(offset) : 0; goes_on && at < pages.size(); ++at)
    visit_page(pages[at], [&](std::string_view encoded, const protocol::ResultBatch& batch) {
      if (batch.first_offset + batch.count > offset) goes_on = on_batch(encoded, batch);
      return goes_on;
    });
}

Expected<protocol::Records> History::read(const protocol::Read& query) {
  if (query.log != 0 && query.log != log_)
    return Error{text("cursor of log ", hex(query.log), ", this is log ", hex(log_)),
                 ErrorCode::kConflict};
  if (query.offset > head_)
    return Error{text("cursor ", query.offset, " is beyond the log's head ", head_),
                 ErrorCode::kConflict};
  if (query.offset < kept_from())
    return Error{
        text("cursor ", query.offset, ": the oldest result that is kept is ", kept_from()),
        ErrorCode::kUnknown};
  protocol::Records records{query.request, log_, query.offset, head_, query.crc, {}};
  if (!query.within.empty() || !query.pattern.empty() || !query.payload.empty()) {
    if (auto read = read_wanted(query, records); !read) return read.error();
    return records;
  }
  const auto bytes_max = std::min<std::size_t>(query.bytes_max, kReadBytesMax);
  bool is_to_check = query.crc != 0 && query.offset > kept_from();  // The batch before the cursor.
  bool is_another = false;
  visit_batches(query.offset - (is_to_check ? 1 : 0), [&](std::string_view encoded,
                                                          const protocol::ResultBatch& batch) {
    const auto end = batch.first_offset + batch.count;
    if (std::exchange(is_to_check, false)) is_another = crc32c(encoded) != query.crc;
    if (is_another) return false;
    if (end <= query.offset) return true;
    if (!records.payload.empty() && records.payload.size() + encoded.size() > bytes_max)
      return false;
    put<std::uint32_t>(records.payload, static_cast<std::uint32_t>(encoded.size()));
    records.payload += encoded;
    records.next = end;
    records.crc = crc32c(encoded);
    return true;
  });
  if (is_another)
    return Error{text("cursor ", query.offset, ": other records lie before it (restored log?)"),
                 ErrorCode::kConflict};
  return records;
}

// A checksum would tell of what others have there.
Expected<void> History::read_wanted(const protocol::Read& query, protocol::Records& records) {
  std::optional<TopicPattern> pattern;
  if (!query.pattern.empty()) {
    auto parsed = TopicPattern::parse(query.pattern);
    if (!parsed) return parsed.error();
    pattern = std::move(*parsed);
  }
  std::optional<protocol::Partitions> partitions;
  if (!query.payload.empty()) {
    auto decoded = protocol::decode_partitions(query.payload);
    if (!decoded) return decoded.error();
    if (!decoded->is_all()) partitions = *decoded;
  }
  const protocol::Wanted wanted(Within(query.within), std::move(pattern), partitions);
  const auto bytes_max = std::min<std::size_t>(query.bytes_max, kReadBytesMax);
  std::size_t looked_at = 0;
  records.within = query.within;
  records.crc = 0;
  visit_batches(query.offset, [&](std::string_view encoded, const protocol::ResultBatch& batch) {
    if (records.next > query.offset && records.payload.size() + encoded.size() > bytes_max)
      return false;
    protocol::put_wanted(records.payload, batch, wanted);
    records.next = batch.first_offset + batch.count;
    looked_at += encoded.size();
    return looked_at < kReadBytesMax;
  });
  return {};
}

Lag History::lag(const std::vector<std::uint64_t>& cursors, std::uint64_t to, bool by_partition,
                 const Within& within, const IsLate& is_late) {
  const auto count = static_cast<std::uint32_t>(cursors.size());
  const auto highest = std::max(to, *std::max_element(cursors.begin(), cursors.end()));
  const auto lowest = std::min(to, *std::min_element(cursors.begin(), cursors.end()));
  // Behind them all every record counts, whatever its partition.
  const auto even = *std::max_element(cursors.begin(), cursors.end());
  const bool is_to_count_all = by_partition || !within.is_all() || to < head_;
  Lag lag;
  lag.partitions.resize(count);
  auto at = std::max(lowest, kept_from());
  const auto from = at;
  visit_batches(at, [&](std::string_view, const protocol::ResultBatch& batch) {
    each_record(batch, [&](const protocol::ResultRecord& result, std::uint64_t offset) {
      if (offset < at) return true;
      const bool is_enough = offset >= highest || (!is_to_count_all && offset >= even &&
                                                   lag.oldest_unix_ms != 0);
      if (is_enough || offset - from >= kLagRecordsMax) return false;
      at = offset + 1;
      if (!within.has(result.project)) return true;
      const auto partition = protocol::partition_of(result, count);
      auto& of = lag.partitions[partition];
      if (offset >= to) {
        of.ahead += offset < cursors[partition];
      } else if (offset >= cursors[partition]) {
        if (of.records++ == 0) of.oldest_unix_ms = result.finished_unix_ms;
        if (lag.oldest_unix_ms == 0) lag.oldest_unix_ms = result.finished_unix_ms;
      }
      return true;
    });
    return at == batch.first_offset + batch.count && !is_late();
  });
  lag.records = 0;
  for (const auto& of : lag.partitions) {
    lag.records += of.records;
    lag.ahead += of.ahead;
  }
  if (at >= highest) return lag;
  // The rest as if it were spread evenly; of all partitions together it is exact behind `even`.
  lag.is_exact = at >= even && within.is_all() && to >= at;
  double rest = 0;
  for (std::uint32_t i = 0; i < count; ++i) {
    const auto begin = std::max(at, cursors[i]);
    if (begin >= to) continue;
    const auto share = static_cast<double>(to - begin) / count;
    lag.partitions[i].records += static_cast<std::uint64_t>(share);
    lag.partitions[i].is_exact = false;
    rest += share;
  }
  lag.records += lag.is_exact ? to - at : static_cast<std::uint64_t>(std::llround(rest));
  return lag;
}

Expected<protocol::Settled> History::follow(const protocol::Follow& query) {
  protocol::Settled settled{query.request, log_,  query.offset,
                            query.offset,  head_, protocol::encode_settlement({})};
  if (query.log != log_) {  // The reader sees by the log's id that it must start anew.
    settled.from = settled.to = head_;
    return settled;
  }
  if (query.offset > head_)
    return Error{text("the log went back: cursor ", query.offset, ", head ", head_),
                 ErrorCode::kConflict};
  if (query.offset < kept_from()) {  // The reader sees it by `from`, and hears all anew.
    settled.from = settled.to = kept_from();
    return settled;
  }
  SettlementPage page;
  std::size_t bytes = 0;  // Of the log: others' results may be all of it.
  visit_batches(query.offset, [&](std::string_view encoded, const protocol::ResultBatch& batch) {
    settled.to = page.add(batch, query.origin, settled.to);
    bytes += encoded.size();
    const bool is_enough = bytes >= kReadBytesMax && !planted("follow-reads-all");
    return settled.to >= batch.first_offset + batch.count && !page.is_full() && !is_enough;
  });
  settled.payload = protocol::encode_settlement(page.settlement);
  return settled;
}

std::optional<History::Found> History::find(const TaskId& id, const KnownTask& known) {
  std::optional<Found> best;
  if (!known.has_record) return best;
  const auto& pages = index_.pages();
  bool has_final = false;
  for (auto page = pages.rbegin(); page != pages.rend() && !best; ++page) {
    if (!page->may_have(id) || (!known.is_settled && !page->has_failures())) continue;
    visit_page(*page, [&](std::string_view encoded, const protocol::ResultBatch& batch) {
      each_record(batch, [&](const protocol::ResultRecord& result, std::uint64_t offset) {
        if (result.id != id || result.is_copy) return true;
        best = Found{Bytes(encoded), offset};
        has_final = result.is_final;
        return !has_final;
      });
      return !has_final;
    });
  }
  return best;  // A record behind the last one would have been final.
}

std::optional<std::uint64_t> History::visit_dead(std::uint64_t from, const OnRecord& on_record,
                                                 const IsLate& is_late) {
  const auto& pages = index_.pages();
  bool goes_on = true;
  for (auto at = index_.page_of(from); at < pages.size() && goes_on; ++at) {
    if (!pages[at].has_letters()) continue;
    if (pages[at].first() > from && is_late()) return pages[at].first();
    visit_page(pages[at], [&](std::string_view, const protocol::ResultBatch& batch) {
      each_record(batch, [&](const protocol::ResultRecord& result, std::uint64_t offset) {
        const bool is_letter = result.is_final && result.state == protocol::TaskState::kDead &&
                               letters_.has(result.id);
        if (is_letter && offset >= from) goes_on = on_record(result, batch, offset);
        return goes_on;
      });
      return goes_on;
    });
  }
  return std::nullopt;
}

std::optional<std::uint64_t> History::visit_attempts(const TaskId& id, const KnownTask& known,
                                                     std::uint64_t before,
                                                     const OnRecord& on_record,
                                                     const IsLate& is_late) {
  if (before == 0 || !known.has_record) return std::nullopt;
  const auto& pages = index_.pages();
  bool has_final = before < head_;
  for (auto at = pages.empty() ? 0 : index_.page_of(before - 1) + 1; at-- > 0;) {
    const auto& page = pages[at];
    if (!page.may_have(id)) continue;
    if (!page.has_failures() && (!known.is_settled || has_final)) continue;
    struct Place {
      Bytes batch;
      std::uint64_t offset = 0;
    };
    std::vector<Place> places;
    visit_page(page, [&](std::string_view encoded, const protocol::ResultBatch& batch) {
      each_record(batch, [&](const protocol::ResultRecord& result, std::uint64_t offset) {
        if (result.id == id && offset < before) places.push_back({Bytes(encoded), offset});
        return true;
      });
      return batch.first_offset < before;
    });
    // Attempt 1 may be no end: that of a second copy can lie before it.
    for (auto place = places.rbegin(); place != places.rend(); ++place) {
      bool goes_on = true;
      const auto batch = protocol::read_batch(place->batch);
      each_record(*batch, [&](const protocol::ResultRecord& result, std::uint64_t offset) {
        if (offset < place->offset) return true;
        has_final = has_final || result.is_final;
        goes_on = on_record(result, *batch, offset);
        return false;
      });
      if (!goes_on) return place->offset == 0 ? std::nullopt : std::optional(place->offset);
    }
    if (at > 0 && is_late()) return page.first();
  }
  return std::nullopt;
}

std::optional<std::uint64_t> History::visit_project(std::string_view project, std::uint64_t from,
                                                    std::uint64_t last, const OnRecord& on_record,
                                                    const IsLate& is_late) {
  std::optional<std::uint64_t> next;
  visit_batches(from, [&](std::string_view, const protocol::ResultBatch& batch) {
    if (batch.first_offset > last) return false;
    each_record(batch, [&](const protocol::ResultRecord& result, std::uint64_t offset) {
      if (offset < from || !result.is_final || result.project != project) return true;
      if (!on_record(result, batch, offset)) next = offset + 1;
      return !next;
    });
    if (!next && is_late()) next = batch.first_offset + batch.count;
    return !next;
  });
  return next;
}

std::uint64_t History::offset_at(std::int64_t unix_ms) {
  const auto& pages = index_.pages();
  const auto page = std::find_if(pages.begin(), pages.end(), [&](const Page& each) {
    return each.finished_max_unix_ms() >= unix_ms;
  });
  if (page == pages.end()) return head_;
  auto found = page->first();
  visit_page(*page, [&](std::string_view, const protocol::ResultBatch& batch) {
    found = batch.first_offset;
    bool is_before = true;
    each_record(batch, [&](const protocol::ResultRecord& result, std::uint64_t) {
      is_before = result.finished_unix_ms < unix_ms;
      return is_before;
    });
    return is_before;
  });
  return found;
}

}  // namespace eole::sink
