#include <catch2/catch.hpp>

#include "common/base/nearest.hpp"

using namespace eole;

TEST_CASE("the nearest name is found only if it is near", "[nearest]") {
  const std::vector<std::string> names{"submit", "status", "watch"};
  CHECK(nearest("sumbit", names) == "submit");
  CHECK(nearest("statsu", names) == "status");
  CHECK(nearest("frobnicate", names).empty());
  CHECK(nearest("x", names).empty());
}
