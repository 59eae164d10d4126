#include <algorithm>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "ventilator/core/fleet.hpp"

// Which worker may have which task.
namespace eole::ventilator {

using Is = protocol::Place::Is;

bool Fleet::fits(const Worker& worker, const protocol::TaskClass& task_class,
                 const Placement& placement) {
  if (!worker.runs(task_class.kind)) return false;
  if (Placement::is_plain(task_class) || planted("needs-ignored")) return true;
  const auto& [needs, place] = placement.of(task_class);
  if (place.is == Is::kPin && place.worker != worker.about.name) return false;
  return Placement::has(worker.has.offers, needs);
}

// How many there is room for, whatever is preferred.
std::uint64_t Fleet::room_at(const Worker& worker, const protocol::TaskClass& task_class,
                             const Placement& placement) {
  if (!fits(worker, task_class, placement)) return 0;
  const auto& needs = placement.of(task_class).needs;
  const auto room = placement.room(worker.link.run, worker.has.offers, needs);
  // What still runs there, though it was leased to others since, is not counted.
  const bool is_unsure = worker.beats.has_strays && !planted("strays-take-nothing");
  return is_unsure && room != kNoLimit ? 0 : room;
}

std::uint64_t Fleet::room(const Worker& worker, const protocol::TaskClass& task_class,
                          const Placement& placement) const {
  if (Placement::is_plain(task_class)) return worker.runs(task_class.kind) ? kNoLimit : 0;
  const auto room = room_at(worker, task_class, placement);
  const auto is = placement.of(task_class).place.is;
  if (room == 0 || is == Is::kAnywhere || is == Is::kPin) return room;
  if (is_better_place(worker, task_class, placement)) return 0;
  return is == Is::kSpread ? 1 : room;
}

// Another one that could have it at once: who is preferred; or, if it is to be spread, who has
// fewer of its project.
bool Fleet::is_better_place(const Worker& worker, const protocol::TaskClass& task_class,
                            const Placement& placement) const {
  const auto place = placement.of(task_class).place;
  const auto of_project = [&](const Worker& one) {
    return placement.of_project(one.link.run, task_class.project);
  };
  const bool is_spread = place.is == Is::kSpread;
  const auto own = is_spread ? of_project(worker) : 0;
  if (is_spread ? own == 0 : worker.about.name == place.worker) return false;
  return std::any_of(workers_.begin(), workers_.end(), [&](const auto& entry) {
    const auto& other = entry.second;
    if (is_spread ? of_project(other) >= own : other.about.name != place.worker) return false;
    return other.room() > 0 && !other.silence.is_suspect() && !other.alone &&
           room_at(other, task_class, placement) > 0;
  });
}

bool Fleet::could_have(const protocol::TaskClass& task_class, const Placement& placement) const {
  return std::any_of(workers_.begin(), workers_.end(), [&](const auto& entry) {
    return fits(entry.second, task_class, placement);
  });
}

bool Fleet::has_room(const protocol::TaskClass& task_class, const Placement& placement) const {
  return std::any_of(workers_.begin(), workers_.end(), [&](const auto& entry) {
    return !entry.second.silence.is_suspect() && room_at(entry.second, task_class, placement) > 0;
  });
}

std::optional<RunId> Fleet::nearest_to(const protocol::TaskClass& task_class,
                                       const Placement& placement) const {
  const Worker* nearest = nullptr;
  for (const auto run : order_) {
    const auto& worker = *find(run);
    if (worker.alone || worker.is_paused || worker.silence.is_suspect() ||
        !fits(worker, task_class, placement))
      continue;
    if (nearest == nullptr || worker.leases.outstanding() < nearest->leases.outstanding())
      nearest = &worker;
  }
  return nearest == nullptr ? std::nullopt : std::optional(nearest->link.run);
}

// Of a kind whose runners cannot start: what one of them says, to who sees all.
std::string Fleet::why_broken(std::string_view kind, const Within& within) const {
  for (const auto run : order_) {
    const auto& worker = *find(run);
    for (const auto& runner : worker.has.runners)
      for (const auto& each : runner.kinds)
        if (each.name == kind)
          return within.is_all() ? text("; on ", worker.about.name, " ", runner.problem)
                                 : "; its runners cannot start";
  }
  return {};
}

std::optional<Why> Fleet::why_nobody(const protocol::TaskClass& task_class,
                                     const Placement& placement, const Within& within) const {
  const auto& kind = task_class.kind;
  if (!kinds_.contains(kind))
    return Why{"no_worker", text("no connected worker offers ", kind, why_broken(kind, within))};
  if (Placement::is_plain(task_class)) return std::nullopt;
  const auto is_any = [&](const auto& is_one) {
    return std::any_of(workers_.begin(), workers_.end(),
                       [&](const auto& entry) { return is_one(entry.second); });
  };
  if (is_any([&](const Worker& worker) { return fits(worker, task_class, placement); }))
    return std::nullopt;
  const auto& place = placement.of(task_class).place;
  if (place.is != Is::kPin)
    return Why{"needs", text("it needs ", task_class.needs,
                             ", which no connected worker that offers ", kind, " has")};
  const auto is_it = [&](const Worker& worker) { return worker.about.name == place.worker; };
  const auto pinned = text("it is pinned to ", place.worker, ", which ");
  if (!is_any(is_it)) return Why{"pin", pinned + "is not connected"};
  if (!is_any([&](const Worker& worker) { return is_it(worker) && worker.runs(kind); }))
    return Why{"pin", text(pinned, "does not offer ", kind)};
  return Why{"needs", text(pinned, "does not have ", task_class.needs)};
}

}  // namespace eole::ventilator
