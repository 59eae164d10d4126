#include "common/base/log_line.hpp"

#include <catch2/catch.hpp>

#include "common/base/text.hpp"

using namespace eole;

namespace {
LogLine line(std::string text) { return {5, LogLevel::kWarning, {7, 8}, std::move(text)}; }
}  // namespace

TEST_CASE("levels have names", "[log]") {
  for (const auto level : {LogLevel::kInfo, LogLevel::kWarning, LogLevel::kError})
    CHECK(parse_log_level(to_text(level)) == level);
  CHECK_FALSE(parse_log_level("loud"));
}

TEST_CASE("lines are taken in their order, as many as fit", "[log]") {
  LogBuffer buffer;
  for (const auto* text : {"one", "two", "three"}) buffer.add(line(text));
  const auto first = buffer.take(1);
  CHECK(first.lines == std::vector{line("one")});
  CHECK(buffer.take(1 << 20).lines == std::vector{line("two"), line("three")});
  CHECK(buffer.is_empty());
  CHECK(buffer.take(1 << 20).lines.empty());
}

TEST_CASE("of lines that nobody takes the oldest are left out and counted", "[log]") {
  LogBuffer buffer;
  const std::uint64_t said = 1000;
  for (std::uint64_t i = 0; i < said; ++i) buffer.add(line(text(i, std::string(2000, 'x'))));
  const auto taken = buffer.take(SIZE_MAX);
  CHECK(taken.lines.size() < kLogWaitingBytesMax / 2000);
  CHECK(taken.dropped == said - taken.lines.size());
  CHECK(taken.lines.back().text.starts_with("999"));
  CHECK(buffer.take(1).dropped == 0);
}

TEST_CASE("a line that is too long is cut between two characters", "[log]") {
  LogBuffer buffer;
  buffer.add(line(std::string(kLogTextBytesMax - 1, 'x') + "é"));
  CHECK(buffer.take(1).lines[0].text == std::string(kLogTextBytesMax - 1, 'x'));
}
