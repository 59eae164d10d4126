#include "common/protocol/value.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "common/base/bytes.hpp"
#include "common/base/text.hpp"
#include "common/protocol/packer.hpp"

namespace eole::protocol {

namespace {

// Answers wrap what was submitted: a list of views of results, with bodies that have values.
constexpr int kReadDepthMax = Value::kDepthMax + 4;

void pack(Packer& packer, const Value& value) {
  if (const auto* boolean = value.as<bool>()) {
    *boolean ? packer.pack_true() : packer.pack_false();
  } else if (const auto* number = value.as<std::int64_t>()) {
    packer.pack_int64(*number);
  } else if (const auto* large = value.as<std::uint64_t>()) {
    packer.pack_uint64(*large);
  } else if (const auto* real = value.as<double>()) {
    pack_real(packer, *real);
  } else if (const auto* string = value.as<std::string>()) {
    pack_text(packer, *string);
  } else if (const auto* blob = value.as<Blob>()) {
    pack_bytes(packer, blob->bytes);
  } else if (const auto* array = value.as<Value::Array>()) {
    packer.pack_array(static_cast<std::uint32_t>(array->size()));
    for (const auto& item : *array) pack(packer, item);
  } else if (const auto* map = value.as<Value::Map>()) {
    packer.pack_map(static_cast<std::uint32_t>(map->size()));
    for (const auto& [name, item] : *map) {
      pack_text(packer, name);
      pack(packer, item);
    }
  } else {
    packer.pack_nil();
  }
}

// Builds a value from hostile msgpack. Containers grow as items arrive: an announced length
// alone never allocates.
struct ValueVisitor : msgpack::null_visitor {
  bool add(Value value) {
    if (open.empty()) {
      root = std::move(value);
      return true;
    }
    auto& top = open.back();
    if (!top.is_map) {
      top.items.push_back(std::move(value));
    } else if (top.in_key) {
      const auto* key = value.as<std::string>();
      if (key == nullptr) return false;
      top.key = *key;
    } else {
      top.members.emplace_back(std::move(top.key), std::move(value));
    }
    return true;
  }
  bool start(bool is_map) {
    if (open.size() >= kReadDepthMax) return false;
    open.push_back({});
    open.back().is_map = is_map;
    return true;
  }
  bool end() {
    auto top = std::move(open.back());
    open.pop_back();
    return top.is_map ? add(std::move(top.members)) : add(std::move(top.items));
  }
  bool visit_nil() { return add({}); }
  bool visit_boolean(bool value) { return add(value); }
  bool visit_positive_integer(std::uint64_t value) { return add(value); }
  bool visit_negative_integer(std::int64_t value) { return add(value); }
  bool visit_float32(float value) { return add(static_cast<double>(value)); }
  bool visit_float64(double value) { return add(value); }
  bool visit_str(const char* text, std::uint32_t size) { return add(std::string(text, size)); }
  bool visit_bin(const char* bytes, std::uint32_t size) { return add(Blob{{bytes, size}}); }
  bool visit_ext(const char*, std::uint32_t) { return false; }
  bool start_array(std::uint32_t count) {
    if (!start(false)) return false;
    open.back().items.reserve(spend(count));
    return true;
  }
  bool end_array() { return end(); }
  bool start_map(std::uint32_t count) {
    if (!start(true)) return false;
    open.back().members.reserve(spend(count));
    return true;
  }
  /// How many of so many elements may be expected: each takes at least one of the bytes.
  std::size_t spend(std::size_t count) {
    const auto expected = std::min(count, elements_left);
    elements_left -= expected;
    return expected;
  }
  bool start_map_key() { return open.back().in_key = true; }
  bool end_map_key() {
    open.back().in_key = false;
    return true;
  }
  bool end_map() { return end(); }
  void parse_error(std::size_t, std::size_t) {}
  void insufficient_bytes(std::size_t, std::size_t) {}

  struct Open {
    bool is_map = false;
    bool in_key = false;
    std::string key;
    Value::Array items;
    Value::Map members;
  };
  std::vector<Open> open;
  Value root;
  std::size_t elements_left = 0;
};

const Value kNull;

}  // namespace

const Value& Value::operator[](std::string_view name) const {
  if (const auto* map = as<Map>())
    for (const auto& [key, value] : *map)
      if (key == name) return value;
  return kNull;
}

void Value::set(std::string name, Value value) {
  if (as<Map>() == nullptr) data_ = Map{};
  auto& map = std::get<Map>(data_);
  for (auto& [key, old] : map)
    if (key == name) return void(old = std::move(value));
  map.emplace_back(std::move(name), std::move(value));
}

std::string Value::text_or(std::string_view fallback) const {
  const auto* string = as<std::string>();
  return string != nullptr ? *string : std::string(fallback);
}

std::int64_t Value::int_or(std::int64_t fallback) const {
  const auto* number = as<std::int64_t>();
  return number != nullptr ? *number : fallback;
}

Bytes Value::to_msgpack() const {
  Bytes out;
  PackSink sink{out};
  Packer packer(sink);
  pack(packer, *this);
  return out;
}

namespace {

// Big-endian, as msgpack has them.
std::size_t take_length(ByteReader& reader, std::size_t bytes) {
  std::size_t length = 0;
  for (const char byte : reader.take(bytes))
    length = length << 8 | static_cast<unsigned char>(byte);
  return length;
}

}  // namespace

// By hand: the library's parser allocates for each value, and this runs for each task.
bool is_msgpack(std::string_view bytes) {
  ByteReader reader(bytes);
  std::array<std::size_t, Value::kDepthMax + 1> left{1};  // Values to come, on each level.
  std::size_t depth = 0;
  while (reader.ok()) {
    if (left[depth] == 0) {
      if (depth == 0) return reader.is_done();
      --depth;
      continue;
    }
    --left[depth];
    const unsigned first = reader.get<std::uint8_t>();
    std::size_t skipped = 0;
    std::optional<std::size_t> elements;
    if (first <= 0x7f || first >= 0xe0) {
      continue;                  // A small integer.
    } else if (first <= 0x8f) {  // A small map, a small array, a short text.
      elements = 2 * (first & 15U);
    } else if (first <= 0x9f) {
      elements = first & 15U;
    } else if (first <= 0xbf) {
      skipped = first & 31U;
    } else if (first <= 0xc3) {  // Nil, what is never used, false, true.
      if (first == 0xc1) return false;
    } else if (first <= 0xc6) {  // Bytes.
      skipped = take_length(reader, 1U << (first - 0xc4));
    } else if (first <= 0xc9) {  // An extension: its type lies before its bytes.
      skipped = 1 + take_length(reader, 1U << (first - 0xc7));
    } else if (first <= 0xcb) {  // Floats.
      skipped = 4U << (first - 0xca);
    } else if (first <= 0xd3) {  // Integers of 1, 2, 4, 8 bytes without and with sign.
      skipped = 1U << (first & 3U);
    } else if (first <= 0xd8) {  // Extensions of 1, 2, 4, 8, 16 bytes.
      skipped = 1 + (1U << (first - 0xd4));
    } else if (first <= 0xdb) {  // Text.
      skipped = take_length(reader, 1U << (first - 0xd9));
    } else if (first <= 0xdd) {  // An array, a map.
      elements = take_length(reader, 2U << (first - 0xdc));
    } else {
      elements = 2 * take_length(reader, 2U << (first - 0xde));
    }
    reader.take(skipped);
    if (!elements) continue;
    if (++depth >= left.size()) return false;
    left[depth] = *elements;
  }
  return false;
}

Expected<Value> Value::from_msgpack(std::string_view bytes) {
  ValueVisitor visitor;
  visitor.elements_left = bytes.size();
  std::size_t end = 0;
  if (!msgpack::parse(bytes.data(), bytes.size(), end, visitor) || end != bytes.size())
    return Error{
        text("not one msgpack value with text keys and at most ", kReadDepthMax, " levels")};
  return std::move(visitor.root);
}

}  // namespace eole::protocol
