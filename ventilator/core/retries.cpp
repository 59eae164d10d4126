#include "ventilator/core/retries.hpp"

#include <algorithm>

#include "common/base/planted.hpp"

namespace eole::ventilator {

namespace {

Duration pause_after(std::uint16_t attempt) {
  constexpr int kDoublingsMax = 8;  // 0.25 s doubled eight times is more than a minute.
  const auto doublings = std::clamp<int>(attempt - 1, 0, kDoublingsMax);
  return std::min<Duration>(kPauseFirst * (1 << doublings), kPauseMax);
}

}  // namespace

Decision decide(std::uint16_t attempt, std::uint8_t attempts_max, Cause cause, bool is_feared,
                std::uint16_t returns) {
  using Fate = Decision::Fate;
  const bool is_used_up = cause != Cause::kReturned && attempt >= attempts_max;
  if (is_used_up && !planted("attempts-without-end")) return {Fate::kDead, {}};
  if (planted("failed-means-feared")) is_feared = is_feared || attempt > 0;
  Decision again;
  if (is_feared && attempt + 1 >= attempts_max) again.fate = Fate::kAlone;
  if (cause == Cause::kFailed && !planted("retried-without-a-pause"))
    again.pause = pause_after(attempt);
  if (cause == Cause::kReturned && returns > 1 && !planted("returned-without-a-pause"))
    again.pause = pause_after(returns - 1);
  return again;
}

}  // namespace eole::ventilator
