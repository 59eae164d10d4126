#include "gateway/core/kinds_schema.hpp"

#include "common/kinds/kinds.hpp"

namespace eole::gateway {

using kinds::Type;
using protocol::Value;

namespace {

Value whole(double number) { return static_cast<std::int64_t>(number); }

Value::Array choices_of(const kinds::Argument& argument) {
  return {argument.choices.begin(), argument.choices.end()};
}

// The schema of one argument's value, and the names of its bounds.
Value schema_of(const kinds::Argument& argument) {
  Value schema = Value::Map{{"description", argument.about}};
  const auto bounds = [&](const char* least, const char* most) {
    if (argument.min) schema.set(least, whole(*argument.min));
    if (argument.max) schema.set(most, whole(*argument.max));
  };
  const auto list_of = [&](const char* type) {
    schema.set("type", "array");
    Value item = Value::Map{{"type", type}};
    if (!argument.choices.empty()) item.set("enum", choices_of(argument));
    schema.set("items", std::move(item));
    bounds("minItems", "maxItems");
  };
  switch (argument.type) {
    case Type::kInteger:
      schema.set("type", "integer");
      bounds("minimum", "maximum");
      break;
    case Type::kNumber:
      schema.set("type", "number");
      if (argument.min) schema.set("minimum", *argument.min);
      if (argument.max) schema.set("maximum", *argument.max);
      break;
    case Type::kBoolean:
      schema.set("type", "boolean");
      break;
    case Type::kTexts:
      list_of("string");
      break;
    case Type::kIntegers:
      list_of("integer");
      break;
    case Type::kTextMap:
      schema.set("type", "object");
      schema.set("additionalProperties", Value::Map{{"type", "string"}});
      bounds("minProperties", "maxProperties");
      break;
    case Type::kBytes: {  // A text, or bytes as JSON has them.
      const Value bytes = Value::Map{{"type", "string"}, {"contentEncoding", "base64"}};
      schema.set("type", Value::Array{"string", "object"});
      schema.set("properties", Value::Map{{"base64", bytes}});
      schema.set("required", Value::Array{"base64"});
      schema.set("additionalProperties", false);
      bounds("minLength", "maxLength");
      break;
    }
    case Type::kAny:
      break;
    case Type::kText:
    case Type::kWebUrl:
    case Type::kSha256:
      schema.set("type", "string");
      if (argument.type == Type::kWebUrl) schema.set("format", "uri");
      if (argument.type == Type::kSha256) schema.set("pattern", "^[0-9a-f]{64}$");
      bounds("minLength", "maxLength");
      break;
  }
  if (!argument.choices.empty() && argument.type != Type::kTexts)
    schema.set("enum", choices_of(argument));
  if (!argument.fallback.empty())
    if (const auto fallback = Value::from_json(argument.fallback)) schema.set("default", *fallback);
  return schema;
}

}  // namespace

Value schema_of(const kinds::Kind& kind) {
  Value::Map properties;
  Value::Array required;
  for (const auto& argument : kind.arguments) {
    properties.emplace_back(std::string(argument.name), schema_of(argument));
    if (argument.is_needed) required.emplace_back(argument.name);
  }
  Value schema = Value::Map{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                            {"type", "object"},
                            {"properties", std::move(properties)},
                            {"required", std::move(required)},
                            {"additionalProperties", kind.takes_anything}};
  if (!kind.one_of.empty()) {
    Value::Array any;
    for (const auto name : kind.one_of)
      any.push_back(Value::Map{{"required", Value::Array{Value(name)}}});
    schema.set("oneOf", std::move(any));
  }
  return Value::Map{{"name", kind.name},
                    {"about", kind.about},
                    {"result", kind.result},
                    {"needs_exec", kind.needs_exec},
                    {"arguments", std::move(schema)}};
}

}  // namespace eole::gateway
