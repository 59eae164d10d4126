#include "ventilator/core/kept_room.hpp"

#include "common/base/planted.hpp"
#include "ventilator/core/fleet.hpp"

namespace eole::ventilator {

void KeptRoom::look(const protocol::TaskClass* first, const Fleet& fleet, Placement& placement,
                    TimePoint now) {
  reservation_.pass(now);
  const auto is_found = first == nullptr || Placement::is_plain(*first) ||
                        fleet.has_room(*first, placement) || planted("large-needs-starve");
  if (is_found || first->needs != needs_ || first->place != place_) {
    if (reservation_.run()) reservation_.on_placed(*reservation_.run());
    needs_ = is_found ? "" : first->needs;
    place_ = is_found ? "" : first->place;
    since_ = now;
  }
  if (!is_found && now >= since_ + kPatience && reservation_.may_begin(now))
    if (const auto run = fleet.nearest_to(*first, placement)) reservation_.begin(*run, now);
  if (const auto run = reservation_.run(); run && !is_found) {
    placement.keep(*run, placement.of(*first).needs);
  } else {
    placement.keep_nothing();
  }
}

}  // namespace eole::ventilator
