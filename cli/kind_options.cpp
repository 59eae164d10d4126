#include "cli/kind_options.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <thread>

#include "cli/script.hpp"
#include "cli/signing.hpp"
#include "clients/cpp/blocking/artifact_client.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"

namespace eole::cli {

using kinds::Argument;
using kinds::Kind;
using kinds::Type;

bool is_plain_word(std::string_view name) {
  const auto is_letter = [](char letter) {
    return (letter >= 'a' && letter <= 'z') || (letter >= 'A' && letter <= 'Z');
  };
  return !name.empty() && is_letter(name[0]) &&
         std::all_of(name.begin(), name.end(), [&](char letter) {
           return is_letter(letter) || (letter >= '0' && letter <= '9') ||
                  std::string_view("_-./:").find(letter) != std::string_view::npos;
         });
}

namespace {

constexpr Duration kHeardWithin = 1s;  // All questions and pauses together.
constexpr Duration kAskAgain = 50ms;

// What the words after the kind are; of most runners' kinds there are none.
std::string words_of(const Kind& kind) {
  if (!kind.words.empty() || kind.per_word.empty()) return std::string(kind.words);
  return text(kind.per_word, "; a task for each");
}

std::string flag_of(const Argument& argument) {
  auto flag = text("--", argument.name);
  std::replace(flag.begin(), flag.end(), '_', '-');
  return flag;
}

std::string placeholder_of(Type type) {
  switch (type) {
    case Type::kInteger:
    case Type::kNumber:
      return "N";
    case Type::kTextMap:
      return "NAME=VALUE";
    case Type::kIntegers:
      return "[N,…]";
    case Type::kWebUrl:
      return "URL";
    case Type::kSha256:
      return "SHA256";
    default:
      return "TEXT";
  }
}

// NAME=VALUE; of NAME alone the value that it has here.
std::pair<std::string, Value> variable(const Kind& kind, const std::string& written) {
  const auto name = written.substr(0, written.find('='));
  if (name.size() < written.size()) return {name, written.substr(name.size() + 1)};
  const char* here = std::getenv(name.c_str());
  if (here == nullptr)
    throw Failure{kBadUse, text(kind.name, ": ", name, " has no value: give ", name,
                                "=VALUE, or set it here")};
  return {name, here};
}

// What stands for a number or a list is JSON; what is none is refused with the argument's type.
Value value_of(const Kind& kind, const Argument& argument, const std::vector<std::string>& given) {
  if (argument.type == Type::kTextMap) {
    Value::Map members;
    for (const auto& written : given) members.push_back(variable(kind, written));
    return members;
  }
  const auto& written = given.back();
  const bool is_json = argument.type == Type::kInteger || argument.type == Type::kNumber ||
                       argument.type == Type::kBoolean || argument.type == Type::kIntegers ||
                       argument.type == Type::kTexts || argument.type == Type::kAny;
  if (!is_json) return written;
  const auto json = Value::from_json(written);
  return json ? *json : Value(written);
}

Value with(Value map, const std::string& name, Value value) {
  map.set(name, std::move(value));
  return map;
}

// What a runner calls otherwise has --args.
bool makes_flag(const Argument& argument) {
  const auto& name = argument.name;
  return is_plain_word(name) && name.find_first_of("./:") == name.npos && name != "args" &&
         name != "help";
}

void add_argument(Command& command, const Argument& argument, KindWords& words) {
  if (argument.name == "argv" || !makes_flag(argument)) return;  // argv: these are the words.
  const auto preset =
      argument.fallback.empty() ? "" : text(" [", shown(std::string(argument.fallback)), "]");
  auto& given = words.options[std::string(argument.name)];
  const auto about = text(argument.about, preset);
  if (argument.type == Type::kBoolean) {  // Given alone it is true.
    command.add_flag(flag_of(argument), given, about);
    return;
  }
  auto* option =
      argument.type == Type::kTextMap
          ? command.add_option(flag_of(argument), given, about)->repeatable()
          : command.add_option_function(
                flag_of(argument), [&given](const std::string& one) { given = {one}; }, about);
  option->type_name(placeholder_of(argument.type));
}

void add_kind(Command& submit, const Kind& kind, KindWords& words) {
  auto* command = submit.add_subcommand(std::string(kind.name), shown(std::string(kind.about)));
  if (const auto what = words_of(kind); !what.empty())
    command->add_option("what", words.words, what);
  for (const auto& argument : kind.arguments) add_argument(*command, argument, words);
  if (kind.needs_exec) {
    command->add_option("--sign", words.key, "KEYFILE of eole key make, for workers --signed-by");
    command->add_option("--script", words.script,
                        "a file here that goes along and is run, by what its first line names; "
                        "the words are its arguments");
  }
  command->footer(
      text(kind.result.empty() ? "" : text("Result: ", kind.result, "."),
           kind.needs_exec ? "\nOnly workers started with --allow-exec run it." : "",
           "\n`eole submit --help` has the options of every kind (--wait, --project, …)."));
}

void set_picture(Value& args, const std::string& word, Cluster& cluster) {
  if (kinds::is_web_url(word)) return args.set("url", word);
  if (is_sha256(word)) return args.set("artifact", word);
  if (!std::filesystem::is_regular_file(word))
    throw Failure{kBadUse,
                  text("image: ", shown(word),
                       std::filesystem::exists(word) ? ": is not a file" : ": no such file")};
  client::ArtifactClient artifacts(cluster.context, cluster.file);
  args.set("artifact", need(artifacts.put(word)).sha256);
  if (args["name"].is_null()) args.set("name", std::filesystem::path(word).filename().string());
}

}  // namespace

void add_kinds(Command& submit, const kinds::OfferedKinds& offered, KindWords& words) {
  submit.require_subcommand(0, 1);
  for (const auto& kind : kinds::all()) add_kind(submit, kind, words);
  for (const auto& kind : offered.of_runners()) {
    if (!is_plain_word(kind.name)) continue;
    try {
      add_kind(submit, kind, words);
    } catch (const std::runtime_error&) {  // No name of a command: it has --args.
    }
  }
}

kinds::OfferedKinds offered_for(std::vector<std::string> words) {
  constexpr std::string_view kFlag = "--cluster";
  const auto has = [&](std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
  };
  const bool is_completion = words.size() > 1 && words[0] == "completion" && words[1] == "words";
  const auto at = std::find(words.begin(), words.end(), "submit");
  const bool is_of_kind = at != words.end() && at + 1 != words.end() && !has("--file") &&
                          !has("--args") && kinds::find(*(at + 1)) == nullptr;
  if (!is_of_kind && !(is_completion && has("--kind"))) return {};
  // `eole ledger submit` and a shell's words mean no kind that is worth waiting for.
  auto command = words.begin();
  while (command < at && command->starts_with(kFlag)) command += *command == kFlag ? 2 : 1;
  const bool is_waited_for = is_of_kind && command == at && is_plain_word(*(at + 1));
  Globals globals;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i] == kFlag && i + 1 < words.size()) globals.cluster_path = words[i + 1];
    if (words[i].starts_with(text(kFlag, "="))) globals.cluster_path = words[i].substr(kFlag.size() + 1);
  }
  try {
    Cluster cluster(globals);
    const auto until = process::now() + kHeardWithin;
    kinds::OfferedKinds offered;
    while (true) {
      const auto told = cluster.ventilator.query("kinds", {}, {}, until - process::now());
      if (told) offered = kinds::OfferedKinds(*told);
      // A ventilator that has just started has not heard of all workers yet.
      const bool is_to_wait = told && is_waited_for && !offered.has(*(at + 1));
      if (!is_to_wait || process::now() + kAskAgain >= until) return offered;
      std::this_thread::sleep_for(kAskAgain);
    }
  } catch (const Failure&) {  // Who needs a cluster says so.
    return {};
  }
}

std::vector<Value> args_of(const Kind& kind, const KindWords& words, Cluster& cluster) {
  Value base = Value::Map{};
  for (const auto& argument : kind.arguments) {
    const auto given = words.options.find(std::string(argument.name));
    if (given != words.options.end() && !given->second.empty())
      base.set(std::string(argument.name), value_of(kind, argument, given->second));
  }
  if (kind.takes_anything && !kind.words.empty()) {
    std::string joined;
    for (const auto& word : words.words) joined += (joined.empty() ? "" : " ") + word;
    base.set("text", joined);
    return {base};
  }
  if (kind.per_word.empty()) {
    Value::Array argv(words.words.begin(), words.words.end());
    if (!words.script.empty()) {
      auto script = put_script(words.script, cluster);
      argv.insert(argv.begin(), std::move(script.program));
      for (const auto& [name, sha256] : *script.files.as<Value::Map>())
        base.set("files", with(base["files"], name, sha256));
    }
    if (!argv.empty()) base.set("argv", std::move(argv));
    sign(base, words.key);
    return {base};
  }
  if (words.words.empty()) return {base};
  std::vector<Value> list;
  for (const auto& word : words.words) {
    auto args = base;
    if (kind.name == "image") {
      set_picture(args, word, cluster);
    } else {
      const auto argument =
          std::find_if(kind.arguments.begin(), kind.arguments.end(),
                       [&](const Argument& one) { return one.name == kind.per_word; });
      args.set(std::string(kind.per_word), value_of(kind, *argument, {word}));
    }
    list.push_back(std::move(args));
  }
  return list;
}

}  // namespace eole::cli
