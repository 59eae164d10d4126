#include "ventilator/core/retries.hpp"

#include "common/base/planted.hpp"

namespace eole::ventilator {

Fate decide(std::uint16_t attempt, std::uint8_t attempts_max, bool is_feared) {
  if (attempt >= attempts_max && !planted("attempts-without-end")) return Fate::kDead;
  if (planted("failed-means-feared")) is_feared = is_feared || attempt > 0;
  return is_feared && attempt + 1 >= attempts_max ? Fate::kAlone : Fate::kAgain;
}

}  // namespace eole::ventilator
