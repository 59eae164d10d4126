#include "cli/group.hpp"

#include <cstdio>

#include "cli/dead.hpp"
#include "cli/limits.hpp"
#include "cli/lookup.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"

// Groups of readers: each reads the log at its own pace, shared among its members.
namespace eole::cli {

namespace {

struct GroupOptions {
  std::string group;
  std::string from = "latest";
  std::int64_t partitions = 8;
  std::string member;
  std::vector<std::string> ids;
};

Value control(Cluster& cluster, const std::string& what, const Value& wish) {
  return need(cluster.sink.ask(protocol::Control{0, what, wish.to_msgpack()}));
}

std::string lag_text(const Value& view) {
  const auto seconds = view["lag_seconds"].as<double>();
  const auto records = view["lag_records"].int_or(0);
  if (records == 0) return "nothing unread";
  return text(view["lag_is_exact"] == Value(false) ? "about " : "", records, " unread",
              seconds == nullptr
                  ? ""
                  : text(", the oldest ", human_age(static_cast<std::int64_t>(*seconds * 1000))));
}

void print_one(const Value& view) {
  std::printf("%-20s  %s members  %s partitions  %s\n", shown(view["group"].text_or("")).c_str(),
              text(view["members"].int_or(0)).c_str(), text(view["partitions"].int_or(0)).c_str(),
              lag_text(view).c_str());
  if (const auto gone = view["gone_records"].int_or(0); gone > 0)
    std::printf("  %s records that it had not read are not kept any more\n", text(gone).c_str());
}

void create(const GroupOptions& options, const Globals& globals) {
  Cluster cluster(globals);
  const auto view = control(cluster, "group_create",
                            Value::Map{{"group", options.group},
                                       {"from", place_in_log(cluster, options.from)},
                                       {"partitions", options.partitions}});
  if (globals.json) return print_json(view);
  if (view["created"] == Value(true))
    std::printf("%s is there, and reads from offset %s on\n", shown(options.group).c_str(),
                text(view["from"].int_or(0)).c_str());
  else
    std::printf("%s was there already, and stays as it is (eole group move sets its cursors)\n",
                shown(options.group).c_str());
}

void list(const Globals& globals) {
  Cluster cluster(globals);
  bool has_any = false;
  Value after;
  do {
    auto options = Value(Value::Map{});
    if (!after.is_null()) options.set("after", after);
    const auto page = need(cluster.sink.query("groups", {}, options));
    const auto* groups = page["groups"].as<Value::Array>();
    if (groups == nullptr) throw Failure{kNoCluster, "groups: not a list"};
    for (const auto& view : *groups) globals.json ? print_json(view) : print_one(view);
    has_any = has_any || !groups->empty();
    after = page["next"];
  } while (!after.is_null());
  if (!has_any && !globals.json) std::puts("no groups");
}

Value look(Cluster& cluster, const std::string& group, Value options) {
  options.set("group", group);
  auto view = need(cluster.sink.query("groups", {}, options));
  if (view.is_null()) throw Failure{kBadUse, text("group ", group, ": there is none")};
  return view;
}

void need_group(const std::string& group, const Globals& globals) {
  Cluster cluster(globals);
  (void)look(cluster, group, Value::Map{});
}

void print_member(const Value& member) {
  const auto heard = member["heard_unix_ms"].int_or(0);
  const auto unacknowledged = member["unacknowledged"].int_or(0);
  std::printf("  %-20s  %s partitions  heard %s ago%s\n", shown(member["name"].text_or("")).c_str(),
              text(member["partitions"].int_or(0)).c_str(),
              human_age(process::unix_ms() - heard).c_str(),
              unacknowledged == 0 ? "" : text("  ", unacknowledged, " unacknowledged").c_str());
}

void show(const GroupOptions& options, const Globals& globals) {
  Cluster cluster(globals);
  const auto view = look(cluster, options.group, Value::Map{});
  if (globals.json) return print_json(view);
  print_one(view);
  if (const auto* members = view["each_member"].as<Value::Array>())
    for (const auto& member : *members) print_member(member);
  const auto* each = view["each"].as<Value::Array>();
  if (each == nullptr) return;
  for (const auto& one : *each)
    std::printf("  %4s  %-20s  at %-10s  %s\n", text(one["partition"].int_or(0)).c_str(),
                one["owner"].is_null() ? "nobody" : shown(one["owner"].text_or("")).c_str(),
                text(one["cursor"].int_or(0)).c_str(), lag_text(one).c_str());
}

void move(const GroupOptions& options, const Globals& globals) {
  Cluster cluster(globals);
  const Value place = offset_of_place(cluster, place_in_log(cluster, options.from, "--to"));
  const auto before = look(cluster, options.group, Value::Map{{"to", place}});
  auto view = control(
      cluster, "group_move",
      Value::Map{{"group", options.group}, {"from", place}, {"wish", process::random_u64() >> 1}});
  if (view["was_there"] != Value(true))
    throw Failure{kBadUse, text("group ", options.group, ": there is none")};
  view.set("skips", before["skips"]);
  view.set("repeats", before["repeats"]);
  if (globals.json) return print_json(view);
  std::printf("%s goes on at offset %s: %s records are skipped, %s are read again\n",
              shown(options.group).c_str(), text(view["from"].int_or(0)).c_str(),
              text(view["skips"].int_or(0)).c_str(), text(view["repeats"].int_or(0)).c_str());
}

void remove(const GroupOptions& options, const Globals& globals) {
  Cluster cluster(globals);
  const auto view = control(cluster, "group_delete", Value::Map{{"group", options.group}});
  if (view["was_there"] != Value(true))
    throw Failure{kBadUse, text("group ", options.group, ": there is none")};
  globals.json ? print_json(view)
               : void(std::printf("%s is deleted\n", shown(options.group).c_str()));
}

void remove_member(const GroupOptions& options, const Globals& globals) {
  Cluster cluster(globals);
  const auto view = control(cluster, "group_remove_member",
                            Value::Map{{"group", options.group}, {"member", options.member}});
  if (view["was_there"] != Value(true))
    throw Failure{kBadUse, text("group ", options.group, ": there is none")};
  if (view["removed"].int_or(0) == 0)
    throw Failure{kBadUse, text("member ", options.member, ": group ", options.group,
                                " has none of that name")};
  globals.json ? print_json(view)
               : void(std::printf("%s is removed: others have its partitions within 7 s\n",
                                  shown(options.member).c_str()));
}

constexpr auto kPlaceHelp =
    "earliest (that is kept), latest (only what comes from now on), an offset, or a time: 10m, 2h, "
    "1d ago, today, 2026-01-31T12:00:00Z";

}  // namespace

Value place_in_log(Cluster& cluster, const std::string& written, const char* flag) {
  if (written == "earliest" || written == "latest") return written;
  const bool is_number =
      !written.empty() && written.find_first_not_of("0123456789") == written.npos;
  if (is_number && written.size() <= 18) return static_cast<std::int64_t>(std::stoll(written));
  return offset_at(cluster, need(parse_when(written, process::unix_ms(), flag), kBadUse));
}

std::uint64_t offset_of_place(Cluster& cluster, const Value& place) {
  if (place == Value("latest")) return head_of(cluster);
  const auto offset = place == Value("earliest")
                          ? need(cluster.sink.query("status"))["log_kept_from"].int_or(0)
                          : place.int_or(0);
  return static_cast<std::uint64_t>(offset);
}

void create_cursor(Cluster& cluster, const std::string& name, const std::string& from) {
  (void)control(
      cluster, "group_create",
      Value::Map{{"group", name}, {"from", place_in_log(cluster, from)}, {"partitions", 1}});
}

void add_group(Command& app, Globals& globals) {
  auto* command = app.add_subcommand("group", "Groups of readers of the log, and cursors");
  command->require_subcommand(1, 1);
  auto options = std::make_shared<GroupOptions>();
  const auto sub = [&](const char* name, const char* about, auto act, bool has_name = true) {
    auto* one = command->add_subcommand(name, about);
    if (has_name) one->add_option("group", options->group, "its name")->required();
    one->add_flag("--json", globals.json, "one JSON object a line");
    one->callback([=, &globals] { act(*options, globals); });
    return one;
  };
  auto* creating = sub("create", "Make a group; one that is there stays as it is", create);
  creating->add_option("--from", options->from, text("where it begins: ", kPlaceHelp, " [latest]"));
  creating
      ->add_option("--partitions", options->partitions,
                   "so many members can share its work; fixed once it is made [8]")
      ->check(whole_number(1, 256));
  sub(
      "list", "All of them, with how far each is behind",
      [](const auto&, const auto& all) { list(all); }, false);
  sub("show", "One with its partitions: owner, cursor, what is unread", show);
  sub("move", "Go on elsewhere; says how many records that skips or repeats", move)
      ->add_option("--to", options->from, kPlaceHelp)
      ->required();
  sub("remove", "Remove a member: others read its partitions, and it ends", remove_member)
      ->add_option("member", options->member, "its name")
      ->required();
  sub("delete", "Forget it and its cursors; the log stays", remove);
  sub("dead", "Its dead letters: what `consume` in Python gave up",
      [](const auto& one, const auto& all) {
        need_group(one.group, all);
        list_dead(one.group + "/dead", all);
      });
  sub("retry", "Give dead letters to the group again, all or these",
      [&globals](const auto& one, const auto& all) {
        need_group(one.group, all);
        globals.exit_code = give_back_dead(one.group + "/dead", one.ids, all);
      })
      ->add_option("id", options->ids, "the dead letters");
  command->footer(
      "  eole group create billing --from earliest\n"
      "  eole watch --group billing --json     in as many places as it has partitions\n"
      "docs/log.md has the rest.");
}

}  // namespace eole::cli
