#include "cli/help.hpp"

#include <catch2/catch.hpp>

using eole::cli::wrapped;

TEST_CASE("what is cut off a line of help goes on with the next, an example does not", "[cli]") {
  CHECK(wrapped("one two three\nfour\n", 8) == "one two\nthree\nfour\n");
  CHECK(wrapped("Such as:\n  eole one two\n  eole three\n", 12) ==
        "Such as:\n  eole one\n  two\n  eole three\n");
  CHECK(wrapped("one two three\nUsage: eole\n", 12) == "one two\nthree\nUsage: eole\n");
}
