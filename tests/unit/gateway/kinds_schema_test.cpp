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
  for (const auto* name : {"shell", "stdin"}) {  // A text, or bytes as JSON has them.
    const auto bytes =
        gateway::schema_of(*kinds::find("exec"))["arguments"]["properties"][name];
    REQUIRE(bytes["type"] == Value(Value::Array{"string", "object"}));
    REQUIRE(bytes["properties"]["base64"]["contentEncoding"] == Value("base64"));
    REQUIRE(bytes["required"] == Value(Value::Array{"base64"}));
  }
  for (const auto& kind : kinds::all()) {
    const auto schema = gateway::schema_of(kind);
    const auto* properties = schema["arguments"]["properties"].as<Value::Map>();
    REQUIRE(properties->size() == kind.arguments.size());
  }
}
