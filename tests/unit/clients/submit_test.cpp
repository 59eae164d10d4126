#include "clients/cpp/core/submit.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::client;

namespace {

constexpr TimePoint kStart = TimePoint(1000s);
constexpr RunId kRun = 7;
constexpr Origin kOrigin = 5;

const auto kSpecs = std::make_shared<const Bytes>("specs");

SubmitAsked ask(std::uint32_t count, const std::string& key = {}) {
  protocol::Submit submit;
  submit.count = count;
  submit.key = key;
  return {submit, kSpecs};
}

SubmitAction sent(std::uint64_t request, std::uint64_t confirmed, std::uint32_t count = 2,
                  const std::string& key = {}) {
  return SendSubmit{{kRun, request, confirmed, key, count, {}}, kSpecs};
}

AcceptedReceived accepted(const std::vector<protocol::Acceptance>& list) {
  protocol::Accepted out{kOrigin, {}};
  for (const auto& one : list) put_acceptance(out.payload, one);
  return {out};
}

SubmitEnded ended(std::uint64_t request, Seq first, std::uint32_t count = 2) {
  return {request, {}, kOrigin, first, count};
}

SubmitEnded failed(std::uint64_t request, const std::string& why, ErrorCode code = ErrorCode::kBad) {
  return {request, Error{why, code}, 0, 0, 0};
}

struct Rig {
  SubmitCore core{kRun, 30s};
  TimePoint now = kStart;
  SubmitActions out;
  SubmitActions& step(SubmitEvent event) {
    out.clear();
    core.on_event(std::move(event), now, out);
    core.on_deadline(now, out);
    return out;
  }
  SubmitActions& pass(Duration time) {
    now += time;
    out.clear();
    core.on_deadline(now, out);
    return out;
  }
};

}  // namespace

TEST_CASE("requests are numbered, and confirm what was answered before them", "[submit]") {
  Rig rig;
  REQUIRE(rig.step(ask(2)) == SubmitActions{sent(1, 0)});
  REQUIRE(rig.step(ask(3, "key")) == SubmitActions{sent(2, 0, 3, "key")});
  REQUIRE(rig.step(accepted({{1, 10, 2}})) == SubmitActions{ended(1, 10)});
  REQUIRE(rig.step(ask(2)) == SubmitActions{sent(3, 1)});
  REQUIRE(rig.step(accepted({{2, 12, 3}, {3, 15, 2}})) ==
          SubmitActions{ended(2, 12, 3), ended(3, 15)});
  REQUIRE(rig.core.is_idle());
  REQUIRE(rig.step(ask(2)) == SubmitActions{sent(4, 3)});
}

TEST_CASE("answers come in any order and once, only what all are answered is confirmed",
          "[submit]") {
  Rig rig;
  for (int i = 0; i < 3; ++i) rig.step(ask(2));
  REQUIRE(rig.step(accepted({{3, 30, 2}})) == SubmitActions{ended(3, 30)});
  REQUIRE(rig.step(accepted({{3, 30, 2}, {9, 1, 2}})).empty());
  REQUIRE(rig.step(ask(2)) == SubmitActions{sent(4, 0)});
  REQUIRE(rig.step(accepted({{1, 10, 2}})) == SubmitActions{ended(1, 10)});
  REQUIRE(rig.step(ask(2)) == SubmitActions{sent(5, 1)});
  REQUIRE(rig.step(accepted({{2, 20, 2}})) == SubmitActions{ended(2, 20)});
  REQUIRE(rig.step(ask(2)) == SubmitActions{sent(6, 3)});
}

TEST_CASE("a submit that stays unanswered is sent again under its number", "[submit]") {
  Rig rig;
  rig.step(ask(2));
  rig.pass(1s);
  rig.step(ask(2));
  REQUIRE(rig.core.next_deadline() == kStart + 2s);
  REQUIRE(rig.pass(1s) == SubmitActions{sent(1, 0)});
  REQUIRE(rig.core.next_deadline() == kStart + 3s);
  REQUIRE(rig.pass(1s) == SubmitActions{sent(2, 0)});
  rig.step(accepted({{1, 10, 2}}));
  REQUIRE(rig.pass(2s) == SubmitActions{sent(2, 0)});
}

TEST_CASE("a connection that stands anew gets all that is unanswered at once", "[submit]") {
  Rig rig;
  REQUIRE(rig.step(ConnectionStands{}).empty());
  for (int i = 0; i < 3; ++i) rig.step(ask(2));
  rig.step(accepted({{2, 20, 2}}));
  REQUIRE(rig.step(ConnectionStands{}).empty());  // It had not broken.
  REQUIRE(rig.step(ConnectionBroke{}).empty());
  REQUIRE(rig.step(ConnectionStands{}) == SubmitActions{sent(1, 0), sent(3, 0)});
  REQUIRE(rig.step(ConnectionStands{}).empty());
}

TEST_CASE("a refusal ends its own submit; without a number all of them", "[submit]") {
  Rig rig;
  for (int i = 0; i < 3; ++i) rig.step(ask(2));
  REQUIRE(rig.step(SubmitRefused{{2, "no"}}) == SubmitActions{failed(2, "the ventilator: no")});
  REQUIRE(rig.step(SubmitRefused{{2, "no"}}).empty());
  REQUIRE(rig.step(SubmitRefused{{0, "never"}}) ==
          SubmitActions{failed(1, "the ventilator: never"), failed(3, "the ventilator: never")});
  REQUIRE(rig.core.is_idle());
  REQUIRE_FALSE(rig.core.next_deadline());
}

TEST_CASE("submits are given up when nothing is answered for long", "[submit]") {
  Rig rig;
  rig.step(ask(2));
  rig.step(ask(2));
  rig.pass(20s);
  rig.step(accepted({{1, 10, 2}}));
  REQUIRE(rig.pass(30s - 1ns).size() == 1);  // Repeated once more.
  const std::string why =
      "whether the last tasks were accepted is not known: no answer from the ventilator within 30 s: "
      "is it running, and may this key connect?";
  REQUIRE(rig.pass(1ns) == SubmitActions{failed(2, why, ErrorCode::kAway)});
  REQUIRE(rig.step(ask(2)) == SubmitActions{sent(3, 2)});
  REQUIRE(rig.pass(30s - 1ns).size() == 1);
}

TEST_CASE("what is under way has a bound, in messages and in bytes", "[submit]") {
  Rig rig;
  for (std::size_t i = 0; i < Window::kFirst; ++i) {
    REQUIRE(rig.core.has_room());
    rig.step(ask(2));
  }
  REQUIRE_FALSE(rig.core.has_room());
  Rig large;
  auto asked = ask(1);
  asked.groups = std::make_shared<const Bytes>(SubmitCore::kFlyingBytesMax, 'x');
  large.step(asked);
  REQUIRE(large.core.has_room());
  large.step(ask(2));
  REQUIRE_FALSE(large.core.has_room());
  large.step(accepted({{1, 10, 1}}));
  REQUIRE(large.core.has_room());
}
