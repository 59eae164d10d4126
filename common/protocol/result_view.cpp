#include "common/protocol/result_view.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

#include "common/protocol/wanted.hpp"

namespace eole::protocol {

bool is_of_the_record(std::string_view name) {
  constexpr std::array kNames{"offset", "id",       "kind",        "project",     "state", "attempt",
                              "worker", "finished", "run_seconds", "unconfirmed", "spec"};
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
  view.set("attempt", std::uint32_t{result.attempt});
  view.set("worker", worker);
  if (result.finished_unix_ms > 0) view.set("finished", rfc3339(result.finished_unix_ms));
  view.set("run_seconds", static_cast<double>(result.run_ms()) / 1000.0);
  if (result.is_unconfirmed) view.set("unconfirmed", true);
  const auto body = body_view(result.body);
  for (const auto& [name, value] : *body.as<Value::Map>())
    if (view[name].is_null()) view.set(name, value);
  return view;
}

}  // namespace eole::protocol
