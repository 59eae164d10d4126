#include "common/protocol/refusal.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::protocol;

TEST_CASE("a refusal says of which sort it is, and its asker hears just that", "[messages]") {
  const Error beyond{"over the quota", ErrorCode::kQuota, 12000};
  const auto said = refused(7, beyond);
  REQUIRE(said == Refused{7, "over the quota", "quota", 12000});
  REQUIRE(error_of("the ventilator", said) ==
          Error{"the ventilator: over the quota", ErrorCode::kQuota, 12000});
  REQUIRE(refused(7, Error{"bad"}) == Refused{7, "bad"});
}

TEST_CASE("every code has a name of its own, and one of a later release is any other", "[messages]") {
  for (auto code = ErrorCode::kAway; code <= ErrorCode::kDamaged;
       code = static_cast<ErrorCode>(static_cast<int>(code) + 1)) {
    REQUIRE_FALSE(name_of(code).empty());
    REQUIRE(code_of(name_of(code)) == code);
  }
  REQUIRE(name_of(ErrorCode::kBad).empty());
  REQUIRE(code_of("") == ErrorCode::kBad);
  REQUIRE(code_of("moonstruck") == ErrorCode::kBad);
}
