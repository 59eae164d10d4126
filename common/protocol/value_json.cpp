#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/base/base64.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
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

// Builds a value from hostile JSON. The library alone would turn an integer that does not fit
// into a float, in silence.
struct JsonReader : nlohmann::json_sax<Json> {
  bool add(Value value) {
    if (open.empty()) {
      root = std::move(value);
    } else if (auto& top = open.back(); top.is_map) {
      top.members.emplace_back(std::move(top.key), std::move(value));
    } else {
      top.items.push_back(std::move(value));
    }
    return true;
  }
  bool fail(std::string why) {
    problem = std::move(why);
    return false;
  }
  bool start(bool is_map) {
    if (open.size() >= static_cast<std::size_t>(Value::kDepthMax))
      return fail(text("JSON nested more than ", Value::kDepthMax, " deep"));
    open.push_back({});
    open.back().is_map = is_map;
    return true;
  }
  bool null() override { return add({}); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(std::int64_t value) override { return add(value); }
  bool number_unsigned(std::uint64_t value) override { return add(value); }
  bool number_float(double value, const std::string& written) override {
    if (written.find_first_of(".eE") == std::string::npos)
      return fail(
          text("integer ", written.substr(0, 40), ": limits are ", INT64_MIN, " and ", UINT64_MAX));
    return add(value);
  }
  bool string(std::string& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return start(true); }
  bool start_array(std::size_t) override { return start(false); }
  bool key(std::string& name) override {
    open.back().key = std::move(name);
    return true;
  }
  bool end_array() override {
    auto items = std::move(open.back().items);
    open.pop_back();
    return add(std::move(items));
  }
  bool end_object() override {
    auto members = std::move(open.back().members);
    open.pop_back();
    std::vector<std::string_view> names;
    for (const auto& [name, value] : members) names.push_back(name);
    std::sort(names.begin(), names.end());
    const auto twice = std::adjacent_find(names.begin(), names.end());
    if (twice != names.end()) return fail(text("member ", twice->substr(0, 40), " twice"));
    if (members.size() == 1 && members[0].first == kBlobName)
      if (const auto* letters = members[0].second.as<std::string>())
        if (auto bytes = from_base64(*letters)) return add(Blob{std::move(*bytes)});
    return add(std::move(members));
  }
  bool parse_error(std::size_t at, const std::string&, const Json::exception& error) override {
    constexpr int kOutOfRange = 406;
    return fail(text("not valid JSON at byte ", at,
                     error.id == kOutOfRange ? ": a number that no float holds" : ""));
  }

  struct Open {
    bool is_map = false;
    std::string key;
    Value::Array items;
    Value::Map members;
  };
  std::vector<Open> open;
  Value root;
  std::string problem;
};

}  // namespace

std::string Value::to_json() const {
  return shown_json(to(*this).dump(-1, ' ', false, Json::error_handler_t::replace));
}

Expected<Value> Value::from_json(std::string_view json) {
  JsonReader reader;
  if (!Json::sax_parse(json, &reader))
    return Error{reader.problem.empty() ? "not valid JSON" : reader.problem};
  return std::move(reader.root);
}

}  // namespace eole::protocol
