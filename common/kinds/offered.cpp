#include "common/kinds/offered.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace eole::kinds {

namespace {

constexpr std::pair<std::string_view, Type> kWords[] = {
    {"text", Type::kText},       {"url", Type::kWebUrl},       {"sha256", Type::kSha256},
    {"integer", Type::kInteger}, {"number", Type::kNumber},    {"boolean", Type::kBoolean},
    {"bytes", Type::kBytes},     {"texts", Type::kTexts},      {"integers", Type::kIntegers},
    {"map", Type::kTextMap},
};

// What is no word of these, its runner alone can check.
Type type_of(std::string_view word) {
  const auto found = std::find_if(std::begin(kWords), std::end(kWords),
                                  [&](const auto& each) { return each.first == word; });
  return found == std::end(kWords) ? Type::kAny : found->second;
}

Argument argument_of(const protocol::KindOffer::Argument& told) {
  Argument argument;
  argument.name = told.name;
  argument.type = type_of(told.type);
  argument.is_needed = told.is_needed;
  argument.about = to_text(argument.type);
  const auto fallback = Value::from_json(told.fallback);
  if (!fallback || fallback->is_null()) return argument;
  Kind alone;
  alone.name = "?";
  alone.arguments = {&argument, 1};
  if (conform(alone, Value::Map{{told.name, *fallback}})) argument.fallback = told.fallback;
  return argument;
}

}  // namespace

OfferedKinds::OfferedKinds(const Value& told) {
  const auto* list = told.as<Value::Array>();
  if (list == nullptr) return;
  for (const auto& each : *list) {
    auto kind = protocol::kind_offer_of(each);
    if (!protocol::check_kind_name(kind.name)) continue;
    names_.push_back(kind.name);
    if (kinds::find(kind.name) == nullptr) told_.push_back(std::move(kind));
  }
  for (const auto& kind : told_) {
    auto& arguments = arguments_.emplace_back();
    for (const auto& argument : kind.arguments) arguments.push_back(argument_of(argument));
  }
  for (std::size_t i = 0; i < told_.size(); ++i) {
    auto& kind = kinds_.emplace_back();
    kind.name = told_[i].name;
    kind.about = told_[i].about;
    kind.runner = Runner::kProcess;
    kind.arguments = arguments_[i];
    kind.takes_anything = arguments_[i].empty();
  }
}

bool OfferedKinds::has(std::string_view name) const {
  return std::find(names_.begin(), names_.end(), name) != names_.end();
}

const Kind* OfferedKinds::find(std::string_view name) const {
  if (const auto* own = kinds::find(name)) return own;
  const auto found = std::find_if(kinds_.begin(), kinds_.end(),
                                  [&](const Kind& kind) { return kind.name == name; });
  return found == kinds_.end() ? nullptr : &*found;
}

}  // namespace eole::kinds
