#include <cstdio>

#include "cli/common.hpp"
#include "cli/limits.hpp"
#include "cli/submission.hpp"
#include "clients/cpp/tasks/schedule_view.hpp"
#include "clients/cpp/tasks/task_words.hpp"
#include "common/base/durations.hpp"
#include "common/base/shown.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"

// Schedules: tasks that come again and again.
namespace eole::cli {

namespace {

struct ScheduleOptions {
  std::string name;
  std::string cron;
  std::string zone;
  std::string every;
  std::string missed = "once";
  std::vector<std::string> words;  // The task, as submit has it.
  std::size_t beats = 5;
};

Value control(Cluster& cluster, const std::string& name, Value wish) {
  wish.set("name", name);
  return need(cluster.ventilator.ask(protocol::Control{0, "schedule", wish.to_msgpack()}));
}

Value look_up_schedule(Cluster& cluster, const std::string& name, std::size_t beats) {
  auto view = need(cluster.ventilator.query(
      "schedule", {}, Value::Map{{"name", name}, {"beats", static_cast<std::int64_t>(beats)}}));
  if (view.is_null()) throw Failure{kBadUse, text("schedule ", shown(name), ": there is none")};
  return view;
}

std::string rhythm_of(const Value& view) {
  const auto every = view["every_ms"].int_or(0);
  if (every > 0) return text("every ", show_duration(static_cast<std::uint64_t>(every)));
  return text(view["cron"].text_or(""), " ", view["zone"].text_or("UTC"));
}

void print_one(const Value& view) {
  const bool is_paused = view["paused"] == Value(true);
  const auto next = client::time_view(view["next"]).text_or("never");
  std::printf("%-20s  %-28s  %s  fired %lld\n", shown(view["name"].text_or("")).c_str(),
              shown(rhythm_of(view)).c_str(), is_paused ? "paused" : ("next " + next).c_str(),
              static_cast<long long>(view["fired"].int_or(0)));
  if (!view["last_error"].is_null())
    std::printf("  its task is not accepted: %s; tried again at %s\n",
                shown(view["last_error"].text_or("")).c_str(),
                client::time_view(view["tried_again"]).text_or("").c_str());
}

void add(const ScheduleOptions& options, const Globals& globals) {
  if (options.cron.empty() == options.every.empty())
    throw Failure{kBadUse, "schedule add: give --cron or --every"};
  if (options.words.empty())
    throw Failure{kBadUse, "schedule add: give the task behind --, like -- echo hello"};
  Value wish = Value::Map{{"state", "added"}, {"missed", options.missed}};
  if (options.every.empty()) {
    wish.set("cron", options.cron);
    wish.set("zone", options.zone.empty() ? "UTC" : options.zone);
  } else {
    if (!options.zone.empty()) throw Failure{kBadUse, "schedule add: --zone goes with --cron"};
    const auto every = parse_duration(options.every);
    if (!every) throw Failure{kBadUse, text("--every: ", shown(every.error().message))};
    wish.set("every_ms", *every);
  }
  Cluster cluster(globals);
  const auto task = task_of_words(options.words, cluster);
  protocol::TaskGroups groups;
  auto conditions = task.conditions;
  for (const auto& after : task.after)
    protocol::put_parent(conditions.parents, {after.id, 0, 1, after.project});
  const bool is_plain = conditions == protocol::Conditions{};
  groups.add(task.task_class, task.args,
             is_plain ? Bytes() : protocol::encode_conditions(conditions), task.trace);
  wish.set("task", protocol::Blob{groups.take()});
  const auto view = control(cluster, options.name, std::move(wish));
  globals.json ? print_json(client::schedule_view(view)) : print_one(view);
}

void list(const Globals& globals) {
  Cluster cluster(globals);
  const auto answer = need(cluster.ventilator.query("schedules"));
  const auto* schedules = answer.as<Value::Array>();
  if (schedules == nullptr) throw Failure{kNoCluster, "schedules: not a list"};
  for (const auto& view : *schedules)
    globals.json ? print_json(client::schedule_view(view)) : print_one(view);
  if (schedules->empty() && !globals.json) std::puts("no schedules");
}

void show(const ScheduleOptions& options, const Globals& globals) {
  Cluster cluster(globals);
  const auto view = look_up_schedule(cluster, options.name, options.beats);
  Value::Array beats;
  if (const auto* given = view["beats"].as<Value::Array>())
    for (const auto& beat : *given) beats.push_back(client::time_view(beat));
  if (globals.json) {
    auto out = client::schedule_view(view);
    out.set("beats", std::move(beats));
    return print_json(out);
  }
  print_one(view);
  for (const auto& beat : beats) std::printf("  %s\n", beat.text_or("").c_str());
}

void set_state(const ScheduleOptions& options, const char* state, const Globals& globals) {
  Cluster cluster(globals);
  (void)look_up_schedule(cluster, options.name, 0);
  const auto view = control(cluster, options.name, Value::Map{{"state", state}});
  const bool is_removed = std::string_view(state) == "removed";
  if (globals.json) return print_json(is_removed ? view : client::schedule_view(view));
  is_removed ? void(std::printf("%s is removed\n", shown(options.name).c_str())) : print_one(view);
}

// Its task, once, as a submit of it: the beats go on as they were.
void run_now(const ScheduleOptions& options, const Globals& globals) {
  Cluster cluster(globals);
  const auto view = look_up_schedule(cluster, options.name, 0);
  const auto* groups = view["task"].as<protocol::Blob>();
  ByteReader reader(groups == nullptr ? std::string_view() : std::string_view(groups->bytes));
  const auto group = protocol::read_task_group(reader);
  if (!group) throw Failure{kNoCluster, "schedule: its task is malformed"};
  ByteReader specs(group->specs);
  const auto spec = protocol::read_task_spec(specs);
  const auto task_class = protocol::decode_class(group->task_class);
  if (!spec || !task_class) throw Failure{kNoCluster, "schedule: its task is malformed"};
  TaskId id;
  client::Submitter submitter(cluster.context, cluster.file, {},
                              [&](Origin origin, Seq first, std::uint32_t) {
                                id = {origin, first};
                              });
  need(submitter.add(*task_class, spec->args, spec->conditions, spec->trace));
  need(submitter.finish());
  globals.json ? print_json(Value::Map{{"id", to_text(id)}})
               : void(std::printf("%s\n", to_text(id).c_str()));
}

}  // namespace

void add_schedule(Command& app, Globals& globals) {
  auto* command = app.add_subcommand("schedule", "Tasks that come again and again");
  command->require_subcommand(1, 1);
  auto options = std::make_shared<ScheduleOptions>();
  const auto sub = [&](const char* name, const char* about, bool has_name, auto act) {
    auto* one = command->add_subcommand(name, about);
    if (has_name) one->add_option("name", options->name, "of the schedule")->required();
    one->add_flag("--json", globals.json, "one JSON object a line");
    one->callback([=, &globals] { act(*options, globals); });
    return one;
  };
  auto* adding = sub("add", "Set one up: each of its beats is a task, once", true,
                     [](const auto& given, const auto& all) { add(given, all); });
  adding->add_option(
      "--cron", options->cron,
      "minute, hour, day of the month, month, day of the week; or @hourly, @daily …");
  adding->add_option("--zone", options->zone, "of the cron expression: Europe/Paris [UTC]");
  adding->add_option("--every", options->every, "instead: 30s, 5m, 2h, from now on");
  adding->add_option("--missed", options->missed,
                     "beats that passed while the ventilator was away: once, for the last of them, "
                     "or skip [once]");
  adding->add_option("words", options->words, "the task, behind --, as submit has it");
  adding->footer(
      "  eole schedule add nightly --cron '30 2 * * *' -- exec -- ./report\n"
      "  eole schedule add paris --cron @daily --zone Europe/Paris -- echo hello\n"
      "  eole schedule add beat --every 30s --missed skip -- echo hello\n");
  sub("list", "All of them", false, [](const auto&, const auto& all) { list(all); });
  sub("show", "One, and its next beats", true,
      [](const auto& given, const auto& all) { show(given, all); })
      ->add_option("--beats", options->beats, "so many [5]")
      ->check(whole_number(1, 100));
  sub("pause", "No beats until it is resumed", true,
      [](const auto& given, const auto& all) { set_state(given, "paused", all); });
  sub("resume", "Go on; what a pause has passed over is not made up for", true,
      [](const auto& given, const auto& all) { set_state(given, "running", all); });
  sub("run", "Submit its task now, beside its beats; print the id", true,
      [](const auto& given, const auto& all) { run_now(given, all); });
  sub("remove", "Take it back; its tasks stay", true,
      [](const auto& given, const auto& all) { set_state(given, "removed", all); });
}

}  // namespace eole::cli
