#include "cli/dead.hpp"

#include <algorithm>
#include <map>

#include "cli/dead_edit.hpp"
#include "cli/lookup.hpp"
#include "cli/sure.hpp"
#include "clients/cpp/blocking/waiting.hpp"
#include "clients/cpp/session/submits.hpp"
#include "clients/cpp/tasks/dead_groups.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"

// Dead letters: tasks whose attempts are used up.
namespace eole::cli {

using client::DeadGroups;
using client::group_of;
using client::kDeadGroupsMax;

namespace {

struct DeadOptions {
  std::vector<std::string> ids;
  std::string project;
  std::string kind;
  std::string group;
  std::vector<std::string> settings;
  bool all = false;
  bool is_grouped = false;
  bool is_edited = false;
  bool is_sure = false;
  bool is_filter() const { return all || !(project.empty() && kind.empty() && group.empty()); }
};

// Those of a project, a kind and a reason, as far as they are named.
void each_wanted(Cluster& cluster, const DeadOptions& options, const OnView& on_letter) {
  each_letter(cluster, options.project, [&](const Value& letter) {
    const bool is_wanted = (options.kind.empty() || letter["kind"].text_or("") == options.kind) &&
                           (options.group.empty() || group_of(letter) == options.group);
    return !is_wanted || on_letter(letter);
  });
}

void print_letter(const Value& letter, const Globals& globals) {
  if (globals.json) return print_json(letter);
  print_result(letter);
  print_reasons(letter);
}

void list_groups(Cluster& cluster, const DeadOptions& options, const Globals& globals) {
  DeadGroups dead;
  each_wanted(cluster, options, [&](const Value& letter) { return dead.add(letter), true; });
  std::vector<std::pair<std::string, DeadGroups::Group>> sorted(dead.groups().begin(),
                                                                dead.groups().end());
  std::stable_sort(sorted.begin(), sorted.end(), [](const auto& one, const auto& other) {
    return one.second.count > other.second.count;
  });
  for (const auto& [reason, group] : sorted) {
    Value::Map kinds;
    std::string names;
    for (const auto& [kind, count] : group.kinds) {
      kinds.emplace_back(kind, count);
      names += (names.empty() ? "" : ", ") + kind;
    }
    if (globals.json)
      print_json(Value::Map{{"group", reason},
                            {"count", group.count},
                            {"kinds", std::move(kinds)},
                            {"newest", group.newest},
                            {"example", group.example}});
    else
      std::printf("%6llu  %s  (%s, the newest %s at %s)\n",
                  static_cast<unsigned long long>(group.count), shown(reason).c_str(),
                  shown(names).c_str(), shown(group.example).c_str(), shown(group.newest).c_str());
  }
  if (dead.others() > 0)
    std::fprintf(stderr, "eole: %llu letters have other reasons than the first %zu\n",
                 static_cast<unsigned long long>(dead.others()), kDeadGroupsMax);
  if (sorted.empty() && !globals.json) std::puts("no dead letters");
}

void list(const DeadOptions& options, const Globals& globals) {
  Cluster cluster(globals);
  if (options.is_grouped) return list_groups(cluster, options, globals);
  std::uint64_t count = 0;
  each_wanted(cluster, options, [&](const Value& letter) {
    ++count;
    print_letter(letter, globals);
    return true;
  });
  if (count == 0 && !globals.json) std::puts("no dead letters");
}

// ---- One letter.

// The last lines of what an attempt printed.
void print_tail(const char* stream, const Value& output) {
  constexpr std::size_t kLinesMax = 10;
  const auto* blob = output.as<protocol::Blob>();
  const auto bytes = blob != nullptr ? blob->bytes : output.text_or("");
  auto rest = std::string_view(bytes);
  if (rest.ends_with('\n')) rest.remove_suffix(1);
  if (rest.empty()) return;
  std::size_t begin = rest.size();
  for (std::size_t lines = 0; lines < kLinesMax && begin != 0; ++lines) {
    const auto before = begin == 0 ? rest.npos : rest.rfind('\n', begin - 1);
    begin = before == rest.npos ? 0 : before;
  }
  if (begin != 0) std::printf("    %s  …\n", stream);
  for (rest.remove_prefix(begin == 0 ? 0 : begin + 1); !rest.empty();) {
    const auto line = rest.substr(0, rest.find('\n'));
    std::printf("    %s  %s\n", stream, shown(line).c_str());
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
  }
}

void print_attempt(const Value& attempt) {
  std::printf(
      "  attempt %lld  on %s  %s  ran %s  %s\n",
      static_cast<long long>(attempt["attempt"].int_or(0)),
      shown(attempt["worker"].text_or("?")).c_str(), shown(attempt["finished"].text_or("")).c_str(),
      human_seconds(
          attempt["run_seconds"].as<double>() == nullptr ? 0 : *attempt["run_seconds"].as<double>())
          .c_str(),
      shown(attempt["error"].text_or("")).c_str());
  print_tail("out", attempt["value"]["stdout"]);
  print_tail("err", attempt["value"]["stderr"]);
}

Expected<Bytes> spec_of(Cluster& cluster, const std::string& letter) {
  const auto raw = cluster.sink.query("spec", need_id(letter));
  if (!raw) return raw.error();
  const auto* blob = raw->as<protocol::Blob>();
  if (blob == nullptr) return Error{"is not a dead letter, or its task is lost"};
  return blob->bytes;
}

// With its times, which a replay does not have.
Value words_as_they_were(const TaskRequest& task, const Value& times) {
  auto words = words_of(task);
  if (const auto* members = times.as<Value::Map>())
    for (const auto& [name, value] : *members) words.set(name, value);
  return words;
}

int show(const std::string& id, const Globals& globals) {
  Cluster cluster(globals);
  auto letter = look_up(cluster, need_id(id));
  if (letter["state"].text_or("") != "dead")
    throw Failure{kNotDone, text(id, ": is no dead letter, but ", letter["state"].text_or(""))};
  auto attempts = attempts_of(cluster, need_id(id));
  const auto spec = spec_of(cluster, id);
  const auto task = spec ? task_of_spec(*spec) : Expected<TaskRequest>(spec.error());
  letter.set("group", group_of(letter));
  if (task) letter.set("task", words_as_they_were(*task, letter["times"]));
  if (globals.json) {
    letter.set("attempts", std::move(attempts));
    print_json(letter);
    return kDone;
  }
  print_result(letter);
  if (task) std::printf("  task  %s\n", shown(letter["task"].to_json()).c_str());
  for (const auto& attempt : attempts)
    if (attempt["state"].text_or("") != "dead") print_attempt(attempt);
  print_reasons(letter, attempts);
  flush_output();
  return kDone;
}

// ---- Many of them.

// The letters that were named, or those that were asked for, of which it is said how many there
// are.
std::vector<std::string> ids_of(Cluster& cluster, const DeadOptions& options,
                                const std::string& command) {
  if (options.ids.empty() && !options.is_filter())
    throw Failure{kBadUse,
                  text("dead ", command, ": give ids, --group, --project, --kind or --all")};
  if (options.all && !(options.ids.empty() && options.project.empty() && options.kind.empty() &&
                       options.group.empty()))
    throw Failure{kBadUse, text("dead ", command, ": --all goes alone")};
  auto ids = options.ids;
  for (const auto& id : ids) need_id(id);
  if (!options.is_filter()) return ids;
  each_wanted(cluster, options, [&](const Value& letter) {
    ids.push_back(letter["id"].text_or(""));
    return true;
  });
  std::fprintf(stderr, "eole: dead %s: %zu letter%s\n", command.c_str(), ids.size(),
               ids.size() == 1 ? "" : "s");
  if (!ids.empty() && !options.is_sure && !is_sure(text("eole: ", command, " them?")))
    throw Failure{kNotDone, text("dead ", command, ": nothing was done")};
  return ids;
}

/// A letter on its way to being a new task.
struct Replay {
  std::string letter;
  Expected<std::string> id = Error{"was not answered"};
};

/// Replays letters over one connection, many at once. A letter's key makes a replay that is
/// repeated the same replay.
class Replays {
 public:
  Replays(Cluster& cluster, const DeadOptions& options)
      : cluster_(cluster),
        options_(options),
        waiting_(cluster.context),
        submits_(waiting_.session(), cluster.file, client::Submits::kPatience,
                 [this](const client::SubmitEnded& ended) { take(ended); }) {}

  void add(const std::string& letter) {
    replays_.push_back({letter});
    if (auto sent = submit(letter); !sent) replays_.back().id = sent.error();
  }
  /// Returns once all were answered: in the order in which they were added.
  const std::vector<Replay>& finish() {
    while (!submits_.is_idle()) waiting_.wait(kLookEvery);
    return replays_;
  }

 private:
  static constexpr Duration kLookEvery = 1s;  // Sooner if anything comes.
  Expected<void> submit(const std::string& letter) {
    auto spec = spec_of(cluster_, letter);
    if (spec && (options_.is_edited || !options_.settings.empty())) spec = changed(*spec);
    if (!spec) return spec.error();
    while (!submits_.has_room()) waiting_.wait(kLookEvery);
    protocol::Submit submit;
    submit.key = text(client::kReplayOf, letter);
    submit.count = 1;
    const auto group = std::make_shared<const Bytes>(std::move(*spec));
    under_way_[submits_.submit(std::move(submit), group)] = replays_.size() - 1;
    return {};
  }
  Expected<Bytes> changed(const Bytes& spec) const {
    const auto task = task_of_spec(spec);
    if (!task) return task.error();
    auto words = words_of(*task);
    if (auto set = set_words(words, options_.settings); !set) return set.error();
    auto edited = options_.is_edited ? edit_words(words) : Expected<Value>(words);
    if (!edited) return edited.error();
    const auto other = reworded(*task, *edited);
    if (!other) return other.error();
    return spec_of_task(*other);
  }
  void take(const client::SubmitEnded& ended) {
    replays_[under_way_.at(ended.request)].id =
        ended.error ? Expected<std::string>(*ended.error)
                    : Expected<std::string>(to_text(TaskId{ended.origin, ended.first}));
  }

  Cluster& cluster_;
  const DeadOptions& options_;
  client::Waiting waiting_;
  client::Submits submits_;
  std::vector<Replay> replays_;
  std::map<std::uint64_t, std::size_t> under_way_;  // By request: the place in replays_.
};

TaskSet tasks_of(const std::vector<std::string>& ids) {
  TaskSet tasks;
  for (const auto& written : ids) {
    const auto id = need_id(written);
    tasks[id.origin].add(id.seq, id.seq);
  }
  return tasks;
}

// How many were on the list.
std::uint64_t take_off(Cluster& cluster, const TaskSet& letters) {
  constexpr std::uint64_t kLettersInMessage = 1000;  // As many as a key with a prefix may.
  std::uint64_t discarded = 0;
  const auto send = [&](Origin origin, const SeqRanges& seqs) {
    const auto view = need(cluster.sink.ask(protocol::Discard{0, origin, seqs.encode()}));
    discarded += static_cast<std::uint64_t>(view["discarded"].int_or(0));
  };
  for (const auto& [origin, seqs] : letters) {
    SeqRanges piece;
    for (const auto& [first, last] : seqs.ranges())
      for (auto at = first; at <= last;) {
        const auto end = std::min(last, at + kLettersInMessage - piece.count() - 1);
        piece.add(at, end);
        at = end + 1;
        if (piece.count() < kLettersInMessage) continue;
        send(origin, piece);
        piece = {};
      }
    if (piece.count() > 0) send(origin, piece);
  }
  return discarded;
}

// Whether all were. They leave the list: said again by who was killed before that, a replay is the
// same.
bool replay_all(Cluster& cluster, const std::vector<std::string>& letters,
                const DeadOptions& options, const Globals& globals) {
  Replays replays(cluster, options);
  for (const auto& letter : letters) replays.add(letter);
  std::vector<std::string> replayed;
  for (const auto& [letter, id] : replays.finish()) {
    if (!id) {
      std::fprintf(stderr, "eole: %s: %s\n", letter.c_str(), shown(id.error().message).c_str());
      continue;
    }
    replayed.push_back(letter);
    if (globals.json)
      print_json(Value::Map{{"id", *id}, {"replay_of", letter}});
    else
      std::printf("%s  replays %s\n", id->c_str(), letter.c_str());
  }
  if (!globals.json && letters.size() != 1)
    std::printf("%zu replayed, %zu not\n", replayed.size(), letters.size() - replayed.size());
  try {
    (void)take_off(cluster, tasks_of(replayed));
  } catch (const Failure& failure) {  // They are replayed all the same.
    throw Failure{
        failure.exit_code,
        text(failure.message, "\nwhat was replayed may still be on the list: eole dead discard")};
  }
  return replayed.size() == letters.size();
}

int replay(const DeadOptions& options, const Globals& globals) {
  if (options.is_edited && (options.ids.size() != 1 || options.is_filter()))
    throw Failure{kBadUse, "dead replay: --edit goes with one id"};
  Cluster cluster(globals);
  const auto letters = ids_of(cluster, options, "replay");
  return replay_all(cluster, letters, options, globals) ? kDone : kNotDone;
}

int discard(const DeadOptions& options, const Globals& globals) {
  Cluster cluster(globals);
  const auto letters = tasks_of(ids_of(cluster, options, "discard"));
  const auto discarded = take_off(cluster, letters);
  const auto others = count_of(letters) - discarded;
  if (globals.json)
    print_json(Value::Map{{"discarded", discarded}, {"not_listed", others}});
  else
    std::printf("%llu discarded%s\n", static_cast<unsigned long long>(discarded),
                others > 0 ? text(", ", others, " not on the list").c_str() : "");
  return others == 0 ? kDone : kNotDone;
}

void add_filter(Command& command, DeadOptions& options) {
  command.add_option("--project", options.project, "letters of this project");
  command.add_option("--kind", options.kind, "letters of this kind");
}

void add_choice(Command& command, DeadOptions& options) {
  command.add_option("id", options.ids, "the dead tasks");
  add_filter(command, options);
  command.add_option("--group", options.group, "letters of this reason, as list --group says it");
  command.add_flag("--all", options.all, "every one on the list");
  command.add_flag("--yes", options.is_sure,
                   "do not ask; else a person at a terminal is, where no ids are given");
}

void add_list(Command& dead, std::shared_ptr<DeadOptions> options, Globals& globals) {
  auto* listing = dead.add_subcommand("list", "List them with each attempt's reason");
  add_filter(*listing, *options);
  listing->add_flag("--group", options->is_grouped, "how many there are of each reason");
  listing->add_flag("--json", globals.json, "one JSON object a line");
  listing->callback([options, &globals] { list(*options, globals); });
}

void add_show(Command& dead, std::shared_ptr<DeadOptions> options, Globals& globals) {
  auto* command = dead.add_subcommand(
      "show", "Show one: its task, and of each attempt the worker, when, why and its last output");
  command->add_option("id", options->ids, "the dead tasks")->required();
  command->add_flag("--json", globals.json, "one JSON object a line");
  command->callback([options, &globals] {
    for (const auto& id : options->ids) globals.exit_code = show(id, globals);
  });
}

void add_replay(Command& dead, std::shared_ptr<DeadOptions> options, Globals& globals) {
  auto* command = dead.add_subcommand("replay", "Submit dead tasks again, as new tasks");
  add_choice(*command, *options);
  command
      ->add_option("--set", options->settings,
                   "otherwise: a word of the task (priority=5) or an argument (args.timeout=60)")
      ->type_name("NAME=VALUE")
      ->repeatable();
  command->add_flag("--edit", options->is_edited, "edit the task's JSON in $EDITOR before");
  command->add_flag("--json", globals.json, "one JSON object a line");
  command->footer(
      "What was replayed leaves the list. A letter is replayed once: said again within a day,\n"
      "the same new task is named; said otherwise, it is refused. A replay that died is a letter\n"
      "of its own.\n"
      "Examples:\n"
      "  eole dead replay --group 'exit code 3' --set args.timeout=600\n"
      "  eole dead replay k3f9qz-17 --edit");
  command->callback([options, &globals] { globals.exit_code = replay(*options, globals); });
}

}  // namespace

void list_dead(const std::string& project, const Globals& globals) {
  DeadOptions options;
  options.project = project;
  list(options, globals);
}

int give_back_dead(const std::string& project, const std::vector<std::string>& ids,
                   const Globals& globals) {
  Cluster cluster(globals);
  DeadOptions options;
  options.settings = {"kind=echo"};
  std::vector<std::string> letters;
  each_letter(cluster, project, [&](const Value& letter) {
    const auto id = letter["id"].text_or("");
    if (ids.empty() || std::find(ids.begin(), ids.end(), id) != ids.end()) letters.push_back(id);
    return true;
  });
  for (const auto& id : ids)
    if (std::find(letters.begin(), letters.end(), id) == letters.end())
      throw Failure{kBadUse, text(id, ": is no dead letter of ", project)};
  return replay_all(cluster, letters, options, globals) ? kDone : kNotDone;
}

void add_dead(Command& app, Globals& globals) {
  auto* command = app.add_subcommand("dead", "Dead letters: tasks whose attempts are used up");
  auto options = std::make_shared<DeadOptions>();
  command->require_subcommand(0, 1);
  command->add_flag("--json", globals.json, "one JSON object a line");
  command->footer(
      "A letter stays on the list until it is replayed or discarded, or the log does not keep it\n"
      "any more (`eole up --keep-days`, `--keep-bytes`).\n"
      "Examples:\n"
      "  eole dead                             the list, the newest last\n"
      "  eole dead list --group                how many of which reason\n"
      "  eole dead replay k3f9qz-17            once more; said twice: the same new task\n"
      "  eole dead discard --project photos    off the list\n"
      "Exit codes: 0 done, 1 some could not be replayed or are not on the list, 2 bad input,\n"
      "3 no answer.");
  add_list(*command, options, globals);
  add_show(*command, options, globals);
  add_replay(*command, options, globals);
  auto* discarding = command->add_subcommand("discard", "Take letters off the list, durably");
  add_choice(*discarding, *options);
  discarding->add_flag("--json", globals.json, "one JSON object");
  discarding->callback([options, &globals] { globals.exit_code = discard(*options, globals); });
  command->callback([command, options, &globals] {
    if (command->chosen().empty()) list(*options, globals);
  });
}

}  // namespace eole::cli
