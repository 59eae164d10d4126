#include "relay/core/fill.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using protocol::Value;
using relay::fill;

namespace {

const Value kEvent = *Value::from_json(
    R"({"id":"k3f9qz-7","artifact":"ab12","value":{"url":"http://x/y","n":3,"list":[1,2]}})");

std::string filled(const std::string& json) {
  const auto out = fill(*Value::from_json(json), kEvent);
  return out ? out->to_json() : out.error().message;
}

}  // namespace

TEST_CASE("a chain's task has what the event has", "[relay]") {
  CHECK(filled(R"({"a":"$artifact","b":["$value.n",{"c":"$value"}],"d":1})") ==
        R"({"a":"ab12","b":[3,{"c":{"url":"http://x/y","n":3,"list":[1,2]}}],"d":1})");
  CHECK(filled(R"("photos/${id}.${value.n}.jpg")") == R"("photos/k3f9qz-7.3.jpg")");
  CHECK(filled(R"("$$artifact costs $$3")") == R"("$artifact costs $3")");
}

TEST_CASE("what the event does not have is said", "[relay]") {
  CHECK(filled(R"("$value.x")") == "the event has no value.x");
  CHECK(filled(R"({"a":["${artifacts.0}"]})") == "the event has no artifacts.0");
  CHECK(filled(R"("${id")") == "${ without }");
  CHECK(filled(R"("a $id")") == "a $ within a text: ${NAME}, or $$ for a dollar");
  CHECK(filled(R"("$")") == "the event has no ");
}
