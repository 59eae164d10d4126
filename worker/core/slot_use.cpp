#include "worker/core/slot_use.hpp"

#include "common/base/planted.hpp"

namespace eole::worker {

void SlotUse::leave(std::uint64_t group) {
  const auto found = groups_.find(group);
  if (found != groups_.end()) {
    if (--found->second > 0 || planted("shared-slot-is-lost")) return;
    groups_.erase(found);
  }
  --taken_;
}

}  // namespace eole::worker
