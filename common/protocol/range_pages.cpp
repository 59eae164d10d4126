#include "common/protocol/range_pages.hpp"

#include "common/base/planted.hpp"
#include "common/protocol/records.hpp"

namespace eole::protocol {

std::vector<Bytes> encode_pages(const SeqRanges& settled, const SeqRanges& not_done) {
  constexpr auto kRangesMax = (kSettlementBytesMax - Settlement::kHeaderBytes) / 16;
  std::vector<Bytes> pages;
  Settlement page;
  const auto close = [&] {
    pages.push_back(encode_settlement(page));
    page = {};
  };
  const auto add = [&](const SeqRanges& ranges, std::vector<Settlement::Range>& list) {
    for (const auto& [first, last] : ranges.ranges()) {
      const bool is_full = page.ranges.size() + page.not_done.size() >= kRangesMax;
      if (is_full && !planted("ranges-in-one-page")) close();
      list.push_back({first, last});
    }
  };
  add(settled, page.ranges);
  add(not_done, page.not_done);
  close();
  return pages;
}

bool RangePages::take(std::uint32_t page, std::uint32_t pages, std::string_view payload) {
  if (page == 0) *this = {};
  if (page != next_ || page >= pages || pages > kRangePagesMax) return false;
  const auto settlement = decode_settlement(payload);
  if (!settlement) return false;
  ++next_;
  for (const auto& [first, last] : settlement->ranges) settled_.add(first, last);
  for (const auto& [first, last] : settlement->not_done) not_done_.add(first, last);
  return next_ == pages;
}

}  // namespace eole::protocol
