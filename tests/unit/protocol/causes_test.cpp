#include "common/protocol/causes.hpp"

#include <catch2/catch.hpp>
#include <string>

using namespace eole;
using namespace eole::protocol;

TEST_CASE("a cause is looked up among words, numbers and ranges of numbers", "[causes]") {
  constexpr std::string_view kList = "exit:75,exit:1-9,signal,timeout";
  for (const auto* cause : {"exit:75", "exit:1", "exit:9", "signal:11", "signal", "timeout"}) {
    INFO(cause);
    REQUIRE(has_cause(kList, cause));
  }
  for (const auto* cause :
       {"exit:10", "exit:74", "exit", "error", "lost", "http:503", "", "exit:", "exit:x"}) {
    INFO(cause);
    REQUIRE_FALSE(has_cause(kList, cause));
  }
  REQUIRE_FALSE(has_cause("", "error"));
  REQUIRE(has_cause("http:500-599", "http:503"));
}

TEST_CASE("what is no cause is refused by name", "[causes]") {
  const auto why = [](std::string_view list) {
    const auto checked = check_causes(list);
    return checked ? std::string() : checked.error().message;
  };
  REQUIRE(why("") == "");
  REQUIRE(why("exit:75,exit:1-9,signal,signal:9,http:503,timeout,lost,error") == "");
  for (const std::string bad : {"exits:3", "exit:", "exit:9-1", "exit:-1", "timeout:5", " exit:1"})
    REQUIRE(why("signal," + bad) ==
            "retry on " + bad +
                ": is no cause of a failure (exit:75, exit:1-9, signal, signal:9, http:503, "
                "timeout, lost, error, or a class of errors as ValueError)");
  REQUIRE(why("exit:1-255,signal:1-64,http:400-999,exit,signal,http") == "");
  for (const std::string bad : {"exit:0", "exit:300", "exit:0-9"})
    REQUIRE(why(bad) == "retry on " + bad + ": exit has a number from 1 to 255");
  REQUIRE(why("signal:65") == "retry on signal:65: signal has a number from 1 to 64");
  REQUIRE(why("http:200-503") == "retry on http:200-503: http has a number from 400 to 999");
  REQUIRE(why(",exit:1").starts_with("retry on : is no cause"));
  REQUIRE(why("exit:1,") == "retry on: a comma with nothing behind it");
  REQUIRE(why(std::string(600, 'x')) == "retry on: 600 bytes, limit 512");
}

TEST_CASE("a class of errors is a cause by its name, and an error", "[causes]") {
  REQUIRE(check_causes("ValueError,shop.OutOfStock,timeout"));
  for (const auto* bad : {"valueError", "Value-Error", "9Error", "shop.", "shop.out", ".Error"})
    REQUIRE_FALSE(check_causes(bad));
  REQUIRE(has_cause("KeyError,ValueError", "ValueError"));
  REQUIRE(has_cause("exit,error", "ValueError"));
  REQUIRE_FALSE(has_cause("KeyError", "ValueError"));
  REQUIRE_FALSE(has_cause("error", "exit:3"));
}

TEST_CASE("what a program says of its failure is a cause, or an error", "[causes]") {
  for (const std::string cause : {"ValueError", "exit:75", "http:503", "timeout", "error"})
    REQUIRE(own_cause(cause) == cause);
  for (const auto* cause : {"", "lost", "exit:1-9", "exit:0", "a,b", "no cause", "Value,KeyError"})
    REQUIRE(own_cause(cause) == "error");
}
