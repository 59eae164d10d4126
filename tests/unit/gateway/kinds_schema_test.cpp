#include "gateway/core/kinds_schema.hpp"

#include <catch2/catch.hpp>

#include "common/kinds/kinds.hpp"

using namespace eole;
using protocol::Value;

TEST_CASE("a kind's arguments are a JSON schema", "[gateway]") {
  const auto view = gateway::schema_of(*kinds::find("download"));
  REQUIRE(view["name"] == Value("download"));
  const auto& schema = view["arguments"];
  REQUIRE(schema["required"] == Value(Value::Array{"url"}));
  REQUIRE(schema["properties"]["url"]["format"] == Value("uri"));
  REQUIRE(schema["additionalProperties"] == Value(false));
  for (const auto& kind : kinds::all()) {
    const auto* properties = gateway::schema_of(kind)["arguments"]["properties"].as<Value::Map>();
    REQUIRE(properties->size() == kind.arguments.size());
  }
}
