#include "ventilator/core/silence.hpp"

#include <algorithm>

#include "common/base/planted.hpp"

namespace eole::ventilator {

void Silence::hear(TimePoint now) {
  last_heard_ = now;
  is_suspect_ = false;
}

void Silence::end_pipe(TimePoint now) {
  pipe_ended_ = now;
  is_suspect_ = true;
}

void Silence::forgive(Duration lateness, TimePoint now) {
  last_heard_ = std::min(now, last_heard_ + lateness);
  if (pipe_ended_) *pipe_ended_ = std::min(now, *pipe_ended_ + lateness);
}

std::optional<std::string> Silence::judge(const Config& config, TimePoint now) {
  const auto silence = now - last_heard_;
  const bool is_gone = pipe_ended_ && (!has_answered() || planted("answered-and-lost"));
  if (is_gone && now >= *pipe_ended_ + config.grace) return "its connection ended";
  if (silence >= config.lost_after) return "it fell silent";
  if (silence >= config.suspect_after) is_suspect_ = true;
  return std::nullopt;
}

TimePoint Silence::next_judgement(const Config& config) const {
  const auto next = last_heard_ + (is_suspect_ ? config.lost_after : config.suspect_after);
  if (!pipe_ended_ || has_answered()) return next;
  return std::min(next, *pipe_ended_ + config.grace);
}

}  // namespace eole::ventilator
