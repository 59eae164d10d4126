#include "ventilator/core/limits/rate.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "common/base/text.hpp"

namespace eole::ventilator {

double Rate::most() const {
  return std::max(1.0, per_second * std::chrono::duration<double>(burst).count());
}

double Rate::left_at(TimePoint now) const {
  const auto seconds = std::chrono::duration<double>(now - at).count();
  return std::min(most(), left + per_second * std::max(0.0, seconds));
}

void Rate::set(double more, TimePoint now) {
  left = per_second == 0 ? 1 : left_at(now);
  per_second = more;
  left = std::min(left, most());
  at = now;
}

void Rate::refresh(TimePoint now) {
  left = left_at(now);
  at = now;
}

void Rate::take(std::uint64_t count, TimePoint now) {
  refresh(now);
  left -= static_cast<double>(count);
}

TimePoint Rate::when(double wanted) const {
  const auto seconds = std::min(1e9, (wanted - left) / per_second);
  // One more, or what was rounded down would be asked for at once again.
  return at + Duration(static_cast<std::int64_t>(std::ceil(seconds * 1e9)) + 1);
}

std::string Rate::shown() const {
  char shown[32];
  std::snprintf(shown, sizeof shown, "%g", per_second);
  return shown;
}

Why Rate::why(std::string_view whom) const {
  return {"rate", text("of ", whom, per_second == 1 ? " begins " : " begin ", shown(),
                       per_second == 1 ? " task" : " tasks", " a second at most")};
}

}  // namespace eole::ventilator
