#include "sink/io/log_index.hpp"

#include <algorithm>

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

void Page::add(const Stretch& stretch) {
  has_failures_ = has_failures_ || !stretch.is_final;
  has_letters_ = has_letters_ || stretch.is_dead;
  if (has_others_) return;
  Range added{stretch.origin, stretch.first, stretch.last};
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
    if (ranges_.size() > kPageRangesMax) merge_nearest();
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

void LogIndex::add(storage::Position at, const Summary& summary) {
  const bool is_full = pages_.empty() || pages_.back().at().segment != at.segment ||
                       at.offset - pages_.back().at().offset >= kPageBytes;
  if (is_full) pages_.emplace_back(summary.first_offset, at);
  pages_.back().add(summary);
}

std::size_t LogIndex::page_of(std::uint64_t offset) const {
  const auto after =
      std::partition_point(pages_.begin(), pages_.end(),
                           [&](const Page& page) { return page.first() <= offset; });
  return after == pages_.begin() ? 0 : static_cast<std::size_t>(after - pages_.begin()) - 1;
}

}  // namespace eole::sink
