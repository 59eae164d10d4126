#include "sink/core/retention.hpp"

#include "common/base/planted.hpp"

namespace eole::sink {

bool is_to_drop(const OldSegment& segment, const Retention& retention) {
  constexpr std::int64_t kDayMs = 86'400'000;
  if (segment.end > segment.needed_from) return false;
  const auto age_days = (segment.unix_ms - segment.ended_unix_ms) / kDayMs;
  const bool is_old = age_days >= 0 && static_cast<std::uint64_t>(age_days) >= retention.days;
  const bool is_over = segment.log_bytes > retention.bytes && !planted("log-grows-for-ever");
  const bool is_held =
      segment.end > segment.held_from && segment.log_bytes / kHeldTimes <= retention.bytes;
  return ((is_old || is_over) && !is_held) || segment.is_disk_full;
}

}  // namespace eole::sink
