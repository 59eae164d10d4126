#include <CLI/CLI.hpp>
#include <map>

#include "cli/lookup.hpp"
#include "clients/cpp/blocking/waiting.hpp"
#include "clients/cpp/session/submits.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"

// Dead letters: tasks whose attempts are used up.
namespace eole::cli {

namespace {

struct DeadOptions {
  std::vector<std::string> ids;
  std::string project;
  bool all = false;
};

void print_letter(const Value& letter, const Globals& globals) {
  if (globals.json) return print_json(letter);
  print_result(letter);
  print_reasons(letter);
}

void list(const std::string& project, const Globals& globals) {
  Cluster cluster(globals);
  std::uint64_t count = 0;
  each_letter(cluster, project, [&](const Value& letter) {
    ++count;
    print_letter(letter, globals);
    return true;
  });
  if (count == 0 && !globals.json) std::puts("no dead letters");
}

std::vector<std::string> ids_of(Cluster& cluster, const DeadOptions& options,
                                const std::string& command) {
  if (options.ids.empty() && options.project.empty() && !options.all)
    throw Failure{kBadUse, text("dead ", command, ": give ids, --project or --all")};
  if (options.all && !(options.ids.empty() && options.project.empty()))
    throw Failure{kBadUse, text("dead ", command, ": --all goes without ids and --project")};
  auto ids = options.ids;
  for (const auto& id : ids) need_id(id);
  if (options.all || !options.project.empty())
    each_letter(cluster, options.project, [&](const Value& letter) {
      ids.push_back(letter["id"].text_or(""));
      return true;
    });
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
  explicit Replays(Cluster& cluster)
      : cluster_(cluster),
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
    const auto id = need_id(letter);
    const auto raw = cluster_.sink.query("spec", id);
    if (!raw) return raw.error();
    const auto* blob = raw->as<protocol::Blob>();
    if (blob == nullptr) return Error{"is not a dead letter, or its task is lost"};
    while (!submits_.has_room()) waiting_.wait(kLookEvery);
    protocol::Submit submit;
    submit.key = "replay-of:" + letter;
    submit.count = 1;
    const auto group = std::make_shared<const Bytes>(blob->bytes);
    under_way_[submits_.submit(std::move(submit), group)] = replays_.size() - 1;
    return {};
  }
  void take(const client::SubmitEnded& ended) {
    replays_[under_way_.at(ended.request)].id =
        ended.error ? Expected<std::string>(*ended.error)
                    : Expected<std::string>(to_text(TaskId{ended.origin, ended.first}));
  }

  Cluster& cluster_;
  client::Waiting waiting_;
  client::Submits submits_;
  std::vector<Replay> replays_;
  std::map<std::uint64_t, std::size_t> under_way_;  // By request: the place in replays_.
};

int replay(const DeadOptions& options, const Globals& globals) {
  Cluster cluster(globals);
  Replays replays(cluster);
  for (const auto& written : ids_of(cluster, options, "replay")) replays.add(written);
  const auto& all = replays.finish();
  std::size_t replayed = 0;
  for (const auto& [letter, id] : all) {
    if (!id) {
      std::fprintf(stderr, "eole: %s: %s\n", letter.c_str(), shown(id.error().message).c_str());
      continue;
    }
    ++replayed;
    if (globals.json)
      print_json(Value::Map{{"id", *id}, {"replay_of", letter}});
    else
      std::printf("%s  replays %s\n", id->c_str(), letter.c_str());
  }
  if (!globals.json && all.size() != 1)
    std::printf("%zu replayed, %zu not\n", replayed, all.size() - replayed);
  return replayed == all.size() ? kDone : kNotDone;
}

int discard(const DeadOptions& options, const Globals& globals) {
  constexpr std::uint64_t kLettersInMessage = 65536;
  Cluster cluster(globals);
  TaskSet letters;
  for (const auto& written : ids_of(cluster, options, "discard")) {
    const auto id = need_id(written);
    letters[id.origin].add(id.seq, id.seq);
  }
  std::uint64_t discarded = 0;
  const auto send = [&](Origin origin, const SeqRanges& seqs) {
    const auto view = need(cluster.sink.ask(protocol::Discard{0, origin, seqs.encode()}));
    discarded += static_cast<std::uint64_t>(view["discarded"].int_or(0));
  };
  for (const auto& [origin, seqs] : letters) {
    SeqRanges piece;
    for (const auto& [first, last] : seqs.ranges()) {
      piece.add(first, last);
      if (piece.ranges().size() < kLettersInMessage) continue;
      send(origin, piece);
      piece = {};
    }
    if (piece.count() > 0) send(origin, piece);
  }
  const auto others = count_of(letters) - discarded;
  if (globals.json)
    print_json(Value::Map{{"discarded", discarded}, {"not_listed", others}});
  else
    std::printf("%llu discarded%s\n", static_cast<unsigned long long>(discarded),
                others > 0 ? text(", ", others, " not on the list").c_str() : "");
  return others == 0 ? kDone : kNotDone;
}

void add_choice(CLI::App& command, DeadOptions& options) {
  command.add_option("id", options.ids, "the dead tasks");
  command.add_option("--project", options.project, "all letters of this project");
  command.add_flag("--all", options.all, "every one on the list");
}

}  // namespace

void add_dead(CLI::App& app, Globals& globals) {
  auto* command = app.add_subcommand("dead", "Dead letters: tasks whose attempts are used up");
  auto options = std::make_shared<DeadOptions>();
  command->require_subcommand(0, 1);
  command->add_flag("--json", globals.json, "one JSON object a line");
  command->footer(
      "A letter stays on the list, also when it was replayed, until it is discarded or the log\n"
      "does not keep it any more (`eole up --keep-days`, `--keep-bytes`).\n"
      "Examples:\n"
      "  eole dead                             the list, the newest last\n"
      "  eole dead replay k3f9qz-17            once more; said twice: the same new task\n"
      "  eole dead discard --project photos    off the list\n"
      "Exit codes: 0 done, 1 some could not be replayed or are not on the list, 2 bad input,\n"
      "3 no answer.");
  auto* listing = command->add_subcommand("list", "List them with each attempt's reason");
  listing->add_option("--project", options->project, "only this project's");
  listing->add_flag("--json", globals.json, "one JSON object a line");
  listing->callback([options, &globals] { list(options->project, globals); });
  auto* show = command->add_subcommand("show", "Show one with each attempt");
  show->add_option("id", options->ids, "the dead tasks")->required();
  show->add_flag("--json", globals.json, "one JSON object a line");
  show->callback([options, &globals] {
    for (const auto& id : options->ids) globals.exit_code = show_task(globals, id);
  });
  auto* replaying = command->add_subcommand("replay", "Submit dead tasks again, as new tasks");
  add_choice(*replaying, *options);
  replaying->add_flag("--json", globals.json, "one JSON object a line");
  replaying->callback([options, &globals] { globals.exit_code = replay(*options, globals); });
  auto* discarding = command->add_subcommand("discard", "Take letters off the list, durably");
  add_choice(*discarding, *options);
  discarding->add_flag("--json", globals.json, "one JSON object");
  discarding->callback([options, &globals] { globals.exit_code = discard(*options, globals); });
  command->callback([command, &globals] {
    if (command->get_subcommands().empty()) list("", globals);
  });
}

}  // namespace eole::cli
