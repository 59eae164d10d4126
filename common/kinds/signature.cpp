#include "common/kinds/signature.hpp"

#include <algorithm>
#include <charconv>

#include "common/base/ids.hpp"
#include "common/base/text.hpp"

namespace eole::kinds {

using protocol::Value;

namespace {

constexpr std::string_view kPurpose = "eole exec 1\n";  // It signs nothing else.
constexpr std::size_t kKeyBytes = 32;
constexpr std::size_t kSignatureBytes = 64;

Value sorted(const Value& value) {
  if (const auto* items = value.as<Value::Array>()) {
    Value::Array list;
    for (const auto& item : *items) list.push_back(sorted(item));
    return list;
  }
  const auto* members = value.as<Value::Map>();
  if (members == nullptr) return value;
  Value::Map map;
  for (const auto& [name, member] : *members) map.emplace_back(name, sorted(member));
  std::stable_sort(map.begin(), map.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  return map;
}

}  // namespace

Bytes bytes_to_sign(const Value& args) {
  Value::Map others;
  if (const auto* members = args.as<Value::Map>())
    for (const auto& member : *members)
      if (member.first != kSignature) others.push_back(member);
  return text(kPurpose, sorted(others).to_msgpack());
}

std::string Signature::text() const { return eole::text(hex(public_key), ":", hex(bytes)); }

Expected<Signature> Signature::of(std::string_view text) {
  const auto colon = text.find(':');
  if (colon == text.npos) return Error{"is no KEY:SIGNATURE"};
  const auto key = bytes_of_hex(text.substr(0, colon), kKeyBytes);
  const auto signature = bytes_of_hex(text.substr(colon + 1), kSignatureBytes);
  if (!key || !signature) return Error{"is no KEY:SIGNATURE"};
  return Signature{*key, *signature};
}

Expected<std::string> bytes_of_hex(std::string_view hex, std::size_t bytes) {
  if (hex.size() != 2 * bytes) return Error{text("has ", hex.size(), " letters, not ", 2 * bytes)};
  std::string read;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    unsigned char byte = 0;
    const auto pair = hex.substr(i, 2);
    const auto [end, error] = std::from_chars(pair.data(), pair.data() + 2, byte, 16);
    if (error != std::errc() || end != pair.data() + 2) return Error{"is not hexadecimal"};
    read += static_cast<char>(byte);
  }
  return read;
}

}  // namespace eole::kinds
