#include "gateway/io/answers.hpp"

#include <algorithm>

#include "common/base/durations.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"
#include "common/protocol/task_class.hpp"

namespace eole::gateway {

using http::Problem;

namespace {
constexpr std::size_t kMapBytesMax = 2 << 20;
static_assert(protocol::kExpectedMax == 1'099'511'627'776);  // As it is told.

// Null: it is.
const char* why_not(const Value& value, Member::Is is) {
  const auto* written = value.as<std::string>();
  switch (is) {
    case Member::Is::kAny:
      return nullptr;
    case Member::Is::kText:
      return written != nullptr ? nullptr : "is no text";
    case Member::Is::kName:
      if (written == nullptr) return "is no text";
      return written->empty() ? "is empty" : nullptr;
    case Member::Is::kFlag:
      return value.as<bool>() != nullptr ? nullptr : "is neither true nor false";
    case Member::Is::kList:
      return value.as<Value::Array>() != nullptr ? nullptr : "is no list";
    case Member::Is::kWhole:
      return value.as<std::int64_t>() != nullptr && value.int_or(-1) >= 0 ? nullptr
                                                                          : "is no whole number";
    case Member::Is::kExpected:
      return value.int_or(0) >= 1 && value.int_or(0) <= protocol::kExpectedMax
                 ? nullptr
                 : "is no whole number from 1 to 1099511627776";
  }
  return nullptr;
}
}  // namespace

http::Response json(int status, const Value& body) {
  return {status, {{"Content-Type", "application/json"}}, body.to_json()};
}

Value need(Expected<Value> answer) {
  if (!answer) throw problem_of(answer.error());
  return std::move(*answer);
}

awaitable<Value> read_map(Exchange& exchange) {
  const auto body = co_await exchange.read_all(kMapBytesMax);
  if (body.empty()) co_return Value(Value::Map{});
  auto json = Value::from_json(body);
  if (!json) throw Problem(400, json.error().message, {{"", json.error().message}});
  if (json->as<Value::Map>() == nullptr)
    throw Problem(400, "not an object", {{"", "must be an object"}});
  co_return std::move(*json);
}

void check(const Value& map, const std::vector<Member>& members) {
  const auto* said = map.as<Value::Map>();
  if (said == nullptr) return;
  for (const auto& [name, value] : *said) {
    const auto found = std::ranges::find(members, name, &Member::name);
    if (found == members.end()) continue;
    if (const auto* what = why_not(value, found->is); what != nullptr) {
      const auto why = found->like.empty() ? what : text(what, ", wanted is ", found->like);
      throw Problem(400, text(name, " ", value.to_json(), ": ", why), {{"/" + name, why}});
    }
  }
}

void only(const Value& map, const std::vector<Member>& members) {
  const auto* said = map.as<Value::Map>();
  if (said == nullptr) return;
  std::string all;
  for (const auto& member : members) all += text(all.empty() ? "" : ", ", member.name);
  for (const auto& [name, value] : *said)
    if (std::ranges::find(members, name, &Member::name) == members.end())
      throw Problem(400, text(name, ": is no member; there are ", all),
                    {{"/" + name, "is no member; there are " + all}});
  check(map, members);
}

Value options_of(const http::Request& request, const std::vector<QueryOption>& known) {
  Value options = Value::Map{};
  for (const auto& option : known) {
    const auto written = request.option(option.name);
    if (!written || written->empty()) continue;
    if (!option.is_number) {
      options.set(std::string(option.ring_name), *written);
      continue;
    }
    const auto number = Value::from_json(*written);
    const auto* whole = number ? number->as<std::int64_t>() : nullptr;
    if (whole == nullptr || *whole < 0)
      throw Problem(400, text(option.name, "=", *written, ": is no whole number"));
    options.set(std::string(option.ring_name), *whole);
  }
  return options;
}

Duration duration_of(const http::Request& request, std::string_view name, Duration preset,
                     Duration most) {
  const auto written = request.option(name);
  if (!written) return preset;
  const auto milliseconds = parse_duration(*written);
  if (!milliseconds)
    throw Problem(400, text(name, "=", *written, ": ", milliseconds.error().message));
  const auto time = std::chrono::milliseconds(*milliseconds);
  if (time > most) throw Problem(400, text(name, "=", *written, ": limit ", most / 1s, "s"));
  return time;
}

std::uint32_t count_of(const http::Request& request, std::string_view name, std::uint32_t preset,
                       std::uint32_t most) {
  const auto written = request.option(name);
  if (!written) return preset;
  const auto number = Value::from_json(*written);
  const auto count = number ? number->int_or(0) : 0;
  if (count < 1 || count > most) throw Problem(400, text(name, "=", *written, ": 1 to ", most));
  return static_cast<std::uint32_t>(count);
}

std::int64_t time_of(std::string_view name, const std::string& written) {
  const auto number = Value::from_json(written);
  if (const auto* unix_ms = number ? number->as<std::int64_t>() : nullptr) return *unix_ms;
  if (const auto span = parse_duration(written))
    return process::unix_ms() - static_cast<std::int64_t>(*span);
  const auto time = parse_time(written);
  if (!time) throw http::Problem(400, text(name, "=", written, ": ", time.error().message));
  return *time;
}

}  // namespace eole::gateway
