#include "clients/cpp/core/hand.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using client::HandCore;
using protocol::Hand;
using protocol::Handed;

namespace {
constexpr TimePoint kStart = TimePoint(1000s);
constexpr std::uint64_t kRequest = (3ULL << 32) + 1;
const std::string kFile(32, 'a');
const std::string kDigest(64, 'b');
}  // namespace

TEST_CASE("a file is handed over as it grows, one question at a time", "[hand]") {
  HandCore core(3, kFile, kStart);
  REQUIRE_FALSE(core.on_deadline(kStart));
  core.reach(10, false, kStart);
  REQUIRE(core.on_deadline(kStart) == Hand{kRequest, kFile, 10, 0});
  core.reach(30, false, kStart);
  REQUIRE_FALSE(core.on_deadline(kStart));
  core.on_handed({kRequest, 10, {}, {}}, kStart);
  REQUIRE(core.on_deadline(kStart) == Hand{kRequest, kFile, 30, 0});
  core.on_handed({kRequest, 20, {}, {}}, kStart);  // It looks at a little at a time.
  REQUIRE(core.on_deadline(kStart) == Hand{kRequest, kFile, 30, 0});
  core.on_handed({kRequest, 30, {}, {}}, kStart);
  REQUIRE_FALSE(core.on_deadline(kStart));
  REQUIRE_FALSE(core.next_deadline());
  core.reach(30, true, kStart);
  REQUIRE(core.on_deadline(kStart) == Hand{kRequest, kFile, 30, 1});
  core.on_handed({kRequest, 30, {}, {}}, kStart);  // Seen, and not durable yet.
  REQUIRE_FALSE(core.on_deadline(kStart));
  core.on_handed({kRequest, 30, kDigest, {}}, kStart);
  REQUIRE((**core.end()).sha256 == kDigest);
  REQUIRE_FALSE(core.next_deadline());
}

TEST_CASE("a hand that is lost is said again, and given up after half a minute", "[hand]") {
  HandCore core(3, "", kStart);
  REQUIRE(core.on_deadline(kStart) == Hand{kRequest, "", 0, 0});
  REQUIRE_FALSE(core.on_deadline(kStart + 500ms));
  REQUIRE(core.on_deadline(kStart + 1s) == Hand{kRequest, "", 0, 0});
  REQUIRE_FALSE(core.on_deadline(kStart + 31s));
  REQUIRE(core.end()->error().is_silence());
}

TEST_CASE("where files may be linked is one answer, and a refusal is the end", "[hand]") {
  HandCore asking(3, "", kStart);
  asking.on_deadline(kStart);
  asking.on_handed({kRequest, 0, {}, "/somewhere"}, kStart);
  REQUIRE((**asking.end()).directory == "/somewhere");
  HandCore refused(3, kFile, kStart);
  refused.on_refused({"the sink: no", ErrorCode::kFull});
  REQUIRE(refused.end()->error() == Error{"the sink: no", ErrorCode::kFull});
}
