#include "gateway/io/offers.hpp"

#include "common/process/system.hpp"

namespace eole::gateway {

namespace {
constexpr Duration kToldFor = 1s;
}  // namespace

awaitable<Offers::Kinds> Offers::now(Ring ring) {
  const auto now = process::now();
  if (now >= asked_ + kToldFor) {
    asked_ = now;  // The others go on with what was told before.
    const auto told = co_await ring.ventilator("kinds", {}, {}, kToldFor);
    if (told) kinds_ = std::make_shared<const kinds::OfferedKinds>(*told);
  }
  co_return kinds_;
}

}  // namespace eole::gateway
