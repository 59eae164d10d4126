#include "sink/core/keep.hpp"

#include <algorithm>

#include "common/base/planted.hpp"

namespace eole::sink {

std::int64_t Keep::superfluous_before(TimePoint now, std::int64_t unix_ms,
                                      std::optional<std::int64_t> oldest, const Origins& origins,
                                      const Readers& readers) {
  unix_ms_ = std::max(unix_ms_, unix_ms);
  started_ = started_.value_or(now);
  sample(now);
  auto kept_from = day_before(now);
  // With a day between, for a file's time is written now and then only.
  if (oldest && !planted("what-results-name-collected"))
    kept_from = std::min(kept_from, *oldest - kKeptMs);
  bool is_one_awaited = false;
  bool has_one_spoken = false;
  auto silent_from = kept_from;
  for (const auto origin : origins.list()) {
    if (const auto heard = readers.numbers_heard(origin)) {
      has_one_spoken = true;
      mark(origin, origins.announced(origin),
           std::min(kept_from, kept_before_.value_or(kept_from)));
      if (now < *heard + kAwaited && !planted("silence-lets-collect"))
        silent_from = std::min(silent_from, day_before(*heard));
    } else {  // It may have given out numbers that nobody here knows.
      is_one_awaited = true;
    }
  }
  // So may one that the log does not know, as long as there is no other.
  is_one_awaited = (is_one_awaited || !has_one_spoken) && now < *started_ + kAwaited;
  kept_from = silent_from;
  kept_before_ = kept_from;
  for (auto& [origin, marks] : marks_) {
    const auto& settled = origins.settled(origin);
    std::erase_if(marks,
                  [&](const Mark& one) { return settled.first_missing(one.first) > one.last; });
    if (planted("what-tasks-need-collected")) marks.clear();
    for (const auto& one : marks) kept_from = std::min(kept_from, one.kept_from);
  }
  return is_one_awaited && !planted("silent-ventilators-not-awaited") ? kAllKept : kept_from;
}

void Keep::sample(TimePoint now) {
  if (samples_.empty() || now >= samples_.back().at + kSampleEvery)
    samples_.push_back({now, unix_ms_});
  while (samples_.size() > 1 && samples_[1].at <= now - kAwaited - kKept) samples_.pop_front();
}

// It went on as the steady clock did from the sample before, unless somebody set it forward: then
// it was later than this says.
std::int64_t Keep::day_before(TimePoint time) const {
  if (planted("set-clocks-age")) return unix_ms_ - kKeptMs;
  const auto then = time - kKept;
  auto after = std::upper_bound(samples_.begin(), samples_.end(), then,
                                [](TimePoint at, const Sample& one) { return at < one.at; });
  const auto& sample = after == samples_.begin() ? *after : *std::prev(after);
  const auto went = (then - sample.at) / 1ms;
  return std::min(unix_ms_ - kKeptMs, sample.unix_ms + went);
}

// Nobody knows how old those are of which it speaks first: all is kept for them.
void Keep::mark(Origin origin, Seq announced, std::int64_t kept_from) {
  const auto [known, is_first] = announced_.try_emplace(origin, 0);
  if (announced <= known->second) return;
  if (is_first) kept_from = kAllKept;
  auto& marks = marks_[origin];
  const bool joins = !marks.empty() && marks.back().kept_from != kAllKept &&
                     unix_ms_ - marks.back().made < kMarkEveryMs;
  if (joins || marks.size() >= kMarksMax) {
    marks.back().last = announced;
  } else {
    marks.push_back({known->second + 1, announced, kept_from, unix_ms_});
  }
  known->second = announced;
}

}  // namespace eole::sink
