#include "ventilator/core/projects.hpp"

#include <utility>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/value.hpp"

namespace eole::ventilator {

using protocol::Value;

namespace {

constexpr std::string_view kKeyHead{"\0project/", 9};
constexpr std::uint8_t kIsOpened = 1;
constexpr std::uint8_t kIsClosed = 2;
constexpr std::uint8_t kIsForgotten = 4;
constexpr std::uint8_t kIsRetried = 8;

void put_entry(Bytes& out, std::string_view name, const Project* project) {
  put<std::uint8_t>(out, static_cast<std::uint8_t>(name.size()));
  out += name;
  if (project == nullptr) return put<std::uint8_t>(out, kIsForgotten);
  put<std::uint8_t>(out, static_cast<std::uint8_t>((project->is_opened ? kIsOpened : 0) |
                                                   (project->is_closed ? kIsClosed : 0) |
                                                   (project->is_retried ? kIsRetried : 0)));
  for (const auto number : {project->opened_after, project->expected, project->accepted,
                            project->first_not_done, project->collected})
    put<std::uint64_t>(out, number);
  put<std::uint32_t>(out, static_cast<std::uint32_t>(project->collect.size()));
  out += project->collect;
}

}  // namespace

const Project* Projects::find(std::string_view name) const {
  const auto found = known_.find(name);
  return found == known_.end() ? nullptr : &found->second.project;
}

void Projects::put(const std::string& name, Project project) {
  auto& known = known_[name];
  if (known.number == 0) {
    known.number = next_++;
    order_.emplace(known.number, name);
  }
  known.project = std::move(project);
}

void Projects::forget(const std::string& name) {
  const auto found = known_.find(name);
  if (found == known_.end()) return;
  order_.erase(found->second.number);
  known_.erase(found);
}

void Projects::add_accepted(std::string_view name, std::uint64_t count) {
  const auto found = known_.find(name);
  if (found == known_.end()) return;
  auto& project = found->second.project;
  project.accepted += count;
  if (project.expected != 0 && project.accepted >= project.expected) mark_due(name);
}

bool Projects::add_not_done(std::string_view name, Seq seq) {
  const auto found = known_.find(name);
  if (found == known_.end()) return false;
  auto& first = found->second.project.first_not_done;
  if (first != 0 && first <= seq) return false;
  first = seq;
  return true;
}

void Projects::save(SavePlace& place, Bytes& out) const {
  for (auto at = order_.lower_bound(place.number); at != order_.end(); ++at) {
    if (out.size() >= kPartBytesMax) return;
    put_entry(out, at->second, &known_.at(at->second).project);
    place.number = at->first + 1;
  }
}

bool Projects::load(std::string_view payload) {
  ByteReader reader(payload);
  while (reader.ok() && !reader.is_done()) {
    const std::string name(reader.take(reader.get<std::uint8_t>()));
    const auto flags = reader.get<std::uint8_t>();
    if (!reader.ok() || name.empty()) return false;
    if ((flags & kIsForgotten) != 0) {
      forget(name);
      continue;
    }
    Project project;
    project.is_opened = (flags & kIsOpened) != 0;
    project.is_closed = (flags & kIsClosed) != 0;
    project.is_retried = (flags & kIsRetried) != 0;
    for (auto* number : {&project.opened_after, &project.expected, &project.accepted,
                         &project.first_not_done, &project.collected})
      *number = reader.get<std::uint64_t>();
    project.collect = reader.take(reader.get<std::uint32_t>());
    if (reader.ok()) put(name, std::move(project));
  }
  return reader.ok();
}

Bytes Projects::record(const std::string& name) const {
  Bytes out;
  put_entry(out, name, find(name));
  return out;
}

void Projects::load_accepted(std::string_view groups, std::string_view key, Seq first) {
  if (is_own_key(key) && !planted("collect-forgotten-at-restart")) {
    const auto found = known_.find(key.substr(kKeyHead.size()));
    if (found != known_.end()) found->second.project.collected = first;
  }
  if (known_.empty()) return;
  ByteReader reader(groups);
  while (const auto group = protocol::read_task_group(reader))
    if (const auto task_class = protocol::decode_class(group->task_class))
      add_accepted(task_class->project, group->count);
}

std::string collect_key(std::string_view project) { return text(kKeyHead, project); }

bool is_own_key(std::string_view key) { return key.starts_with('\0'); }

Expected<Bytes> collect_of(const std::string& project, std::string_view payload) {
  if (payload.size() > kCollectBytesMax)
    return Error{text("its last task has ", payload.size(), " bytes, limit ", kCollectBytesMax)};
  const auto count = protocol::count_grouped_tasks(payload);
  if (!count) return count.error();
  ByteReader reader(payload);
  const auto group = protocol::read_task_group(reader);
  if (*count != 1 || !group || group->is_conditional)
    return Error{text("its last task: ", *count, " tasks, must be one without conditions")};
  auto task_class = protocol::decode_class(group->task_class);
  if (!task_class) return task_class.error();
  if (task_class->kind == kOverKind) return over_is_reserved();
  task_class->project = project + std::string(protocol::kCollectSuffix);
  if (task_class->project.size() > protocol::kNameBytesMax)
    return Error{text("its name has ", project.size(), " bytes, limit ",
                      protocol::kNameBytesMax - protocol::kCollectSuffix.size())};
  Bytes out;
  const auto encoded = protocol::encode_class(*task_class);
  if (encoded.size() > protocol::kClassBytesMax)
    return Error{text("its last task's class has ", encoded.size(), " bytes, limit ",
                      protocol::kClassBytesMax)};
  protocol::put_task_group(out, {encoded, 1, group->specs});
  return out;
}

Bytes over_of(const std::string& project, const TaskId& first_not_done) {
  Value value = Value::Map{{"project", project}, {"all_done", first_not_done.seq == 0}};
  if (first_not_done.seq != 0) value.set("first_not_done", to_text(first_not_done));
  protocol::TaskGroups groups;
  groups.add(protocol::TaskClass{std::string(kOverKind), text(project, protocol::kCollectSuffix)},
             value.to_msgpack());
  return groups.take();
}

Error over_is_reserved() {
  return {text("kind ", kOverKind, ": is the ventilator's own, for projects without a last task")};
}

std::optional<std::string_view> project_of_last(std::string_view project) {
  if (!project.ends_with(protocol::kCollectSuffix)) return std::nullopt;
  project.remove_suffix(protocol::kCollectSuffix.size());
  return project;
}

bool is_over_task(const protocol::TaskClass& task_class) {
  return task_class.kind == kOverKind && task_class.project.ends_with(protocol::kCollectSuffix);
}

}  // namespace eole::ventilator
