#include <algorithm>
#include <cmath>

#include "common/base/ids.hpp"
#include "common/base/nearest.hpp"
#include "common/base/text.hpp"
#include "common/base/utf8.hpp"
#include "common/kinds/kinds.hpp"

namespace eole::kinds {

namespace {

using protocol::Blob;

constexpr std::size_t kSchemeBytesMax = 16;
constexpr double kExactMax = 9007199254740992.0;  // 2^53: up to here every integer is a double.

// The value as `type` wants it; nothing if it is of another type.
std::optional<Value> cast(Type type, const Value& value) {
  const auto all_are = [&](const auto& is_it) {
    const auto* items = value.as<Value::Array>();
    return items != nullptr && std::all_of(items->begin(), items->end(), is_it);
  };
  const auto is_whole = [](const Value& item) { return item.as<std::int64_t>() != nullptr; };
  const auto is_bytes = [](const Value& item) {
    return item.as<std::string>() != nullptr || item.as<Blob>() != nullptr;
  };
  const auto given = [&](bool is_it) { return is_it ? std::optional(value) : std::nullopt; };
  switch (type) {
    case Type::kText:
    case Type::kWebUrl:
      return given(value.as<std::string>() != nullptr);
    case Type::kSha256: {  // Or an artifact, as a result has it.
      const auto& digest = value.as<Value::Map>() != nullptr ? value["sha256"] : value;
      return digest.as<std::string>() != nullptr ? std::optional(digest) : std::nullopt;
    }
    case Type::kBytes:
      return given(is_bytes(value));
    case Type::kInteger:
      if (const auto* real = value.as<double>())
        if (std::trunc(*real) == *real && std::abs(*real) <= kExactMax)
          return Value(static_cast<std::int64_t>(*real));
      return given(value.as<std::int64_t>() != nullptr);
    case Type::kNumber:
      if (const auto* whole = value.as<std::int64_t>()) return Value(static_cast<double>(*whole));
      return given(value.as<double>() != nullptr && std::isfinite(*value.as<double>()));
    case Type::kBoolean:
      return given(value.as<bool>() != nullptr);
    case Type::kTexts:
      return given(all_are(is_bytes));
    case Type::kIntegers:
      return given(all_are(is_whole));
    case Type::kAny:
      return value;
    case Type::kTextMap:
      const auto* members = value.as<Value::Map>();
      return given(members != nullptr &&
                   std::all_of(members->begin(), members->end(), [](const auto& member) {
                     return member.second.template as<std::string>() != nullptr;
                   }));
  }
  return std::nullopt;
}

struct Measure {
  double amount = 0;
  std::string_view unit;
};

Measure measure(const Value& value) {
  const auto size = [](const auto& sized) { return static_cast<double>(sized.size()); };
  if (const auto* whole = value.as<std::int64_t>()) return {static_cast<double>(*whole), ""};
  if (const auto* real = value.as<double>()) return {*real, ""};
  if (const auto* text = value.as<std::string>()) return {size(*text), " bytes"};
  if (const auto* blob = value.as<Blob>()) return {size(blob->bytes), " bytes"};
  if (const auto* items = value.as<Value::Array>()) return {size(*items), " items"};
  if (const auto* members = value.as<Value::Map>()) return {size(*members), " members"};
  return {};
}

// Without a point where there is no fraction.
std::string written(double number) {
  if (std::trunc(number) == number && std::abs(number) <= kExactMax)
    return std::to_string(static_cast<std::int64_t>(number));
  return Value(number).to_json();
}

std::string allowed(const Argument& argument, std::string_view unit) {
  if (argument.min == argument.max) return text("exactly ", written(*argument.min), unit);
  if (!argument.min) return text("at most ", written(*argument.max), unit);
  if (!argument.max) return text("at least ", written(*argument.min), unit);
  return text(written(*argument.min), " to ", written(*argument.max), unit);
}

// Why it is no web address; shows no more than its scheme, for there may be a password in it.
std::string problem_of_url(std::string_view url) {
  const auto is_control = [](unsigned char letter) { return letter < 0x20 || letter == 0x7f; };
  if (std::any_of(url.begin(), url.end(), is_control)) return "has a control character";
  if (is_web_url(url)) return {};
  for (const std::string_view other : {"ftp://", "sftp://", "s3://"})  // A worker's to allow.
    if (url.starts_with(other)) return {};
  const auto scheme = url.substr(0, url.find("://"));
  const bool is_scheme =
      scheme.size() < url.size() && scheme.size() <= kSchemeBytesMax && is_utf8(scheme);
  return text("must be http://… or https://…", is_scheme ? text(", not ", scheme, "://…") : "");
}

// "a, b or c"
std::string listed(std::span<const std::string_view> choices) {
  std::string list;
  for (const auto choice : choices)
    list += text(list.empty() ? "" : choice == choices.back() ? " or " : ", ", choice);
  return list;
}

std::string problem_of_text(const Argument& argument, std::string_view written) {
  if (argument.type == Type::kWebUrl) return problem_of_url(written);
  if (argument.type == Type::kSha256 && !is_sha256(written))
    return text("must be ", to_text(argument.type));
  const auto& choices = argument.choices;
  if (!choices.empty() && std::find(choices.begin(), choices.end(), written) == choices.end())
    return text("must be ", listed(choices), ", not ", written);
  return {};
}

Expected<Value> conform(const Argument& argument, const Value& value) {
  auto cast_value = cast(argument.type, value);
  if (!cast_value) {
    constexpr std::size_t kShownMax = 60;
    auto shown = value.to_json();
    if (shown.size() > kShownMax) shown = "something else";
    return Error{text("must be ", to_text(argument.type), ", not ", shown)};
  }
  const auto [amount, unit] = measure(*cast_value);
  if ((argument.min && amount < *argument.min) || (argument.max && amount > *argument.max)) {
    return Error{text("is ", written(amount), unit, ", allowed is ", allowed(argument, unit))};
  }
  if (const auto* written = cast_value->as<std::string>())
    if (auto problem = problem_of_text(argument, *written); !problem.empty())
      return Error{std::move(problem)};
  if (const auto* items = cast_value->as<Value::Array>();
      items != nullptr && !argument.choices.empty())
    for (const auto& item : *items)
      if (auto problem = problem_of_text(argument, item.text_or("")); !problem.empty())
        return Error{std::move(problem)};
  return std::move(*cast_value);
}

bool has(const Value& args, std::string_view name) {
  const auto* members = args.as<Value::Map>();
  return members != nullptr && std::any_of(members->begin(), members->end(), [&](const auto& each) {
           return each.first == name;
         });
}

std::string unknown(const Kind& kind, std::string_view name) {
  std::vector<std::string> names;
  std::string list;
  for (const auto& argument : kind.arguments) {
    names.emplace_back(argument.name);
    list += (list.empty() ? "" : ", ") + std::string(argument.name);
  }
  const auto near = nearest(name, names);
  return near.empty() ? text("is not one of its arguments (", list, ")")
                      : text("is not one of its arguments; did you mean ", near, "?");
}

}  // namespace

bool is_web_url(std::string_view url) {
  for (const std::string_view prefix : {"http://", "https://"}) {
    const auto is_alike = [](char letter, char wanted) {
      return (letter >= 'A' && letter <= 'Z' ? letter - 'A' + 'a' : letter) == wanted;
    };
    if (url.size() >= prefix.size() &&
        std::equal(prefix.begin(), prefix.end(), url.begin(),
                   [&](char wanted, char letter) { return is_alike(letter, wanted); }))
      return true;
  }
  return false;
}

std::string_view to_text(Type type) {
  switch (type) {
    case Type::kText:
      return "a text";
    case Type::kWebUrl:
      return "a URL as text";
    case Type::kSha256:
      return "a SHA-256: 64 lower-case hexadecimal letters";
    case Type::kInteger:
      return "a whole number";
    case Type::kNumber:
      return "a number";
    case Type::kBoolean:
      return "true or false";
    case Type::kBytes:
      return "a text or bytes";
    case Type::kTexts:
      return "a list of texts or bytes";
    case Type::kIntegers:
      return "a list of whole numbers";
    case Type::kTextMap:
      return "a map of texts";
    case Type::kAny:
      return "anything";
  }
  return "?";
}

Expected<Value> conform(const Kind& kind, const Value& args, std::string* wrong, IsOpen is_open) {
  if (kind.takes_anything) return args;
  const auto refuse = [&](std::string_view name, const std::string& why) {
    if (wrong != nullptr) *wrong = name;
    return Error{text(kind.name, ": ", name, " ", why)};
  };
  const auto* members = args.as<Value::Map>();
  if (members == nullptr && !args.is_null())
    return Error{text(kind.name, ": its arguments must be a map of names and values")};
  for (std::size_t i = 0; members != nullptr && i < members->size(); ++i) {
    const auto& name = (*members)[i].first;
    const auto is_it = [&](const Argument& argument) { return argument.name == name; };
    if (std::none_of(kind.arguments.begin(), kind.arguments.end(), is_it))
      return refuse(name, unknown(kind, name));
    for (std::size_t j = 0; j < i; ++j)
      if ((*members)[j].first == name) return refuse(name, "is there twice");
  }
  Value good = Value::Map{};
  for (const auto& argument : kind.arguments) {
    const auto& value = args[argument.name];
    const bool is_null_meant = argument.type == Type::kAny && has(args, argument.name);
    if (is_open != nullptr && is_open(value)) {
      good.set(std::string(argument.name), value);
    } else if (!value.is_null() || is_null_meant) {
      auto fits = conform(argument, value);
      if (!fits) return refuse(argument.name, fits.error().message);
      good.set(std::string(argument.name), std::move(*fits));
    } else if (argument.is_needed) {
      return Error{text(kind.name, ": ", argument.name, " is missing (", argument.about, ")")};
    } else if (!argument.fallback.empty()) {
      good.set(std::string(argument.name),
               *cast(argument.type, *Value::from_json(argument.fallback)));
    }
  }
  std::string choice;
  std::size_t given = 0;
  for (const auto name : kind.one_of) {
    choice += (choice.empty() ? "" : ", ") + std::string(name);
    given += args[name].is_null() ? 0 : 1;
  }
  if (!kind.one_of.empty() && given != 1)
    return Error{text(kind.name, ": needs one of ", choice, given == 0 ? "" : ", not several")};
  return good;
}

}  // namespace eole::kinds
