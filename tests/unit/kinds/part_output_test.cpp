#include "common/kinds/part_output.hpp"

#include <catch2/catch.hpp>
#include <vector>

using namespace eole;
using namespace eole::kinds;
using protocol::Value;

namespace {

struct Place {
  int part_of;
  char told;
  bool is_done;
};

std::string kept(std::vector<Place> places) {
  keep_one_of_each(places);
  std::string out;
  for (const auto& place : places) out += place.told;
  return out;
}

}  // namespace

TEST_CASE("of several that were to do a part the last that did counts", "[kinds]") {
  CHECK(kept({{1, 'a', true}, {2, 'b', false}, {2, 'c', true}, {3, 'd', true}}) == "acd");
  CHECK(kept({{1, 'a', true}, {1, 'b', false}}) == "a");
  CHECK(kept({{1, 'a', true}, {1, 'b', true}}) == "b");
  CHECK(kept({{1, 'a', false}, {1, 'b', false}}) == "b");
  CHECK(kept({}).empty());
}

TEST_CASE("a part is what a command printed, a text, or its value as JSON", "[kinds]") {
  const auto of = [](Value value) {
    return own_bytes_of(Value::Map{{"value", std::move(value)}});
  };
  CHECK(of("text") == "text");
  CHECK(of(Value::Map{{"n", 1}}) == "{\"n\":1}\n");
  CHECK(of(Value::Map{{"exit_code", 0}, {"stdout", "printed\n"}}) == "printed\n");
  CHECK(of({}).empty());
  CHECK(!check_whole(Value::Map{{"value", Value::Map{{"exit_code", 0}, {"stdout_bytes", 9}}}}));
}
