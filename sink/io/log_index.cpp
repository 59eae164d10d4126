#include "sink/io/log_index.hpp"

#include <algorithm>

#include "common/base/crc32c.hpp"
#include "common/base/planted.hpp"

namespace eole::sink {

bool Page::may_have(const TaskId& id) const {
  if (has_others_) return true;
  return std::any_of(ranges_.begin(), ranges_.end(), [&](const Range& range) {
    return range.origin == id.origin && range.first <= id.seq && id.seq <= range.last;
  });
}

void Page::add(const Summary& summary) {
  finished_max_unix_ms_ = std::max(finished_max_unix_ms_, summary.finished_max_unix_ms);
  for (const auto& stretch : summary.stretches) add(stretch);
}

void Page::add(const Page& next) {
  finished_max_unix_ms_ = std::max(finished_max_unix_ms_, next.finished_max_unix_ms_);
  has_failures_ = has_failures_ || next.has_failures_;
  has_letters_ = has_letters_ || next.has_letters_;
  for (const auto& range : next.ranges_) add(range);
  if (!next.has_others_) return;
  has_others_ = true;
  ranges_ = {};
}

void Page::add(const Stretch& stretch) {
  has_failures_ = has_failures_ || !stretch.is_final;
  has_letters_ = has_letters_ || stretch.is_dead;
  add(Range{stretch.origin, stretch.first, stretch.last});
}

void Page::add(Range added) {
  if (has_others_) return;
  const auto lies_before = [&](const Range& range) {
    return range.origin < added.origin ||
           (range.origin == added.origin && range.last + 1 < added.first);
  };
  auto at = std::partition_point(ranges_.begin(), ranges_.end(), lies_before);
  auto end = at;
  for (; end != ranges_.end() && end->origin == added.origin && end->first <= added.last + 1;
       ++end) {
    added.first = std::min(added.first, end->first);
    added.last = std::max(added.last, end->last);
  }
  if (at == end) {
    ranges_.insert(at, added);
    if (ranges_.size() > kPageRangesMax && !planted("page-ranges-without-a-bound")) merge_nearest();
    return;
  }
  *at = added;
  ranges_.erase(at + 1, end);
}

void Page::merge_nearest() {
  std::size_t nearest = 0;
  auto least = UINT64_MAX;
  for (std::size_t i = 1; i < ranges_.size(); ++i) {
    if (ranges_[i].origin != ranges_[i - 1].origin) continue;
    const auto gap = ranges_[i].first - ranges_[i - 1].last;
    if (gap < least) {
      least = gap;
      nearest = i;
    }
  }
  if (nearest == 0) {
    has_others_ = true;
    ranges_ = {};
    return;
  }
  if (!planted("page-forgets-a-range")) ranges_[nearest - 1].last = ranges_[nearest].last;
  ranges_.erase(ranges_.begin() + static_cast<std::ptrdiff_t>(nearest));
}

void Page::encode(Bytes& out) const {
  put<std::uint64_t>(out, first_);
  put<std::uint64_t>(out, at_.offset);
  put<std::int64_t>(out, finished_max_unix_ms_);
  put<std::uint8_t>(out, has_failures_ ? 1 : 0);
  put<std::uint8_t>(out, has_letters_ ? 1 : 0);
  put<std::uint8_t>(out, has_others_ ? 1 : 0);
  put<std::uint8_t>(out, static_cast<std::uint8_t>(ranges_.size()));
  for (const auto& range : ranges_) {
    put<std::uint32_t>(out, range.origin);
    put<std::uint64_t>(out, range.first);
    put<std::uint64_t>(out, range.last);
  }
}

std::optional<Page> Page::read(ByteReader& reader, std::uint32_t segment) {
  const auto first = reader.get<std::uint64_t>();
  Page page(first, {segment, reader.get<std::uint64_t>()});
  page.finished_max_unix_ms_ = reader.get<std::int64_t>();
  page.has_failures_ = reader.get<std::uint8_t>() != 0;
  page.has_letters_ = reader.get<std::uint8_t>() != 0;
  page.has_others_ = reader.get<std::uint8_t>() != 0;
  page.ranges_.resize(reader.get<std::uint8_t>());
  for (auto& range : page.ranges_) {
    range.origin = reader.get<std::uint32_t>();
    range.first = reader.get<std::uint64_t>();
    range.last = reader.get<std::uint64_t>();
  }
  return reader.ok() ? std::optional(std::move(page)) : std::nullopt;
}

Bytes SegmentHead::encode() const {
  Bytes out;
  put<std::uint64_t>(out, offset);
  put<std::int64_t>(out, begun_unix_ms);
  put<std::int64_t>(out, since_unix_ms);
  return out;
}

std::optional<SegmentHead> SegmentHead::decode(std::string_view payload) {
  ByteReader reader(payload);
  SegmentHead head;
  head.offset = reader.get<std::uint64_t>();
  head.begun_unix_ms = reader.get<std::int64_t>();
  head.since_unix_ms = reader.get<std::int64_t>();
  return reader.ok() && reader.is_done() ? std::optional(head) : std::nullopt;
}

bool LogIndex::begins_page(storage::Position at) const {
  return pages_.empty() || pages_.back().at().segment != at.segment ||
         at.offset - pages_.back().at().offset >= kPageBytes;
}

void LogIndex::add(storage::Position at, const Summary& summary) {
  if (begins_page(at)) pages_.emplace_back(summary.first_offset, at);
  pages_.back().add(summary);
}

std::size_t LogIndex::page_of(std::uint64_t offset) const {
  const auto after = std::partition_point(pages_.begin(), pages_.end(),
                                          [&](const Page& page) { return page.first() <= offset; });
  return after == pages_.begin() ? 0 : static_cast<std::size_t>(after - pages_.begin()) - 1;
}

void LogIndex::drop_below(std::uint32_t segment) {
  while (!pages_.empty() && pages_.front().at().segment < segment) pages_.pop_front();
  heads_.erase(heads_.begin(), heads_.lower_bound(segment));
}

Bytes LogIndex::encode(std::uint64_t log, std::uint32_t segment) const {
  Bytes out;
  put<std::uint64_t>(out, log);
  put<std::uint32_t>(out, segment);
  const auto head = heads_.find(segment);
  put<std::uint32_t>(out, head == heads_.end() ? 0 : 1);
  out += (head == heads_.end() ? SegmentHead{} : head->second).encode();
  auto page = std::partition_point(pages_.begin(), pages_.end(),
                                   [&](const Page& each) { return each.at().segment < segment; });
  for (; page != pages_.end() && page->at().segment == segment; ++page) page->encode(out);
  put<std::uint32_t>(out, crc32c(out));
  return out;
}

bool LogIndex::load(std::string_view encoded, std::uint64_t log, std::uint32_t segment) {
  constexpr std::size_t kHeadBytes = 3 * sizeof(std::uint64_t);
  if (encoded.size() < sizeof(std::uint32_t)) return false;
  const auto crc = read_at<std::uint32_t>(encoded, encoded.size() - sizeof(std::uint32_t));
  encoded.remove_suffix(sizeof(std::uint32_t));
  ByteReader reader(encoded);
  if (crc32c(encoded) != crc || reader.get<std::uint64_t>() != log ||
      reader.get<std::uint32_t>() != segment)
    return false;
  const bool has_head = reader.get<std::uint32_t>() != 0;
  const auto head = SegmentHead::decode(reader.take(kHeadBytes));
  if (!head) return false;
  std::vector<Page> pages;
  while (!reader.is_done()) {
    auto page = Page::read(reader, segment);
    if (!page) return false;
    pages.push_back(std::move(*page));
  }
  if (has_head) heads_[segment] = *head;
  for (auto& page : pages) pages_.push_back(std::move(page));
  return true;
}

void LogIndex::prepend(LogIndex&& older) {
  for (auto page = older.pages_.rbegin(); page != older.pages_.rend(); ++page)
    pages_.push_front(std::move(*page));
  heads_.merge(older.heads_);
}

void LogIndex::append(LogIndex&& newer) {
  for (auto& page : newer.pages_) {
    if (begins_page(page.at())) {
      pages_.push_back(std::move(page));
    } else {
      pages_.back().add(page);
    }
  }
  for (const auto& [segment, head] : newer.heads_) heads_[segment] = head;
}

}  // namespace eole::sink
