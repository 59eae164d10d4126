#include "common/protocol/range_pages.hpp"

#include "common/base/planted.hpp"

namespace eole::protocol {

std::vector<Bytes> encode_pages(const SeqRanges& settled, const NotDone& not_done) {
  constexpr auto kRangesMax =
      (kSettlementBytesMax - Settlement::kHeaderBytes) / Settlement::kEndBytes;
  std::vector<Bytes> pages;
  Settlement page;
  const auto close = [&] {
    pages.push_back(encode_settlement(page));
    page = {};
  };
  const auto make_room = [&] {
    const bool is_full = page.ranges.size() + page.not_done.size() >= kRangesMax;
    if (is_full && !planted("ranges-in-one-page")) close();
  };
  for (const auto& [first, last] : settled.ranges()) {
    make_room();
    page.ranges.push_back({first, last});
  }
  for (const auto state : kNotDoneStates) {
    for (const auto& [first, last] : not_done.of(state).ranges()) {
      make_room();
      page.not_done.push_back({{first, last}, state});
    }
  }
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
  for (const auto& [range, state] : settlement->not_done) not_done_.add(range, state);
  return next_ == pages;
}

}  // namespace eole::protocol
