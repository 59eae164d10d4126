#include "clients/cpp/tasks/dead_groups.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "common/base/ids.hpp"
#include "common/base/utf8.hpp"

namespace eole::client {

using protocol::Value;

namespace {

constexpr std::string_view kDigits = "0123456789";
constexpr std::size_t kHourLetters = std::string_view("2026-01-31T12").size();
constexpr std::size_t kHexBytesMin = 8;  // A shorter word may be one.

bool is_digit(char one) { return kDigits.find(one) != std::string_view::npos; }

// Of all reasons of a task the last that an attempt ended with.
std::string last_reason(const Value& letter) {
  constexpr std::string_view kAttempt = "attempt ";
  constexpr std::string_view kFailed = "failed: ";
  const auto* reasons = letter["reasons"].as<Value::Array>();
  if (reasons == nullptr || reasons->empty()) return letter["error"].text_or("");
  auto found = reasons->back().text_or("");
  for (auto at = reasons->rbegin(); at != reasons->rend(); ++at)
    if (auto reason = at->text_or(""); reason.starts_with(kAttempt)) {
      found = std::move(reason);
      break;
    }
  if (const auto colon = found.find(": "); found.starts_with(kAttempt) && colon != found.npos)
    found.erase(0, colon + 2);
  if (found.starts_with(kFailed)) found.erase(0, kFailed.size());
  return found;
}

// A hash, or a task's id.
bool is_name_of_one(std::string_view word) {
  const bool is_hex = word.size() >= kHexBytesMin &&
                      word.find_first_not_of("0123456789abcdefABCDEF-") == word.npos &&
                      word.find_first_of(kDigits) != word.npos;
  return is_hex || parse_task_id(std::string(word)).has_value();
}

// Whether the number behind this word says which failure it is.
bool names_failure(std::string_view before) {
  constexpr std::array<std::string_view, 6> kWords{"code",   "signal", "HTTP",
                                                   "status", "errno",  "error"};
  return std::find(kWords.begin(), kWords.end(), before) != kWords.end();
}

// "127.0.0.1" is one number, "w3" is "w#".
std::string without_numbers(std::string_view word) {
  std::string out;
  for (std::size_t i = 0; i < word.size(); ++i) {
    if (!is_digit(word[i])) {
      out += word[i];
      continue;
    }
    out += '#';
    while (i + 1 < word.size() &&
           (is_digit(word[i + 1]) ||
            (i + 2 < word.size() && (word[i + 1] == '.' || word[i + 1] == ',') &&
             is_digit(word[i + 2]))))
      ++i;
  }
  return out;
}

std::string word_of_group(std::string_view word, std::string_view before) {
  constexpr std::string_view kAround = "\"'`()[]{}<>,;:.!?";
  const auto first = word.find_first_not_of(kAround);
  if (first == word.npos) return std::string(word);
  const auto last = word.find_last_not_of(kAround);
  const auto inner = word.substr(first, last + 1 - first);
  std::string out(word.substr(0, first));
  if (inner.find('/') != inner.npos && inner.size() > 1) {
    while (out.ends_with('.')) out.pop_back();  // "./b", "../b"
    out += "…";
  } else if (is_name_of_one(inner)) {
    out += '#';
  } else {
    out += names_failure(before) ? std::string(inner) : without_numbers(inner);
  }
  return out.append(word.substr(last + 1));
}

}  // namespace

std::string group_of(const Value& letter) {
  const auto reason = last_reason(letter);
  std::string out;
  std::string_view before;
  for (auto rest = std::string_view(reason); !rest.empty();) {
    const auto end = std::min(rest.find_first_of(" \t\n"), rest.size());
    const auto word = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (word.empty()) continue;
    out += (out.empty() ? "" : " ") + word_of_group(word, before);
    before = word;
  }
  return std::string(cut_text(out, kDeadReasonBytesMax));
}

void DeadGroups::add(const Value& letter) {
  const auto reason = group_of(letter);
  auto group = groups_.find(reason);
  if (group == groups_.end()) {
    if (groups_.size() >= kDeadGroupsMax) return void(++others_);
    group = groups_.emplace(reason, Group{}).first;
  }
  auto& [count, oldest, newest, example, kinds, hours] = group->second;
  newest = letter["finished"].text_or("");
  if (++count == 1) oldest = newest;
  ++hours[newest.substr(0, kHourLetters)];
  if (hours.size() > kDeadHoursMax) hours.erase(hours.begin());
  example = letter["id"].text_or("");
  const auto kind = letter["kind"].text_or("");
  if (kinds.size() < kDeadGroupsMax || kinds.contains(kind)) ++kinds[kind];
}

}  // namespace eole::client
