#pragma once
#include <cstdint>

#include "common/base/time.hpp"

namespace eole::worker {

/// So many bytes a second and no more, but for a moment's worth. Pure.
class Rate {
 public:
  /// Zero: as many as come.
  explicit Rate(std::uint64_t bytes_per_second = 0) : bytes_per_second_(bytes_per_second) {}

  /// What came already is more than there should be by now: the next have to wait.
  bool is_ahead(TimePoint now) const { return due_ > now; }
  TimePoint due() const { return due_; }
  void add(std::uint64_t bytes, TimePoint now);

 private:
  std::uint64_t bytes_per_second_;
  TimePoint due_{};  // When all that came may have come.
};

}  // namespace eole::worker
