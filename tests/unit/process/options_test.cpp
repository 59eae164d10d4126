#include "common/process/options.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::process;

TEST_CASE("a number beyond its limits is refused with what it is and with them", "[options]") {
  REQUIRE(*parse_number("1", 1, 1024) == 1);
  REQUIRE(*parse_number("1024", 1, 1024) == 1024);
  for (const std::string bad : {"0", "1025", "-1", "x", "", "1.5", " 1", "99999999999999999999"})
    REQUIRE(parse_number(bad, 1, 1024).error().message ==
            bad + " is no whole number from 1 to 1024");
}

TEST_CASE("a size has a unit, and a least", "[options]") {
  REQUIRE(*parse_size("1MiB", 1 << 20) == 1 << 20);
  REQUIRE(*parse_size("2kB", 1) == 2000);
  for (const std::string bad : {"0", "1048575", "-1", "much", "1mib", "99999999TB"})
    REQUIRE(parse_size(bad, 1 << 20).error().message ==
            bad + " is no size from 1048576 bytes on (500000, 64MiB, 10GB)");
}
