#include "cli/run/combination.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using cli::Combination;
using cli::JobInputs;
using cli::parse_range;
using cli::TextList;
using Texts = std::vector<std::string>;

namespace {

TextList list(Texts texts) { return TextList(std::move(texts)); }

std::vector<Texts> all(Combination jobs, const Texts& first) {
  std::vector<Texts> out;
  std::size_t next = 0;
  while (!jobs.is_over()) {
    if (jobs.wants_first()) {
      if (next == first.size()) break;
      jobs.give_first(first[next++]);
    }
    auto job = jobs.next();
    REQUIRE(job.number == out.size() + 1);
    out.push_back(job.texts);
  }
  return out;
}

}  // namespace

TEST_CASE("several sources give every combination, the last changing first", "[run]") {
  REQUIRE(all({{}, {}}, {"a", "b"}) == std::vector<Texts>{{"a"}, {"b"}});
  REQUIRE(all({{}, {{list({"1", "2"})}, {list({"x", "y"})}}}, {"a", "b"}) ==
          std::vector<Texts>{{"a", "1", "x"},
                             {"a", "1", "y"},
                             {"a", "2", "x"},
                             {"a", "2", "y"},
                             {"b", "1", "x"},
                             {"b", "1", "y"},
                             {"b", "2", "x"},
                             {"b", "2", "y"}});
  REQUIRE(all({{}, {{list({})}}}, {"a"}).empty());
  REQUIRE(all({{}, {{list({"1"})}}}, {}).empty());
}

TEST_CASE("linked sources go together, up to the end of the shortest", "[run]") {
  REQUIRE(all({{list({"1", "2", "3"})}, {}}, {"a", "b"}) ==
          std::vector<Texts>{{"a", "1"}, {"b", "2"}});
  REQUIRE(all({{list({"1"})}, {}}, {"a", "b"}) == std::vector<Texts>{{"a", "1"}});
  REQUIRE(all({{}, {{list({"1", "2", "3"}), list({"x", "y"})}}}, {"a", "b"}) ==
          std::vector<Texts>{{"a", "1", "x"}, {"a", "2", "y"}, {"b", "1", "x"}, {"b", "2", "y"}});
}

TEST_CASE("a combination wants its first source one by one", "[run]") {
  Combination jobs({}, {{list({"1", "2"})}});
  REQUIRE(jobs.wants_first());
  jobs.give_first("a");
  REQUIRE(jobs.next() == JobInputs{1, {"a", "1"}});
  REQUIRE_FALSE(jobs.wants_first());
  REQUIRE(jobs.next() == JobInputs{2, {"a", "2"}});
  REQUIRE(jobs.wants_first());
}

TEST_CASE("ranges count up and down, in steps", "[run]") {
  const auto texts = [](const std::string& written) {
    const TextList range(*parse_range(written));
    Texts out;
    for (std::uint64_t i = 0; i < range.size(); ++i) out.push_back(range.at(i));
    return out;
  };
  REQUIRE(texts("1-3") == Texts{"1", "2", "3"});
  REQUIRE(texts("3-1") == Texts{"3", "2", "1"});
  REQUIRE(texts("0-10:5") == Texts{"0", "5", "10"});
  REQUIRE(texts("0-9:5") == Texts{"0", "5"});
  REQUIRE(texts("10-0:-5") == Texts{"10", "5", "0"});
  REQUIRE(texts("-2-1") == Texts{"-2", "-1", "0", "1"});
  REQUIRE(texts("7-7") == Texts{"7"});
  for (const auto* bad : {"", "1", "1-", "-", "a-b", "1-2:", "1-2:0", "1-5:-1", "5-1:1", "1-2x",
                          "1-99999999999999999999", "1 - 2", "1..2"})
    CHECK_FALSE(parse_range(bad));
  REQUIRE(parse_range("1-5:-1").error().message ==
          "--range 1-5:-1: a step of -1 does not lead from 1 to 5");
}
