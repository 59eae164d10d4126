#include "common/protocol/result_view.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "common/base/logins.hpp"
#include "common/base/planted.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/protocol/wanted.hpp"

namespace eole::protocol {

bool is_of_the_record(std::string_view name) {
  constexpr std::array kNames{"offset",   "id",          "kind",        "project",
                              "state",    "attempt",     "worker",      "submitted",
                              "finished", "run_seconds", "unconfirmed", "spec"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

std::string rfc3339(std::int64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 48> out{};
  const auto size = std::strftime(out.data(), out.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(out.data() + size, out.size() - size, ".%03dZ", static_cast<int>(unix_ms % 1000));
  return out.data();
}

namespace {

constexpr std::size_t kLineColumns = 120;
constexpr std::size_t kPartColumns = 60;  // Of one member of a value.

// So much of it that its JSON begins as that of all of it, for `room` bytes.
Value begin_of(const Value& value, std::size_t& room) {
  const auto cut = [&](const std::string& whole) {
    auto begin = whole.substr(0, room);
    room -= begin.size();
    return begin;
  };
  const auto is_room = [&] { return room > 0 && room-- > 0; };  // A member has a letter at least.
  if (const auto* written = value.as<std::string>()) return cut(*written);
  if (const auto* blob = value.as<Blob>()) return Blob{cut(blob->bytes)};
  if (const auto* members = value.as<Value::Array>()) {
    Value::Array begin;
    for (auto one = members->begin(); one != members->end() && is_room(); ++one)
      begin.push_back(begin_of(*one, room));
    return begin;
  }
  if (const auto* members = value.as<Value::Map>()) {
    Value::Map begin;
    for (auto one = members->begin(); one != members->end() && is_room(); ++one) {
      auto name = cut(one->first);
      begin.emplace_back(std::move(name), begin_of(one->second, room));
    }
    return begin;
  }
  return value;
}

std::string told(const Value& value, std::size_t most) {
  if (const auto* written = value.as<std::string>()) return written->substr(0, most);
  if (const auto* blob = value.as<Blob>()) return blob->bytes.substr(0, most);
  if (value.is_null()) return {};
  auto room = most + 4;  // A letter that is cut lies behind.
  return begin_of(value, room).to_json().substr(0, most);
}

}  // namespace

std::string in_a_line(const Value& value) {
  std::string line;
  const auto* members = value.as<Value::Map>();
  if (members == nullptr) {
    line = told(value, 4 * kLineColumns);
  } else {
    for (const auto& [name, member] : *members) {
      if (line.size() > 4 * kLineColumns) break;
      if (const auto part = told(member, 4 * kPartColumns); !part.empty())
        line += text(line.empty() ? "" : " ", name, "=", cut_to(part, kPartColumns));
    }
  }
  for (auto& one : line)
    if (static_cast<unsigned char>(one) < ' ') one = ' ';
  while (line.ends_with(' ')) line.pop_back();
  return cut_to(line, kLineColumns);
}

namespace {

Value masked(const Value& value) {
  if (const auto* written = value.as<std::string>()) return without_passwords(*written);
  if (const auto* list = value.as<Value::Array>()) {
    Value::Array out;
    for (const auto& each : *list) out.push_back(masked(each));
    return out;
  }
  if (const auto* members = value.as<Value::Map>()) {
    Value::Map out;
    for (const auto& [name, member] : *members) out.emplace_back(name, masked(member));
    return out;
  }
  return value;
}

}  // namespace

Value shown_args(std::string_view args) {
  const auto value = Value::from_msgpack(args);
  return value ? masked(*value) : Value();
}

// What is nothing, or nothing in brackets, tells nothing.
void tell_args(std::string_view args, Value& body) {
  if (args.size() < 2 || args.size() > kArgsToldMax || planted("result-without-args")) return;
  auto value = shown_args(args);
  if (!value.is_null() && body.to_msgpack().size() + 2 * kArgsToldMax <= kInlineBytesMax)
    body.set("args", std::move(value));
}

Value body_view(std::string_view body) {
  auto value = Value::from_msgpack(body);
  const auto* members = value ? value->as<Value::Map>() : nullptr;
  if (members == nullptr)  // Nothing is hidden because it cannot be read.
    return Value::Map{{"body", Blob{Bytes(body)}}};
  Value::Map view;
  for (const auto& [name, member] : *members)
    if (!is_of_the_record(name)) view.emplace_back(name, member);
  return view;
}

Value view_of(const ResultRecord& result, std::string_view worker, std::uint64_t offset) {
  Value view = Value::Map{};
  if (offset != kNoOffset) view.set("offset", offset);
  view.set("id", to_text(result.id));
  view.set("kind", result.kind);
  view.set("project", result.project);
  if (!result.key.empty()) view.set("key", result.key);
  view.set("state", state_of(result));
  if (result.is_copy) view.set("ended", to_text(result.state));
  view.set("attempt", std::uint32_t{result.attempt});
  view.set("worker", worker);
  if (result.submitted_unix_ms > 0) view.set("submitted", rfc3339(result.submitted_unix_ms));
  if (result.finished_unix_ms > 0) view.set("finished", rfc3339(result.finished_unix_ms));
  view.set("run_seconds", static_cast<double>(result.run_ms()) / 1000.0);
  if (result.is_unconfirmed) view.set("unconfirmed", true);
  const auto body = body_view(result.body);
  for (const auto& [name, value] : *body.as<Value::Map>())
    if (view[name].is_null()) view.set(name, value);
  return view;
}

}  // namespace eole::protocol
