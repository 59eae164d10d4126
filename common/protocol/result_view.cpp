#include "common/protocol/result_view.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <ctime>

namespace eole::protocol {

namespace {

std::string rfc3339(std::int64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 48> out{};
  const auto size = std::strftime(out.data(), out.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(out.data() + size, out.size() - size, ".%03dZ", static_cast<int>(unix_ms % 1000));
  return out.data();
}

}  // namespace

Value view_of(const ResultRecord& result, std::string_view worker, std::uint64_t offset) {
  Value view = Value::Map{};
  if (offset != kNoOffset) view.set("offset", offset);
  view.set("id", to_text(result.id));
  view.set("kind", result.kind);
  view.set("project", result.project);
  if (!result.key.empty()) view.set("key", result.key);
  view.set("state", result.is_final ? to_text(result.state) : "retrying");
  view.set("attempt", std::uint32_t{result.attempt});
  view.set("worker", worker);
  if (result.finished_unix_ms > 0) view.set("finished", rfc3339(result.finished_unix_ms));
  view.set("run_seconds", result.run_ms / 1000.0);
  if (result.is_unconfirmed) view.set("unconfirmed", true);
  const auto body = Value::from_msgpack(result.body);
  const auto* members = body ? body->as<Value::Map>() : nullptr;
  if (members == nullptr) {  // Nothing is hidden because it cannot be read.
    view.set("body", Blob{Bytes(result.body)});
    return view;
  }
  for (const auto& [name, value] : *members)  // A worker's body says nothing about the rest.
    if (name != "spec" && name != "offset" && view[name].is_null()) view.set(name, value);
  return view;
}

}  // namespace eole::protocol
