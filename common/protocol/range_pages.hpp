#pragma once
#include <cstdint>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/seq_ranges.hpp"
#include "common/protocol/not_done.hpp"

namespace eole::protocol {

constexpr std::uint32_t kRangePagesMax = 1024;  // Some 65,000 ranges each.

/// Settled ranges, and how those tasks of them ended that were not done, in pages of at most
/// kSettlementBytesMax: each a settlement without failures. One page at least.
std::vector<Bytes> encode_pages(const SeqRanges& settled, const NotDone& not_done);

/// Puts pages together that come in their order; page 0 begins anew.
class RangePages {
 public:
  /// True once all of `pages` are here. One that is malformed or does not come next is dropped.
  bool take(std::uint32_t page, std::uint32_t pages, std::string_view payload);
  const SeqRanges& settled() const { return settled_; }
  const NotDone& not_done() const { return not_done_; }

 private:
  std::uint32_t next_ = 0;
  SeqRanges settled_;
  NotDone not_done_;
};

}  // namespace eole::protocol
