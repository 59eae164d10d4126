#include <nlohmann/json.hpp>
#include <optional>

#include "common/base/text.hpp"
#include "common/protocol/value.hpp"

namespace eole::protocol {

namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kBlobName = "base64";
constexpr std::string_view kLetters =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string base64(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k)
      group = (group << 8) | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0);
    for (std::size_t k = 0; k < 4; ++k)
      out += i + k > bytes.size() ? '=' : kLetters[(group >> (18 - 6 * k)) & 63];
  }
  return out;
}

// The control characters that JSON may hold as they are, and a terminal would obey: DEL, and C1
// (in UTF-8 C2 80 to C2 9F).
std::string without_controls(std::string json) {
  constexpr auto kHex = std::string_view("0123456789abcdef");
  if (json.find_first_of("\x7f\xc2") == std::string::npos) return json;
  std::string out;
  for (std::size_t i = 0; i < json.size(); ++i) {
    auto byte = static_cast<unsigned char>(json[i]);
    const auto next = i + 1 < json.size() ? static_cast<unsigned char>(json[i + 1]) : 0U;
    const bool is_c1 = byte == 0xc2 && next >= 0x80 && next <= 0x9f;
    if (is_c1) byte = static_cast<unsigned char>(next), ++i;
    if (is_c1 || byte == 0x7f)
      (out += "\\u00").append({kHex[byte >> 4], kHex[byte & 15]});
    else
      out += static_cast<char>(byte);
  }
  return out;
}

// Nothing unless it is as base64() writes it.
std::optional<Blob> from_base64(std::string_view letters) {
  Blob blob;
  std::uint32_t group = 0;
  int bits = 0;
  for (const char letter : letters.substr(0, letters.find('='))) {
    const auto digit = kLetters.find(letter);
    if (digit == std::string_view::npos) return std::nullopt;
    group = (group << 6 | static_cast<std::uint32_t>(digit)) & 0xFFFFFF;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    blob.bytes += static_cast<char>(group >> bits);
  }
  if (base64(blob.bytes) != letters) return std::nullopt;
  return blob;
}

Json to(const Value& value) {
  if (const auto* boolean = value.as<bool>()) return *boolean;
  if (const auto* number = value.as<std::int64_t>()) return *number;
  if (const auto* real = value.as<double>()) return *real;
  if (const auto* string = value.as<std::string>()) return *string;
  if (const auto* blob = value.as<Blob>()) return {{kBlobName, base64(blob->bytes)}};
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

Value from(const Json& json) {
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return json.get<std::int64_t>();
  if (json.is_number()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array()) {
    Value::Array array;
    for (const auto& item : json) array.push_back(from(item));
    return array;
  }
  if (json.is_object()) {
    if (const auto bytes = json.find(kBlobName);
        json.size() == 1 && bytes != json.end() && bytes->is_string())
      if (auto blob = from_base64(bytes->get_ref<const std::string&>())) return std::move(*blob);
    Value::Map map;
    for (const auto& [name, item] : json.items()) map.emplace_back(name, from(item));
    return map;
  }
  return {};
}

}  // namespace

std::string Value::to_json() const {
  return without_controls(to(*this).dump(-1, ' ', false, Json::error_handler_t::replace));
}

Expected<Value> Value::from_json(std::string_view json) {
  int depth = 0;
  bool too_deep = false;
  const auto watch = [&](int level, Json::parse_event_t, Json&) {
    depth = level;
    too_deep = too_deep || depth > kDepthMax;
    return !too_deep;
  };
  const auto parsed = Json::parse(json, watch, false);
  if (too_deep) return Error{text("JSON nested more than ", kDepthMax, " deep")};
  if (parsed.is_discarded()) return Error{"not valid JSON"};
  return from(parsed);
}

}  // namespace eole::protocol
