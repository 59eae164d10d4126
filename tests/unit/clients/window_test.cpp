#include "clients/cpp/core/window.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using client::Window;

namespace {

// A ventilator that answers all that is under way every `turn`, at most `most` of it.
void answer_for(Window& window, Duration turn, std::size_t most, Duration time) {
  for (auto now = TimePoint(turn); now < TimePoint(time); now += turn)
    for (std::size_t i = 0; i < std::min(window.messages(), most); ++i) window.on_answer(256, now);
}

}  // namespace

TEST_CASE("a window grows while that gives a higher rate", "[window]") {
  Window window;
  answer_for(window, 5ms, 100'000, 60s);
  REQUIRE(window.messages() == Window::kMost);
}

TEST_CASE("a window stays small where more under way gives no more", "[window]") {
  Window window;
  answer_for(window, 5ms, 20, 60s);
  REQUIRE(window.messages() <= 64);
  REQUIRE(window.messages() >= 16);
}
