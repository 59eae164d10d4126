#include <algorithm>
#include <vector>

#include "common/base/crc32c.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "sink/core/batch.hpp"
#include "sink/io/result_log.hpp"

// What is read from the log: a page of the index says where to look, the batches there say the rest.
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

void ResultLog::visit_page(const Page& page, const OnBatch& on_batch) const {
  const auto next = index_.page_of(page.first()) + 1;
  const auto end = next < index_.pages().size() ? index_.pages()[next].first() : core_->head();
  store_.visit(page.at(), [&](storage::Position, std::uint32_t type, std::string_view payload) {
    if (static_cast<LogRecord>(type) != LogRecord::kBatch) return true;
    const auto batch = protocol::read_batch(payload);
    return batch->first_offset < end && on_batch(payload, *batch);
  });
}

void ResultLog::visit_batches(std::uint64_t offset, const OnBatch& on_batch) const {
  const auto& pages = index_.pages();
  bool goes_on = offset < core_->head();
  for (auto at = goes_on ? index_.page_of(offset) : 0; goes_on && at < pages.size(); ++at)
    visit_page(pages[at], [&](std::string_view encoded, const protocol::ResultBatch& batch) {
      if (batch.first_offset + batch.count > offset) goes_on = on_batch(encoded, batch);
      return goes_on;
    });
}

Expected<protocol::Records> ResultLog::read(const protocol::Read& query) const {
  const auto head = core_->head();
  if (query.log != 0 && query.log != store_.id())
    return Error{text("cursor of log ", hex(query.log), ", this is log ", hex(store_.id()))};
  if (query.offset > head)
    return Error{text("cursor ", query.offset, " is beyond the log's head ", head)};
  if (query.offset < kept_from())
    return Error{
        text("cursor ", query.offset, ": the oldest result that is kept is ", kept_from())};
  protocol::Records records{query.request, store_.id(), query.offset, head, query.crc, {}};
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
    return Error{text("cursor ", query.offset, ": other records lie before it (restored log?)")};
  return records;
}

Expected<protocol::Settled> ResultLog::follow(const protocol::Follow& query) const {
  const auto head = core_->head();
  protocol::Settled settled{query.request, store_.id(), query.offset, query.offset, head,
                            protocol::encode_settlement({})};
  if (query.log != store_.id()) {  // The reader sees by the log's id that it must start anew.
    settled.from = settled.to = head;
    return settled;
  }
  if (query.offset > head)
    return Error{text("the log went back: cursor ", query.offset, ", head ", head)};
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

std::optional<ResultLog::Found> ResultLog::find(const TaskId& id) const {
  std::optional<Found> best;
  if (!core_->has_record_of(id)) return best;
  const bool is_settled = core_->origins().is_settled(id);
  const auto& pages = index_.pages();
  bool has_final = false;
  for (auto page = pages.rbegin(); page != pages.rend() && !best; ++page) {
    if (!page->may_have(id) || (!is_settled && !page->has_failures())) continue;
    visit_page(*page, [&](std::string_view encoded, const protocol::ResultBatch& batch) {
      each_record(batch, [&](const protocol::ResultRecord& result, std::uint64_t offset) {
        if (result.id != id) return true;
        best = Found{Bytes(encoded), offset};
        has_final = result.is_final;
        return !has_final;
      });
      return !has_final;
    });
  }
  return best;  // A record behind the last one would have been final.
}

std::optional<std::uint64_t> ResultLog::visit_dead(std::uint64_t from, const OnRecord& on_record,
                                                   const IsLate& is_late) const {
  const auto& pages = index_.pages();
  bool goes_on = true;
  for (auto at = index_.page_of(from); at < pages.size() && goes_on; ++at) {
    if (!pages[at].has_letters()) continue;
    if (pages[at].first() > from && is_late()) return pages[at].first();
    visit_page(pages[at], [&](std::string_view, const protocol::ResultBatch& batch) {
      each_record(batch, [&](const protocol::ResultRecord& result, std::uint64_t offset) {
        const bool is_letter = result.is_final && result.state == protocol::TaskState::kDead &&
                               core_->letters().has(result.id);
        if (is_letter && offset >= from) goes_on = on_record(result, batch.worker, offset);
        return goes_on;
      });
      return goes_on;
    });
  }
  return std::nullopt;
}

std::optional<std::uint64_t> ResultLog::visit_attempts(const TaskId& id, std::uint64_t before,
                                                       const OnRecord& on_record,
                                                       const IsLate& is_late) const {
  if (before == 0 || !core_->has_record_of(id)) return std::nullopt;
  const bool is_settled = core_->origins().is_settled(id);
  const auto& pages = index_.pages();
  bool has_final = before < core_->head();
  for (auto at = pages.empty() ? 0 : index_.page_of(before - 1) + 1; at-- > 0;) {
    const auto& page = pages[at];
    if (!page.may_have(id)) continue;
    if (!page.has_failures() && (!is_settled || has_final)) continue;
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
    for (auto place = places.rbegin(); place != places.rend(); ++place) {
      bool goes_on = true;
      const auto batch = protocol::read_batch(place->batch);
      each_record(*batch, [&](const protocol::ResultRecord& result, std::uint64_t offset) {
        if (offset < place->offset) return true;
        has_final = has_final || result.is_final;
        if (!on_record(result, batch->worker, offset)) {
          before = offset;
          goes_on = false;
        } else if (result.attempt <= 1) {  // None came before the first.
          before = 0;
          goes_on = false;
        }
        return false;
      });
      if (!goes_on) return before == 0 ? std::nullopt : std::optional(before);
    }
    if (at > 0 && is_late()) return page.first();
  }
  return std::nullopt;
}

std::optional<std::uint64_t> ResultLog::visit_project(std::string_view project, std::uint64_t from,
                                                      std::uint64_t last, const OnRecord& on_record,
                                                      const IsLate& is_late) const {
  std::optional<std::uint64_t> next;
  visit_batches(from, [&](std::string_view, const protocol::ResultBatch& batch) {
    if (batch.first_offset > last) return false;
    each_record(batch, [&](const protocol::ResultRecord& result, std::uint64_t offset) {
      if (offset < from || !result.is_final || result.project != project) return true;
      if (!on_record(result, batch.worker, offset)) next = offset + 1;
      return !next;
    });
    if (!next && is_late()) next = batch.first_offset + batch.count;
    return !next;
  });
  return next;
}

std::uint64_t ResultLog::offset_at(std::int64_t unix_ms) const {
  const auto& pages = index_.pages();
  const auto page = std::find_if(pages.begin(), pages.end(), [&](const Page& each) {
    return each.finished_max_unix_ms() >= unix_ms;
  });
  if (page == pages.end()) return core_->head();
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
