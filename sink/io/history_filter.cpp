#include "sink/io/history_filter.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "common/base/commas.hpp"
#include "common/base/ids.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/base/utf8.hpp"
#include "common/protocol/result_view.hpp"
#include "common/protocol/task_class.hpp"

namespace eole::sink {

using protocol::TaskState;
using protocol::Value;

namespace {

constexpr std::array<std::pair<std::string_view, std::int64_t>, 5> kStates{
    {{"retrying", kRetrying},
     {"done", static_cast<std::int64_t>(TaskState::kDone)},
     {"failed", static_cast<std::int64_t>(TaskState::kFailed)},
     {"dead", static_cast<std::int64_t>(TaskState::kDead)},
     {"cancelled", static_cast<std::int64_t>(TaskState::kCancelled)}}};

Expected<std::int64_t> number(const std::string& name, const Value& value, std::int64_t least,
                              std::int64_t most) {
  const auto* found = value.as<std::int64_t>();
  if (found == nullptr) return Error{text("history: ", name, " ", value.to_json(), ": no number")};
  if (*found < least || *found > most)
    return Error{text("history: ", name, " ", *found, ", limits ", least, " and ", most)};
  return *found;
}

// "failed,dead"; nothing: there is another word among them.
std::optional<std::vector<std::int64_t>> states_in(std::string_view written) {
  std::vector<std::int64_t> states;
  for (const auto word : between_commas(written)) {
    const auto* found =
        std::ranges::find(kStates, word, &std::pair<std::string_view, std::int64_t>::first);
    if (found == kStates.end() || states.size() == kStates.size()) return {};
    states.push_back(found->second);
  }
  return states;
}

template <class OnWord>
void each_word(std::string_view written, OnWord&& on_word) {
  const auto is_blank = [](char one) { return static_cast<unsigned char>(one) <= ' '; };
  while (!written.empty()) {
    const auto end = std::find_if(written.begin(), written.end(), is_blank);
    const auto word = written.substr(0, static_cast<std::size_t>(end - written.begin()));
    on_word(word);
    written.remove_prefix(std::min(word.size() + 1, written.size()));
  }
}

// What the row says of what came out.
std::string value_line(const Value& body) {
  return protocol::in_a_line(!body["value"].is_null() ? body["value"] : body["artifact"]);
}

Value body_of(const protocol::ResultRecord& result) {
  auto body = Value::from_msgpack(result.body);
  return body ? std::move(*body) : Value();
}

}  // namespace

Expected<HistoryFilter> HistoryFilter::from(const Value& options) {
  HistoryFilter filter;
  const auto* members = options.as<Value::Map>();
  if (members == nullptr && !options.is_null()) return Error{"history: the options are no map"};
  for (const auto& [name, value] : members == nullptr ? Value::Map{} : *members) {
    if (value.is_null()) continue;
    std::string* wanted = name == "project"  ? &filter.project
                          : name == "kind"   ? &filter.kind
                          : name == "worker" ? &filter.worker
                          : name == "key"    ? &filter.key
                          : name == "text"   ? &filter.search
                                             : nullptr;
    const auto* written = value.as<std::string>();
    if (wanted != nullptr) {
      const auto most = wanted == &filter.search ? kSearchBytesMax : protocol::kNameBytesMax;
      if (written == nullptr) return Error{text("history: ", name, ": no text")};
      if (written->size() > most)
        return Error{text("history: ", name, ": ", written->size(), " bytes, limit ", most)};
      *wanted = *written;
    } else if (name == "state") {
      auto states = written == nullptr ? std::nullopt : states_in(*written);
      if (!states)
        return Error{text("history: state ", value.to_json(),
                          ": none of done, failed, dead, cancelled, retrying, nor some of them "
                          "with commas between")};
      filter.states = std::move(*states);
    } else if (name == "since" || name == "until" || name == "ran" || name == "step" ||
               name == "cursor" || name == "limit" || name == "brief") {
      const bool is_limit = name == "limit";
      const auto most = !is_limit                    ? INT64_MAX
                        : options["brief"].int_or(0) != 1 ? kPageRowsMax
                                                          : kBriefRowsMax;
      const auto found = number(name, value, is_limit ? 1 : 0, name == "brief" ? 1 : most);
      if (!found) return found.error();
      if (name == "since") filter.since_unix_ms = *found;
      if (name == "until") filter.until_unix_ms = *found;
      if (name == "ran") filter.ran_ms = *found;
      if (name == "step") filter.step_ms = *found;
      if (name == "cursor") filter.before = static_cast<std::uint64_t>(*found);
      if (name == "brief") filter.is_brief = *found == 1;
      if (is_limit) filter.limit = static_cast<std::size_t>(*found);
    } else {
      return Error{text("history: option ", name,
                        ": not known (state, project, kind, worker, key, text, since, until, ran, "
                        "step, limit, cursor, brief)")};
    }
  }
  if (filter.since_unix_ms > filter.until_unix_ms)
    return Error{
        text("history: since ", filter.since_unix_ms, " is after until ", filter.until_unix_ms)};
  each_word(filter.search, [&](std::string_view word) {
    if (auto plain = folded(word); !plain.empty()) filter.words.push_back(std::move(plain));
  });
  if (!filter.search.empty() && filter.words.empty())
    return Error{text("history: text ", Value(filter.search).to_json(), ": no letter or digit")};
  return filter;
}

bool HistoryFilter::wants(const protocol::ResultRecord& result, std::string_view its_worker) const {
  return !result.is_copy && has_state(state_of(result)) && is_of(result, its_worker) &&
         has_words(result);
}

bool HistoryFilter::has_state(std::int64_t state) const {
  return states.empty() ? state != kRetrying
                        : std::find(states.begin(), states.end(), state) != states.end();
}

bool HistoryFilter::is_of(const protocol::ResultRecord& result, std::string_view its_worker) const {
  return within.has(result.project) && (kind.empty() || result.kind == kind) &&
         (project.empty() || result.project == project) &&
         (worker.empty() || its_worker == worker) && (key.empty() || result.key == key) &&
         static_cast<std::int64_t>(result.run_ms()) >= ran_ms &&
         result.finished_unix_ms >= since_unix_ms && result.finished_unix_ms < until_unix_ms;
}

bool HistoryFilter::has_words(const protocol::ResultRecord& result) const {
  if (words.empty()) return true;
  const auto all = words_of(result);
  return std::all_of(words.begin(), words.end(),
                     [&](const auto& word) { return all.find(word) != std::string::npos; });
}

std::int64_t state_of(const protocol::ResultRecord& result) {
  return result.is_final ? static_cast<std::int64_t>(result.state) : kRetrying;
}

std::string_view state_name(std::int64_t state) {
  const auto* found = std::find_if(kStates.begin(), kStates.end(),
                                   [&](const auto& each) { return each.second == state; });
  return found == kStates.end() ? "" : found->first;
}

Value row_of(const protocol::ResultRecord& result, std::string_view worker, std::uint64_t offset) {
  const auto body = body_of(result);
  Value row = Value::Map{{"offset", offset},
                         {"id", to_text(result.id)},
                         {"kind", result.kind},
                         {"project", result.project},
                         {"state", state_name(state_of(result))},
                         {"worker", worker},
                         {"attempts", std::uint32_t{result.attempt}}};
  if (!result.key.empty()) row.set("key", result.key);
  if (result.submitted_unix_ms != 0) row.set("submitted", result.submitted_unix_ms);
  if (!worker.empty())
    row.set("began", result.finished_unix_ms - static_cast<std::int64_t>(result.run_ms()));
  row.set("ended", result.finished_unix_ms);
  const auto& args = body["args"];
  row.set("summary", args.is_null() ? value_line(body) : protocol::in_a_line(args));
  if (const auto error = body["error"].text_or(""); !error.empty())
    row.set("error", error.substr(0, kRowErrorBytesMax));
  return row;
}

std::string words_of(const protocol::ResultRecord& result) {
  const auto body = body_of(result);
  auto all = body["error"].text_or("");
  if (const auto* reasons = body["reasons"].as<Value::Array>())
    for (const auto& reason : *reasons) all += " " + reason.text_or("");
  if (const auto& args = body["args"]; !args.is_null()) all += " " + args.to_json();
  all += " " + value_line(body);
  return folded(cut_text(all, kIndexedBytesMax));
}

}  // namespace eole::sink
