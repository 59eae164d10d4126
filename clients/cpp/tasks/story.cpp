#include "clients/cpp/tasks/story.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "common/base/durations.hpp"
#include "common/base/text.hpp"

namespace eole::client {

namespace {

constexpr std::int64_t kAttemptsMax = 255;  // Of a task; a record may say any number.

/// "attempt 3: worker w1: it fell silent", in its parts.
struct Reason {
  std::int64_t attempt = 0;
  std::string text;
};
std::optional<Reason> read_reason(const std::string& written) {
  constexpr std::string_view kBegin = "attempt ";
  if (!written.starts_with(kBegin)) return std::nullopt;
  Reason reason;
  const auto* end = written.data() + written.size();
  const auto [rest, error] = std::from_chars(written.data() + kBegin.size(), end, reason.attempt);
  if (error != std::errc{} || !std::string_view(rest, end).starts_with(": ")) return std::nullopt;
  reason.text = std::string(rest + 2, end);
  return reason;
}

// " on w1 at 2026-01-31T12:00:00.000Z after 3.2 s", so far as it is known.
std::string where_and_when(const Value& record) {
  std::string out;
  if (const auto worker = record["worker"].text_or(""); !worker.empty()) out += " on " + worker;
  if (const auto when = record["finished"].text_or(""); !when.empty()) out += " at " + when;
  const auto* ran = record["run_seconds"].as<double>();
  if (ran != nullptr && *ran > 0) out += " after " + human_seconds(*ran);
  return out;
}

std::string human_milliseconds(double seconds) {
  if (seconds >= 10) return human_seconds(seconds);
  return text(static_cast<std::int64_t>(seconds * 1000), " ms");
}

std::string behind(const std::string& what) { return what.empty() ? "" : ": " + what; }

// A worker told of its end, not the ventilator in its stead.
bool is_told(const Value& record) { return !record["worker"].text_or("").empty(); }
bool is_copy(const Value& record) { return record["state"] == Value("copy"); }

Value lost(const Reason& reason, const char* then) {
  return Value::Map{{"attempt", reason.attempt},
                    {"state", "lost"},
                    {"error", reason.text},
                    {"text", text("attempt ", reason.attempt, " was lost: ", reason.text, then)}};
}

// "process 4711 and 2 others got SIGTERM, then SIGKILL; gone after 0.2 s".
std::string how_stopped(const Value& stopped) {
  const auto seconds = [&] {
    const auto* real = stopped["seconds"].as<double>();
    return human_milliseconds(real == nullptr ? 0 : *real);
  };
  const auto* signals = stopped["signals"].as<Value::Array>();
  if (signals == nullptr) return text("it ended ", seconds(), " after it was told to");
  auto out = text("process ", stopped["pid"].int_or(0));
  const auto others = stopped["processes"].int_or(1) - 1;
  if (others > 0) out += text(" and ", others, others == 1 ? " other" : " others");
  for (std::size_t i = 0; i < signals->size(); ++i)
    out += text(i == 0 ? " got " : ", then ", (*signals)[i].text_or(""));
  return text(out, "; gone after ", seconds());
}

// How one attempt ended, of which its worker told.
Value told(const Value& record, bool is_last) {
  Value out = Value::Map{};
  const bool is_again = record["state"] == Value("retrying");
  const auto state = is_copy(record) ? record["ended"].text_or("")
                     : is_again      ? "failed"
                                     : record["state"].text_or("");
  out.set("attempt", record["attempt"]);
  out.set("state", state);
  for (const auto* name :
       {"worker", "pid", "lease", "offset", "finished", "run_seconds", "error", "stopped"})
    if (!record[name].is_null()) out.set(name, record[name]);
  const auto& stopped = record["stopped"];
  const auto why = state == "cancelled" && !stopped.is_null() ? how_stopped(stopped)
                                                              : record["error"].text_or("");
  const auto* then = is_copy(record)        ? "; another end of its task counts"
                     : is_again && !is_last ? "; tried again, as its task asks"
                                            : "";
  out.set("text", text("attempt ", record["attempt"].int_or(0), " ", state, where_and_when(record),
                       behind(why), then));
  return out;
}

}  // namespace

Value why_ended(const Value& view) {
  const auto state = view["state"].text_or("");
  const auto error = view["error"].text_or("");
  if (!view["is_kept"].is_null())
    return Value::Map{{"code", "not_kept"},
                      {"text", text("it ended, ", state, "; its result is no longer kept")}};
  // Only the ventilator says why a task ended without a worker.
  const auto code = is_told(view) ? "" : view["code"].text_or("");
  const auto attempt = view["attempt"].int_or(0);
  auto out = code.empty() ? text("it is ", state) : error;
  if (is_told(view)) out += text(", attempt ", attempt);
  out += where_and_when(view);
  if (code.empty()) {
    if (!is_told(view) && attempt == 0 && state == "cancelled") out += ", before it began";
    out += behind(error == state ? "" : error);
  }
  return Value::Map{{"code", code.empty() ? state : code}, {"text", std::move(out)}};
}

std::string how_cancelled(const Value& view) {
  const auto when = view["finished"].text_or("");
  const auto at = when.empty() ? "" : " at " + when;
  if (is_copy(view) && !is_told(view))
    return text("its other copy was lost: ", view["error"].text_or(""));
  if (is_copy(view)) {
    const auto ended = view["stopped"].is_null() ? text("is ", view["ended"].text_or(""))
                                                 : how_stopped(view["stopped"]);
    return text("its other copy was running on ", view["worker"].text_or(""), ": ", ended, ",", at);
  }
  if (view["state"].text_or("") != "cancelled")
    return "had ended before: " + why_ended(view)["text"].text_or("");
  if (!is_told(view))
    return text(view["attempt"].int_or(0) == 0 ? "was waiting, and never began"
                                               : "was waiting for its next attempt",
                "; cancelled", at);
  const auto on = " on " + view["worker"].text_or("");
  if (view["stopped"].is_null()) return text("was waiting", on, ", and never began; cancelled", at);
  return text("was running", on, ": ", how_stopped(view["stopped"]), ",", at);
}

Value::Array history_of(const Value& view, const Value::Array& attempts) {
  std::map<std::int64_t, const Value*> records;
  std::map<std::int64_t, Reason> copies;  // Lost ones.
  for (const auto& record : attempts) {
    const auto attempt = record["attempt"].int_or(0);
    if (is_told(record))
      records[attempt] = &record;
    else if (is_copy(record))
      copies[attempt] = {attempt, record["error"].text_or("")};
  }
  std::map<std::int64_t, Reason> reasons;
  if (const auto* list = view["reasons"].as<Value::Array>())
    for (const auto& each : *list)
      if (auto reason = read_reason(each.text_or("")); reason && !records.contains(reason->attempt))
        reasons.try_emplace(reason->attempt, *reason);
  for (const auto& [attempt, reason] : copies)
    if (!records.contains(attempt)) reasons[attempt] = reason;
  // Of a lost one only the ventilator knew why; started anew, it forgot.
  const auto ended = !view["offset"].is_null() && is_told(view) ? view["attempt"].int_or(0) : 0;
  for (std::int64_t attempt = 1; attempt < std::min(ended, kAttemptsMax); ++attempt)
    if (!records.contains(attempt))
      reasons.try_emplace(attempt, Reason{attempt, "no end of it is in the log"});
  const auto last = std::max(records.empty() ? 0 : records.rbegin()->first,
                             reasons.empty() ? 0 : reasons.rbegin()->first);
  // Of a task that lives there is one more, or will be.
  const bool is_over = !view["offset"].is_null();
  Value::Array out;
  std::set<std::int64_t> numbers;  // What a record says may be any.
  for (const auto& [number, record] : records) numbers.insert(number);
  for (const auto& [number, reason] : reasons) numbers.insert(number);
  for (const auto attempt : numbers) {
    if (attempt < 1) continue;
    const bool is_last = is_over && attempt == last;
    if (const auto found = records.find(attempt); found != records.end())
      out.push_back(told(*found->second, is_last));
    else
      out.push_back(lost(reasons.at(attempt), copies.contains(attempt) ? "; its other copy went on"
                                              : is_last                ? ""
                                                                       : "; tried again unasked"));
  }
  return out;
}

}  // namespace eole::client
