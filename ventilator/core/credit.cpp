#include "ventilator/core/credit.hpp"

#include <algorithm>

#include "common/base/planted.hpp"

namespace eole::ventilator {

namespace {
constexpr std::uint32_t kStuckBeatsMax = 3;
}

void Credit::take(std::uint64_t received, std::uint64_t limit) {
  received_ = std::max(received_, std::min(received, sent_));
  limit_ = planted("credit-as-a-difference") ? limit_ + limit : std::max(limit_, limit);
}

std::uint64_t Credit::room() const {
  const auto most = planted("credit-without-a-bound") ? UINT64_MAX : received_ + kCreditMax;
  const auto limit = is_closed_ ? 0 : std::min(limit_, most);
  return limit > sent_ ? limit - sent_ : 0;
}

bool Credit::is_stuck(std::uint64_t received) {
  const bool is_still =
      received < sent_ && sent_ == sent_at_last_beat_ && received == received_at_last_beat_;
  stuck_beats_ = is_still ? stuck_beats_ + 1 : 0;
  sent_at_last_beat_ = sent_;
  received_at_last_beat_ = received;
  if (stuck_beats_ < kStuckBeatsMax) return false;
  stuck_beats_ = 0;
  return true;
}

}  // namespace eole::ventilator
