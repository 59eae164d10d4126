#include "common/protocol/result_view.hpp"

#include <catch2/catch.hpp>

#include "common/base/shown.hpp"

using namespace eole;
using namespace eole::protocol;

TEST_CASE("a line begins as all of a value does, however large that is", "[protocol]") {
  std::string wide;
  for (int i = 0; i < 400; ++i) wide += i % 3 == 0 ? "é" : i % 3 == 1 ? "水" : "a\"";
  Value::Array numbers;
  for (int i = 0; i < 1000; ++i) numbers.emplace_back(i);
  Value deep = Value::Map{{"numbers", numbers}, {"wide", wide}};
  for (int i = 0; i < 20; ++i) deep = Value::Array{deep, wide.substr(0, 30), true, Value(), 1.5};
  const Value names = Value::Array{Value::Map{{wide, 1}, {"b", 2}}, "c"};
  for (const auto& value : {Value(numbers), deep, names, Value(Value::Array{wide, wide}),
                            Value(Value::Array{Value::Map{}, Value::Array{}, "x"})}) {
    const auto json = value.to_json();
    CHECK(in_a_line(value) == cut_to(std::string_view(json).substr(0, 480), 120));
    CHECK(in_a_line(Value::Map{{"a", value}, {"b", 1}}) ==
          "a=" + cut_to(std::string_view(json).substr(0, 240), 60) + " b=1");
  }
}
