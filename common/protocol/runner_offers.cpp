#include "common/protocol/runner_offers.hpp"

#include <algorithm>

#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/base/utf8.hpp"
#include "common/protocol/task_class.hpp"

namespace eole::protocol {

namespace {

const Value::Array& list_of(const Value& value) {
  static const Value::Array none;
  const auto* list = value.as<Value::Array>();
  return list == nullptr ? none : *list;
}

}  // namespace

Expected<void> check_kind_name(std::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax)
    return Error{text("a kind whose name has ", name.size(), " bytes, allowed are 1 to ",
                      kNameBytesMax)};
  const auto is_bad = [](unsigned char letter) {
    return letter <= ' ' || letter == ',' || letter == 0x7f;
  };
  if (is_utf8(name) && std::none_of(name.begin(), name.end(), is_bad)) return {};
  return Error{
      text("a kind ", shown(std::string(name)), ": its name has a comma, a blank or no letters")};
}

Value view_of(const KindOffer& kind) {
  Value::Array arguments;
  for (const auto& [name, type, is_needed, fallback] : kind.arguments)
    arguments.push_back(Value::Map{
        {"name", name}, {"type", type}, {"needed", is_needed}, {"default", fallback}});
  return Value::Map{
      {"name", kind.name}, {"about", kind.about}, {"arguments", std::move(arguments)}};
}

KindOffer kind_offer_of(const Value& view) {
  KindOffer kind{view["name"].text_or(""), view["about"].text_or(""), {}};
  for (const auto& each : list_of(view["arguments"])) {
    const auto* is_needed = each["needed"].as<bool>();
    kind.arguments.push_back({each["name"].text_or(""), each["type"].text_or(""),
                              is_needed != nullptr && *is_needed, each["default"].text_or("")});
  }
  return kind;
}

Bytes encode_runners(const std::vector<RunnerOffer>& runners) {
  Value::Array list;
  for (const auto& [name, problem, kinds] : runners) {
    Value::Array offered;
    for (const auto& kind : kinds) offered.push_back(view_of(kind));
    list.push_back(
        Value::Map{{"name", name}, {"problem", problem}, {"kinds", std::move(offered)}});
  }
  const auto encoded = Value(std::move(list)).to_msgpack();
  Bytes out;
  put<std::uint32_t>(out, static_cast<std::uint32_t>(encoded.size()));
  return out += encoded;
}

Expected<std::vector<RunnerOffer>> read_runners(ByteReader& reader) {
  if (reader.is_done()) return std::vector<RunnerOffer>();
  const auto size = reader.get<std::uint32_t>();
  const auto encoded = reader.take(size);
  if (!reader.ok()) return Error{"runners: cut off"};
  if (size > kRunnersBytesMax)
    return Error{text("runners: ", size, " bytes, limit ", kRunnersBytesMax)};
  const auto told = Value::from_msgpack(encoded);
  if (!told) return Error{text("runners: ", told.error().message)};
  const auto& list = list_of(*told);
  if (list.size() > kRunnersMax)
    return Error{text("runners: ", list.size(), " of them, limit ", kRunnersMax)};
  std::vector<RunnerOffer> runners;
  std::size_t count = 0;
  for (const auto& each : list) {
    RunnerOffer runner{each["name"].text_or(""), each["problem"].text_or(""), {}};
    const auto& kinds = list_of(each["kinds"]);
    count += kinds.size();
    if (count > kOfferedKindsMax)
      return Error{text("runners: ", count, " kinds, limit ", kOfferedKindsMax)};
    for (const auto& kind : kinds) {
      runner.kinds.push_back(kind_offer_of(kind));
      if (auto checked = check_kind_name(runner.kinds.back().name); !checked)
        return Error{text("runners: ", checked.error().message)};
    }
    runners.push_back(std::move(runner));
  }
  return runners;
}

}  // namespace eole::protocol
