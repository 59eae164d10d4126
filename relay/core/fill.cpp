#include "relay/core/fill.hpp"

#include <string>
#include <string_view>
#include <utility>

#include "common/base/text.hpp"

namespace eole::relay {

using protocol::Value;

namespace {

Expected<Value> member(const Value& event, std::string_view path) {
  const Value* at = &event;
  for (std::string_view rest = path;;) {
    const auto dot = rest.find('.');
    at = &(*at)[rest.substr(0, dot)];
    if (at->is_null()) return Error{text("the event has no ", path)};
    if (dot == rest.npos) return *at;
    rest.remove_prefix(dot + 1);
  }
}

std::string written_of(const Value& value) {
  const auto* found = value.as<std::string>();
  return found != nullptr ? *found : value.to_json();
}

Expected<Value> fill_text(std::string_view written, const Value& event) {
  std::string out;
  while (!written.empty()) {
    const auto at = written.find('$');
    out += written.substr(0, at);
    if (at == written.npos) break;
    written.remove_prefix(at + 1);
    if (written.starts_with('$')) {
      out += '$';
      written.remove_prefix(1);
      continue;
    }
    const bool is_within = written.starts_with('{');
    if (!is_within) {
      if (at != 0 || !out.empty())
        return Error{text("a $ within a text: ${NAME}, or $$ for a dollar")};
      return member(event, written);
    }
    const auto end = written.find('}');
    if (end == written.npos) return Error{"${ without }"};
    auto found = member(event, written.substr(1, end - 1));
    if (!found) return found.error();
    out += written_of(*found);
    written.remove_prefix(end + 1);
  }
  return Value(std::move(out));
}

}  // namespace

Expected<Value> fill(const Value& written, const Value& event) {
  if (const auto* some = written.as<std::string>()) return fill_text(*some, event);
  if (const auto* list = written.as<Value::Array>()) {
    Value::Array out;
    for (const auto& each : *list) {
      auto filled = fill(each, event);
      if (!filled) return filled;
      out.push_back(std::move(*filled));
    }
    return Value(std::move(out));
  }
  if (const auto* members = written.as<Value::Map>()) {
    Value::Map out;
    for (const auto& [name, each] : *members) {
      auto filled = fill(each, event);
      if (!filled) return filled;
      out.emplace_back(name, std::move(*filled));
    }
    return Value(std::move(out));
  }
  return written;
}

}  // namespace eole::relay
