#pragma once
#include <memory>

#include "common/kinds/offered.hpp"
#include "gateway/io/ring.hpp"

namespace eole::gateway {

/// What workers offer, as the ventilator told it a moment ago: a submit does not ask each time.
class Offers {
 public:
  /// Shared: who has it may still read it when the next one comes.
  using Kinds = std::shared_ptr<const kinds::OfferedKinds>;
  /// Empty while the ventilator has told nothing.
  awaitable<Kinds> now(Ring ring);

 private:
  TimePoint asked_{};
  Kinds kinds_ = std::make_shared<const kinds::OfferedKinds>();
};

}  // namespace eole::gateway
