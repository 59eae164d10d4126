#include "clients/cpp/tasks/task_words.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

#include "common/base/durations.hpp"
#include "common/base/nearest.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"
#include "common/protocol/causes.hpp"
#include "common/protocol/needs.hpp"
#include "common/protocol/trace.hpp"

namespace eole::client {

using protocol::Value;

namespace {

using Is = TaskWord::Is;

// From here on a number of seconds is a date, not a span: 2001.
constexpr double kDatesFrom = 1e9;

Expected<std::string> text_of(const Value& value) {
  const auto* written = value.as<std::string>();
  if (written == nullptr) return Error{"must be a text"};
  return *written;
}

Expected<std::uint64_t> number_of(const Value& value, std::uint64_t least, std::uint64_t most) {
  const auto* number = value.as<std::int64_t>();
  const bool fits = number != nullptr && *number >= 0 &&
                    static_cast<std::uint64_t>(*number) >= least &&
                    static_cast<std::uint64_t>(*number) <= most;
  if (!fits)
    return Error{text(cut_to(value.to_json(), 40), " is no whole number from ", least, " to ", most)};
  return static_cast<std::uint64_t>(*number);
}

Expected<std::uint64_t> span_of(const Value& value) {
  if (const auto* written = value.as<std::string>()) return parse_duration(*written);
  const auto* whole = value.as<std::int64_t>();
  const auto* real = value.as<double>();
  const auto seconds = whole != nullptr  ? static_cast<double>(*whole)
                       : real != nullptr ? *real
                                         : -1;
  if (!(seconds >= 0) || seconds * 1000 > static_cast<double>(kDurationMsMax))
    return Error{R"(must be seconds, or a text like "90s", "1.5h", "2d")"};
  return static_cast<std::uint64_t>(std::ceil(seconds * 1000));
}

struct When {
  std::uint64_t in_ms = 0;
  std::uint64_t unix_ms = 0;
};
// A date, or a span from when the task is accepted.
Expected<When> when_of(const Value& value) {
  const auto* written = value.as<std::string>();
  if (written != nullptr && written->find(':') != std::string::npos) {
    const auto date = parse_time(*written);
    if (!date) return date.error();
    return When{0, static_cast<std::uint64_t>(std::max<std::int64_t>(*date, 1))};
  }
  const auto span = span_of(value);
  if (!span) return Error{text(span.error().message, ", or a time like 2026-01-31T12:00:00Z")};
  if (written == nullptr && static_cast<double>(*span) >= kDatesFrom * 1000) return When{0, *span};
  return When{*span, 0};
}

Expected<void> set_name(std::string& name, const Value& value) {
  auto written = text_of(value);
  if (!written) return written.error();
  name = std::move(*written);
  return {};
}

// Who writes one means it; of a header a bad one is ignored.
Expected<void> set_traceparent(TaskRequest& task, const Value& value) {
  auto trace = protocol::parse_traceparent(value.text_or(""));
  if (!trace) return Error{"must be like 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"};
  task.trace = std::move(*trace);
  return {};
}

Expected<void> set_after(TaskRequest& task, const Value& value) {
  Value::Array one{value};
  const auto* list = value.as<Value::Array>();
  task.after.clear();
  for (const auto& each : list == nullptr ? one : *list) {
    auto written = text_of(each);
    if (!written || written->empty()) return Error{"must be names, ids or project:NAME, as texts"};
    task.after.push_back({std::move(*written)});
  }
  return {};
}

// {"gpu": "a100", "mem": "64G"}, "gpu=a100,mem=64G", or a list of such texts.
Expected<void> set_needs(TaskRequest& task, const Value& value) {
  std::string needs;
  const auto add = [&](std::string_view need) {
    needs.append(needs.empty() ? "" : ",").append(need);
  };
  if (const auto* members = value.as<Value::Map>()) {
    for (const auto& [name, need] : *members) {
      const auto* written = need.as<std::string>();
      add(text(name, "=", written != nullptr ? *written : need.to_json()));
    }
  } else if (const auto* list = value.as<Value::Array>()) {
    for (const auto& need : *list) add(need.text_or("?"));
  } else if (const auto* written = value.as<std::string>()) {
    add(*written);
  } else {
    return Error{R"(must be like {"gpu": "a100", "mem": "64G"}, or "gpu=a100,mem=64G")"};
  }
  if (const auto parsed = protocol::parse_needs(needs); !parsed) return parsed.error();
  task.task_class.needs = std::move(needs);
  return {};
}

Expected<void> set_place(TaskRequest& task, std::string place) {
  auto& said = task.task_class.place;
  if (!said.empty() && said != place) return Error{text("goes without ", said)};
  if (const auto parsed = protocol::parse_place(place); !parsed) return parsed.error();
  said = std::move(place);
  return {};
}

Expected<void> set_worker(TaskRequest& task, const std::string& how, const Value& value) {
  const auto worker = text_of(value);
  return worker ? set_place(task, how + *worker) : worker.error();
}

Expected<void> set_spread(TaskRequest& task, const Value& value) {
  const auto* is_wanted = value.as<bool>();
  if (is_wanted == nullptr) return Error{"must be true or false"};
  return *is_wanted ? set_place(task, "spread") : Expected<void>();
}

Expected<void> set_speculate(TaskRequest& task, const Value& value) {
  const auto* is_wanted = value.as<bool>();
  if (is_wanted == nullptr) return Error{"must be true or false"};
  task.task_class.speculate = *is_wanted ? 1 : 0;
  return {};
}

Expected<void> set_on_parent_failure(TaskRequest& task, const Value& value) {
  constexpr std::array<std::string_view, 3> kNames{"fail", "skip", "run"};
  const auto written = value.text_or("");
  const auto* found = std::find(kNames.begin(), kNames.end(), written);
  if (found == kNames.end()) return Error{"must be fail, skip or run"};
  task.task_class.on_parent_failure = static_cast<std::uint8_t>(found - kNames.begin());
  return {};
}

// Milliseconds of the class, up to `most`.
Expected<void> set_milliseconds(std::uint32_t& milliseconds, const Value& value,
                                std::uint64_t most) {
  const auto span = span_of(value);
  if (!span) return span.error();
  if (*span > most) return Error{text(show_duration(*span), ", limit ", show_duration(most))};
  milliseconds = static_cast<std::uint32_t>(*span);
  return {};
}

Expected<void> set_attempts(TaskRequest& task, const Value& value) {
  const auto number = number_of(value, 1, UINT8_MAX);
  if (!number) return number.error();
  task.task_class.attempts_max = static_cast<std::uint8_t>(*number);
  return {};
}

Expected<void> set_backoff(TaskRequest& task, const Value& value) {
  task.task_class.retry = 1;
  return set_milliseconds(task.task_class.backoff_ms, value, protocol::kBackoffMsMax);
}

Expected<void> set_backoff_max(TaskRequest& task, const Value& value) {
  task.task_class.retry = 1;
  return set_milliseconds(task.task_class.backoff_max_ms, value, protocol::kBackoffMsMax);
}

// Causes with commas between them, or a list of them.
Expected<void> set_retry_on(TaskRequest& task, const Value& value) {
  auto causes = value.text_or("");
  if (const auto* list = value.as<Value::Array>())
    for (const auto& each : *list) causes += (causes.empty() ? "" : ",") + each.text_or("?");
  if (causes.empty()) return Error{"must be causes of failures (exit:75, signal, timeout, …)"};
  if (auto known = protocol::check_causes(causes); !known) return known;
  task.task_class.retry = 1;
  task.task_class.retry_on = std::move(causes);
  return {};
}

Expected<void> set_retry(TaskRequest& task, const Value& value) {
  struct Member {
    std::string_view name;
    Expected<void> (*set)(TaskRequest&, const Value&);
  };
  constexpr std::array kMembers{Member{"attempts", set_attempts}, Member{"backoff", set_backoff},
                                Member{"backoff_max", set_backoff_max}, Member{"on", set_retry_on}};
  if (const auto* is_wanted = value.as<bool>()) {
    task.task_class.retry = *is_wanted ? 1 : 0;
    return {};
  }
  const auto* members = value.as<Value::Map>();
  if (members == nullptr)
    return Error{"must be true, false, or {attempts, backoff, backoff_max, on}"};
  task.task_class.retry = 1;
  for (const auto& [name, member] : *members) {
    const auto* known = std::find_if(kMembers.begin(), kMembers.end(),
                                     [&wanted = name](const Member& each) { return each.name == wanted; });
    if (known == kMembers.end())
      return Error{text(name, ": not known; attempts, backoff, backoff_max and on are")};
    if (auto set = known->set(task, member); !set)
      return Error{text(name, ": ", set.error().message)};
  }
  return {};
}

constexpr std::array kWords{
    TaskWord{"kind", Is::kOnlyJson, "", "what is to be done",
             [](TaskRequest& task, const Value& value) {
               return set_name(task.task_class.kind, value);
             }},
    TaskWord{"args", Is::kOnlyJson, "", "its arguments",
             [](TaskRequest& task, const Value& value) -> Expected<void> {
               task.args = value.to_msgpack();
               return {};
             }},
    TaskWord{"name", Is::kOnlyJson, "", "what tasks behind it in the file call it",
             [](TaskRequest& task, const Value& value) { return set_name(task.name, value); }},
    TaskWord{"project", Is::kText, "NAME", "a name to find tasks by",
             [](TaskRequest& task, const Value& value) {
               return set_name(task.task_class.project, value);
             }},
    TaskWord{"priority", Is::kNumber, "0-9", "a higher one is served first [0]",
             [](TaskRequest& task, const Value& value) -> Expected<void> {
               const auto number = number_of(value, 0, protocol::kPriorityMax);
               if (!number) return number.error();
               task.task_class.priority = static_cast<std::uint8_t>(*number);
               return {};
             }},
    TaskWord{"delay", Is::kText, "SPAN", "not before so long after it was accepted: 90s, 1.5h, 2d",
             [](TaskRequest& task, const Value& value) -> Expected<void> {
               const auto span = span_of(value);
               if (!span) return span.error();
               task.conditions.delay_ms = *span;
               return {};
             }},
    TaskWord{"not_before", Is::kText, "TIME", "not before 2026-01-31T12:00:00Z, or a span from now",
             [](TaskRequest& task, const Value& value) -> Expected<void> {
               const auto when = when_of(value);
               if (!when) return when.error();
               task.conditions.not_before_unix_ms = when->unix_ms;
               task.conditions.delay_ms = std::max(task.conditions.delay_ms, when->in_ms);
               return {};
             }},
    TaskWord{"expires", Is::kText, "TIME", "of no use if it has not begun then; a time, or a span",
             [](TaskRequest& task, const Value& value) -> Expected<void> {
               const auto when = when_of(value);
               if (!when) return when.error();
               if (when->in_ms == 0 && when->unix_ms == 0) return Error{"must be in the future"};
               task.conditions.expires_unix_ms = when->unix_ms;
               task.conditions.expires_in_ms = when->in_ms;
               return {};
             }},
    TaskWord{
        "key", Is::kText, "KEY", "tasks of one key run one by one, in the order submitted",
        [](TaskRequest& task, const Value& value) { return set_name(task.conditions.key, value); },
        "order-key"},
    TaskWord{"after", Is::kTexts, "ID",
             "not before these tasks have ended; project:NAME: all of it", set_after},
    TaskWord{"on_parent_failure", Is::kText, "WHAT",
             "if one of those was not done: fail, skip or run [fail]", set_on_parent_failure},
    TaskWord{"needs", Is::kTexts, "NAME=VALUE", "only where a worker has it: gpu=a100, mem=64G",
             set_needs, "need"},
    TaskWord{"pin", Is::kText, "WORKER", "only on the worker of this name",
             [](TaskRequest& task, const Value& value) { return set_worker(task, "pin=", value); }},
    TaskWord{
        "prefer", Is::kText, "WORKER", "on the worker of this name if it has room",
        [](TaskRequest& task, const Value& value) { return set_worker(task, "prefer=", value); }},
    TaskWord{"spread", Is::kFlag, "", "where the fewest of its project are", set_spread},
    TaskWord{"speculate", Is::kFlag, "", "a second copy, if it takes far longer than others do",
             set_speculate},
    TaskWord{"retry", Is::kFlag, "", "try a failed attempt again", set_retry},
    TaskWord{"attempts", Is::kNumber, "N", "the most attempts; then a dead letter [5]",
             set_attempts},
    TaskWord{"backoff", Is::kText, "SPAN", "up to so long before a second attempt [0.25s]",
             set_backoff},
    TaskWord{"backoff_max", Is::kText, "SPAN", "… doubled with each further one, up to this [1m]",
             set_backoff_max},
    TaskWord{"retry_on", Is::kText, "CAUSES",
             "try only these failures again: exit:75,exit:1-9,signal,http:503,timeout",
             set_retry_on},
    TaskWord{"timeout", Is::kText, "SPAN", "of one attempt: 90s, 1.5h [none]",
             [](TaskRequest& task, const Value& value) {
               return set_milliseconds(task.task_class.timeout_ms, value, protocol::kTimeoutMsMax);
             }},
    TaskWord{"traceparent", Is::kText, "TRACE", "the W3C trace context that it is part of",
             set_traceparent},
};

}  // namespace

std::span<const TaskWord> task_words() { return kWords; }

Expected<void> set_word(TaskRequest& task, std::string_view name, const Value& value) {
  const auto word = std::find_if(kWords.begin(), kWords.end(),
                                 [&](const TaskWord& each) { return each.name == name; });
  if (word == kWords.end()) {
    std::vector<std::string> names;
    names.reserve(kWords.size());
    for (const auto& each : kWords) names.emplace_back(each.name);
    const auto near = nearest(std::string(name), names);
    return Error{text(name, ": not a word of a task",
                      near.empty() ? "" : text("; did you mean ", near, "?"))};
  }
  if (auto set = word->set(task, value); !set) return Error{text(name, ": ", set.error().message)};
  return {};
}

}  // namespace eole::client
