#include "cli/word_flags.hpp"

#include <algorithm>

#include "cli/common.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"

namespace eole::cli {

namespace {

std::string flag_of(const TaskWord& word) {
  std::string flag(word.flag.empty() ? word.name : word.flag);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

}  // namespace

void add_flag(Command& command, const TaskWord& word, SaidWords& said) {
  if (word.is == TaskWord::Is::kOnlyJson) return;
  const auto flag = "--" + flag_of(word);
  const std::string help(word.help);
  auto& texts = said[word.name];
  if (word.is == TaskWord::Is::kFlag) {
    command.add_flag_callback(
        flag, [&texts] { texts = {"true"}; }, help);
  } else {
    command.add_option(flag, texts, help)->type_name(std::string(word.shown))->repeatable();
  }
}

Value::Map words_said(const SaidWords& said) {
  Value::Map words;
  for (const auto& word : task_words()) {
    const auto its = said.find(word.name);
    if (its == said.end() || its->second.empty()) continue;
    const auto& texts = its->second;
    Value value = texts.back();
    if (word.is == TaskWord::Is::kFlag) value = true;
    if (word.is == TaskWord::Is::kNumber)
      if (const auto number = Value::from_json(texts.back())) value = *number;
    if (word.is == TaskWord::Is::kTexts) value = Value::Array(texts.begin(), texts.end());
    words.emplace_back(word.name, std::move(value));
  }
  return words;
}

TaskRequest task_said(const SaidWords& said) {
  TaskRequest task;
  const auto words = words_said(said);
  for (const auto& word : task_words())
    for (const auto& [name, value] : words)
      if (name == word.name)
        if (const auto set = word.set(task, value); !set)
          throw Failure{kBadUse, text("--", flag_of(word), ": ", shown(set.error().message))};
  return task;
}

}  // namespace eole::cli
