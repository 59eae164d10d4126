#include "cli/run/outcome.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using cli::outcome_of;
using protocol::Blob;
using protocol::Value;

TEST_CASE("a command's end is its exit value or its signal", "[run]") {
  const auto of = [](const std::string& state, Value value, const std::string& error) {
    Value view = Value::Map{{"state", state}, {"value", std::move(value)}};
    if (!error.empty()) view.set("error", error);
    return outcome_of(view);
  };
  const auto done = of("done", Value::Map{{"exit_code", 0}, {"stdout", "out"}, {"stderr", ""}}, "");
  REQUIRE(done.is_done());
  REQUIRE((done.exit_value == 0 && done.output.bytes == "out" && done.output.size == 3));
  const auto failed = of("failed", Value::Map{{"exit_code", 3}}, "exit code 3");
  REQUIRE((failed.exit_value == 3 && failed.signal == 0 && failed.error.empty()));
  const auto killed = of("failed", Value::Map{{"exit_code", 137}, {"signal", 9}}, "exit code 137");
  REQUIRE((killed.exit_value == 0 && killed.signal == 9));
  const auto missing = of("failed", Value::Map{{"exit_code", -1}}, "exec: x: No such file");
  REQUIRE((missing.exit_value == 127 && missing.error == "exec: x: No such file"));
  REQUIRE(of("dead", {}, "used up").exit_value == -1);
}

TEST_CASE("of long output a file has all of it", "[run]") {
  const auto outcome = outcome_of(Value::Map{
      {"state", "done"},
      {"finished", "2026-01-31T12:00:00.250Z"},
      {"run_seconds", 1.5},
      {"value", Value::Map{{"exit_code", 0},
                           {"stdout", "a … b"},
                           {"stdout_bytes", 500000},
                           {"stderr", Blob{"\xff"}}}},
      {"artifact", Value::Map{{"sha256", "abc"}, {"bytes", 500000}, {"name", "stdout"}}}});
  REQUIRE((outcome.output.sha256 == "abc" && outcome.output.size == 500000));
  REQUIRE((outcome.errors.bytes == "\xff" && outcome.errors.sha256.empty()));
  REQUIRE((outcome.run_ms == 1500 && outcome.finished_unix_ms == 1769860800250));
}
