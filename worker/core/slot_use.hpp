#pragma once
#include <cstdint>
#include <map>

namespace eole::worker {

/// Which slots are taken: by one task each, or by a group that shares one until the last of it has
/// ended. Pure.
class SlotUse {
 public:
  explicit SlotUse(std::uint32_t slots) : slots_(slots) {}
  /// What runs beyond them runs on.
  void set_slots(std::uint32_t slots) { slots_ = slots; }
  std::uint32_t free() const { return taken_ < slots_ ? slots_ - taken_ : 0; }
  void take() { ++taken_; }
  /// The one that was taken last has so many tasks. Their group, which is not zero.
  std::uint64_t share(std::size_t tasks) {
    groups_[++last_group_] = tasks;
    return last_group_;
  }
  /// A task has ended; `group` zero: it shared with none.
  void leave(std::uint64_t group);

 private:
  std::uint32_t slots_;
  std::uint32_t taken_ = 0;
  std::map<std::uint64_t, std::size_t> groups_;
  std::uint64_t last_group_ = 0;
};

}  // namespace eole::worker
