#include "ventilator/core/retries.hpp"

#include <algorithm>

#include "common/base/planted.hpp"
#include "common/protocol/causes.hpp"

namespace eole::ventilator {

namespace {

using Milliseconds = std::chrono::milliseconds;

Duration or_default(std::uint32_t milliseconds, Duration preset) {
  return milliseconds == 0 ? preset : Milliseconds(milliseconds);
}

// Doubled with each attempt, up to the longest.
Duration ceiling_after(const protocol::TaskClass& task_class, std::uint16_t attempt) {
  constexpr int kDoublingsMax = 27;  // 1 ms doubled so often is more than a day.
  const auto first = or_default(task_class.backoff_ms, kPauseFirst);
  const auto most = std::max(first, or_default(task_class.backoff_max_ms, kPauseMax));
  const auto doublings = std::clamp<int>(attempt - 1, 0, kDoublingsMax);
  return std::min<Duration>(first * (std::int64_t{1} << doublings), most);
}

// Spreads neighbours over all numbers: the finalizer of SplitMix64.
std::uint64_t mix(std::uint64_t number) {
  number += 0x9e3779b97f4a7c15;
  number = (number ^ (number >> 30)) * 0xbf58476d1ce4e5b9;
  number = (number ^ (number >> 27)) * 0x94d049bb133111eb;
  return number ^ (number >> 31);
}

// Any time up to the ceiling, never none: full jitter.
Duration jittered(Duration ceiling, const AttemptEnd& end) {
  if (planted("retried-in-step")) return ceiling;
  const auto drawn = mix(mix(mix(end.id.origin) ^ end.id.seq) ^ end.attempt);
  const auto most = static_cast<std::uint64_t>(std::chrono::ceil<Milliseconds>(ceiling).count());
  return Milliseconds(1 + drawn % most);
}

bool is_wanted_again(const protocol::TaskClass& task_class, const AttemptEnd& end) {
  if (end.cause != Cause::kFailed || task_class.retry_on.empty()) return true;
  if (end.failure == protocol::kCauseLost || planted("every-cause-retried")) return true;
  return protocol::has_cause(task_class.retry_on,
                             end.failure.empty() ? protocol::kCauseError : end.failure);
}

}  // namespace

Decision decide(const protocol::TaskClass& task_class, std::uint8_t attempts_max,
                const AttemptEnd& end) {
  using Fate = Decision::Fate;
  if (task_class.attempts_max != 0) attempts_max = task_class.attempts_max;
  const bool is_used_up = end.cause != Cause::kReturned && end.attempt >= attempts_max;
  if (is_used_up && !planted("attempts-without-end")) return {Fate::kDead, {}};
  if (!is_wanted_again(task_class, end)) return {Fate::kUnwanted, {}};
  const bool is_feared = end.is_feared || (planted("failed-means-feared") && end.attempt > 0);
  Decision again;
  if (is_feared && end.attempt + 1 >= attempts_max) again.fate = Fate::kAlone;
  if (end.cause == Cause::kFailed && !planted("retried-without-a-pause")) {
    again.pause = jittered(ceiling_after(task_class, end.attempt), end);
    if (!planted("retry-after-ignored")) again.pause += Milliseconds(end.retry_after_ms);
  }
  if (end.cause == Cause::kReturned && end.returns > 1 && !planted("returned-without-a-pause"))
    again.pause = ceiling_after({}, static_cast<std::uint16_t>(end.returns - 1));
  return again;
}

}  // namespace eole::ventilator
