#include "common/kinds/offered.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::kinds;

namespace {

OfferedKinds offered(std::vector<protocol::KindOffer> kinds) {
  Value::Array told;
  for (const auto& kind : kinds) told.push_back(protocol::view_of(kind));
  return OfferedKinds(told);
}

std::string problem(const Kind& kind, Value::Map args) {
  const auto fits = conform(kind, std::move(args));
  return fits ? "" : fits.error().message;
}

}  // namespace

TEST_CASE("a runner's kind is checked like one that comes with Eole", "[kinds]") {
  const auto kinds = offered({{"echo"},
                              {"shop.thumb",
                               "Scales a picture.",
                               {{"path", "text", true},
                                {"width", "integer", false, "128"},
                                {"how", "enum", false}}}});
  REQUIRE(kinds.names() == std::vector<std::string>{"echo", "shop.thumb"});
  REQUIRE(kinds.of_runners().size() == 1);
  REQUIRE(kinds.find("nqueens") == find("nqueens"));
  REQUIRE(kinds.find("shop.other") == nullptr);
  const auto& thumb = *kinds.find("shop.thumb");
  REQUIRE(thumb.about == "Scales a picture.");
  REQUIRE(problem(thumb, {{"path", "a.png"}, {"how", Value::Array{1}}}).empty());
  REQUIRE(problem(thumb, {}) == "shop.thumb: path is missing (a text)");
  REQUIRE(problem(thumb, {{"path", 7}}) == "shop.thumb: path must be a text, not 7");
  REQUIRE(problem(thumb, {{"path", "a"}, {"width", "x"}}) ==
          "shop.thumb: width must be a whole number, not \"x\"");
  REQUIRE(problem(thumb, {{"path", "a"}, {"widht", 1}}) ==
          "shop.thumb: widht is not one of its arguments; did you mean width?");
  REQUIRE((*conform(thumb, Value::Map{{"path", "a"}}))["width"] == Value(128));
}

TEST_CASE("a value that is not known yet fits, and the others are checked", "[kinds]") {
  const auto kinds = offered({{"thumb", "", {{"path", "text", true}, {"width", "integer", false}}}});
  const auto refused = [&](Value::Map args) {
    const auto fits = conform(*kinds.find("thumb"), std::move(args), nullptr,
                              [](const Value& value) { return value == Value("later"); });
    return fits ? "" : fits.error().message;
  };
  REQUIRE(refused({{"path", "later"}, {"width", "later"}}).empty());
  REQUIRE(refused({{"path", "a"}, {"width", "x"}}) ==
          "thumb: width must be a whole number, not \"x\"");
  REQUIRE(refused({{"width", "later"}}) == "thumb: path is missing (a text)");
  REQUIRE(refused({{"path", "later"}, {"size", "later"}}) ==
          "thumb: size is not one of its arguments (path, width)");
}

TEST_CASE("an argument of any type may be null, and must be there if it is needed", "[kinds]") {
  const auto kinds = offered({{"odd", "", {{"x", "any", true}}}});
  REQUIRE(problem(*kinds.find("odd"), {{"x", Value()}}).empty());
  REQUIRE(problem(*kinds.find("odd"), {}) == "odd: x is missing (anything)");
}

TEST_CASE("a kind whose runner tells no arguments takes anything", "[kinds]") {
  const auto kinds = offered({{"upper"}});
  REQUIRE(problem(*kinds.find("upper"), {{"whatever", 1}}).empty());
}

TEST_CASE("a default that is no JSON, null, or of another type is none", "[kinds]") {
  const auto kinds = offered({{"odd",
                               "",
                               {{"a", "integer", false, "nonsense"},
                                {"b", "integer", false, "null"},
                                {"c", "integer", false, "\"x\""},
                                {"d", "text", false, "\"x\""}}}});
  const auto args = conform(*kinds.find("odd"), Value::Map{});
  REQUIRE(*args == Value(Value::Map{{"d", "x"}}));
}

TEST_CASE("what a ventilator tells that is no kind is left out", "[kinds]") {
  REQUIRE(OfferedKinds(Value(7)).names().empty());
  const OfferedKinds kinds(Value::Array{1, "x", Value::Map{{"name", "a b"}}, Value::Map{{"name", "c"}}});
  REQUIRE(kinds.names() == std::vector<std::string>{"c"});
}
