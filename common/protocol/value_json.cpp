#include <nlohmann/json.hpp>

#include "common/base/base64.hpp"
#include "common/base/shown.hpp"
#include "common/protocol/json_reader.hpp"
#include "common/protocol/value.hpp"

namespace eole::protocol {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kBlobName = "base64";

Json to(const Value& value) {
  if (const auto* boolean = value.as<bool>()) return *boolean;
  if (const auto* number = value.as<std::int64_t>()) return *number;
  if (const auto* number = value.as<std::uint64_t>()) return *number;
  if (const auto* real = value.as<double>()) return *real;
  if (const auto* string = value.as<std::string>()) return *string;
  if (const auto* blob = value.as<Blob>()) return {{kBlobName, to_base64(blob->bytes)}};
  if (const auto* array = value.as<Value::Array>()) {
    auto out = Json::array();
    for (const auto& item : *array) out.push_back(to(item));
    return out;
  }
  if (const auto* map = value.as<Value::Map>()) {
    auto out = Json::object();
    for (const auto& [name, item] : *map) out[name] = to(item);
    return out;
  }
  return nullptr;
}

}  // namespace

std::string Value::to_json() const {
  return shown_json(to(*this).dump(-1, ' ', false, Json::error_handler_t::replace));
}

Expected<Value> Value::from_json(std::string_view json) {
  JsonReader reader(json);
  Value value;
  if (!reader.read(value) || !reader.end()) return reader.error();
  return value;
}

}  // namespace eole::protocol
