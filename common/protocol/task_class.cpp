#include "common/protocol/task_class.hpp"

#include <utility>

#include "common/base/text.hpp"
#include "common/base/within.hpp"
#include "common/protocol/causes.hpp"
#include "common/protocol/codec.hpp"
#include "common/protocol/needs.hpp"
#include "common/protocol/records.hpp"

namespace eole::protocol {

namespace {

constexpr std::uint16_t kConditional = 1;
enum class ParentIs : std::uint8_t { kId = 1, kBack, kProject };

Expected<void> check_parents(std::string_view parents) {
  std::size_t stretches = 0;
  ParentReader reader(parents);
  while (reader.next())
    if (++stretches > kParentsMax)
      return Error{
          text("after: more than ", kParentsMax, " stretches of tasks (a project may have more)")};
  return reader.is_done() ? Expected<void>() : Error{"after: malformed"};
}

}  // namespace

Bytes encode_class(const TaskClass& task_class) { return encode_short(task_class); }

Expected<TaskClass> decode_class(std::string_view encoded) {
  if (encoded.size() > kClassBytesMax)
    return Error{text("class: ", encoded.size(), " bytes, limit ", kClassBytesMax)};
  const auto head = HeadReader::parse(encoded);
  if (!head) return Error{text("class: ", head.error().message)};
  if (head->name() != TaskClass::kName) return Error{"class: is something else"};
  auto task_class = decode<TaskClass>(*head, {});
  if (!task_class) return task_class.error();
  if (task_class->kind.empty()) return Error{"class: no kind"};
  if (auto causes = check_causes(task_class->retry_on); !causes)
    return Error{text("class: ", causes.error().message)};
  for (const auto pause : {task_class->backoff_ms, task_class->backoff_max_ms})
    if (pause > kBackoffMsMax)
      return Error{text("class: a backoff of ", pause, " ms, limit ", kBackoffMsMax)};
  if (task_class->timeout_ms > kTimeoutMsMax)
    return Error{
        text("class: a timeout of ", task_class->timeout_ms, " ms, limit ", kTimeoutMsMax)};
  if (task_class->priority > kPriorityMax)
    return Error{text("class: priority ", task_class->priority, ", limits 0 and ", kPriorityMax)};
  if (const auto needs = parse_needs(task_class->needs); !needs)
    return Error{text("class: needs: ", needs.error().message)};
  if (const auto place = parse_place(task_class->place); !place)
    return Error{text("class: place: ", place.error().message)};
  if (!task_class->within.empty())
    if (const auto within = Within::parse_kept(task_class->within); !within)
      return Error{text("class: ", within.error().message)};
  for (const auto* name : {&task_class->kind, &task_class->project})
    if (name->size() > kNameBytesMax)
      return Error{
          text("class: kind or project of ", name->size(), " bytes, limit ", kNameBytesMax)};
  return task_class;
}

Bytes encode_conditions(const Conditions& conditions) {
  return conditions == Conditions{} ? Bytes() : encode_short(conditions);
}

// It is the last field, and those that are zero are left out: mostly the array is too short.
Seq instead_of(std::string_view encoded) {
  constexpr char kArrayOfEight = '\x98';
  constexpr char kLastSmallArray = '\x9f';
  if (encoded.empty() || encoded[0] <= kArrayOfEight || encoded[0] > kLastSmallArray) return 0;
  const auto conditions = decode_conditions(encoded);
  return conditions ? conditions->instead_of : 0;
}

Expected<Conditions> decode_conditions(std::string_view encoded) {
  const auto head = HeadReader::parse(encoded, kConditionsBytesMax);
  if (!head) return Error{text("conditions: ", head.error().message)};
  if (head->name() != Conditions::kName) return Error{"conditions: are something else"};
  auto conditions = decode<Conditions>(*head, {});
  if (!conditions) return conditions.error();
  if (conditions->key.size() > kOrderKeyBytesMax)
    return Error{text("key of ", conditions->key.size(), " bytes, limit ", kOrderKeyBytesMax)};
  for (const auto wait : {conditions->delay_ms, conditions->not_before_unix_ms,
                          conditions->expires_in_ms, conditions->expires_unix_ms})
    if (wait > kWaitMsMax) return Error{text("a time of ", wait, " ms, limit ", kWaitMsMax)};
  if (const auto parents = check_parents(conditions->parents); !parents) return parents.error();
  return conditions;
}

void put_parent(std::string& parents, const Parent& parent) {
  if (!parent.project.empty()) {
    put<std::uint8_t>(parents, static_cast<std::uint8_t>(ParentIs::kProject));
    put<std::uint8_t>(parents, static_cast<std::uint8_t>(parent.project.size()));
    parents += parent.project;
    return;
  }
  const bool is_back = parent.back != 0;
  put<std::uint8_t>(parents, static_cast<std::uint8_t>(is_back ? ParentIs::kBack : ParentIs::kId));
  if (is_back) {
    put<std::uint32_t>(parents, parent.back);
  } else {
    put<std::uint32_t>(parents, parent.id.origin);
    put<std::uint64_t>(parents, parent.id.seq);
  }
  put<std::uint32_t>(parents, parent.count);
}

std::optional<Parent> ParentReader::next() {
  if (!ok_ || reader_.is_done()) return std::nullopt;
  Parent parent;
  const auto is = static_cast<ParentIs>(reader_.get<std::uint8_t>());
  if (is == ParentIs::kProject) {
    parent.project = reader_.take(reader_.get<std::uint8_t>());
  } else if (is == ParentIs::kBack) {
    parent.back = reader_.get<std::uint32_t>();
  } else {
    parent.id.origin = reader_.get<std::uint32_t>();
    parent.id.seq = reader_.get<std::uint64_t>();
  }
  if (is != ParentIs::kProject) parent.count = reader_.get<std::uint32_t>();
  const bool is_one = is == ParentIs::kProject ? !parent.project.empty()
                      : is == ParentIs::kBack  ? parent.back >= parent.count
                                               : is == ParentIs::kId && parent.id.seq != 0;
  ok_ = reader_.ok() && is_one && parent.count != 0;
  return ok_ ? std::optional(std::move(parent)) : std::nullopt;
}

Expected<std::vector<Parent>> decode_parents(std::string_view parents) {
  std::vector<Parent> found;
  ParentReader reader(parents);
  while (auto parent = reader.next()) found.push_back(std::move(*parent));
  if (!reader.is_done()) return Error{"after: malformed"};
  return found;
}

void put_task_group(Bytes& out, const TaskGroup& group) {
  put<std::uint16_t>(out, static_cast<std::uint16_t>(group.task_class.size()));
  put<std::uint16_t>(out, group.is_conditional ? kConditional : 0);
  put<std::uint32_t>(out, group.count);
  put<std::uint32_t>(out, static_cast<std::uint32_t>(group.specs.size()));
  out += group.task_class;
  out += group.specs;
}

std::optional<TaskGroup> read_task_group(ByteReader& reader) {
  const auto header = reader.take(TaskGroup::kHeaderBytes);
  if (!reader.ok()) return std::nullopt;
  TaskGroup group;
  group.count = read_at<std::uint32_t>(header, 4);
  group.task_class = reader.take(read_at<std::uint16_t>(header, 0));
  group.specs = reader.take(read_at<std::uint32_t>(header, 8));
  const auto flags = read_at<std::uint16_t>(header, 2);
  if (!reader.ok() || (flags & ~kConditional) != 0) return std::nullopt;
  group.is_conditional = flags == kConditional;
  if (group.count == 0 || group.task_class.size() > kClassBytesMax) return std::nullopt;
  return group;
}

Expected<std::uint32_t> count_grouped_tasks(std::string_view groups) {
  ByteReader reader(groups);
  std::uint32_t tasks = 0;
  for (std::uint32_t number = 0; !reader.is_done(); ++number) {
    const auto group = read_task_group(reader);
    if (!group) return Error{text("group ", number, " of tasks: malformed")};
    const auto count = count_task_specs(group->specs, group->is_conditional);
    if (!count) return Error{text("group ", number, " of tasks: ", count.error().message)};
    if (*count != group->count)
      return Error{text("group ", number, " of tasks: says ", group->count, ", has ", *count)};
    tasks += *count;
    if (tasks > kTasksPerMessageMax)
      return Error{text("more than ", kTasksPerMessageMax, " tasks in one message")};
  }
  return tasks;
}

void TaskGroups::add(const TaskClass& task_class, std::string_view args,
                     std::string_view conditions, std::string_view trace) {
  if (encoded_.empty() || class_ != task_class) {
    encoded_ = encode_class(task_class);
    class_ = task_class;
    in_group_ = 0;
  }
  if (in_group_ == 0 || is_conditional_ == conditions.empty()) begin(encoded_, !conditions.empty());
  put_task_spec(bytes_, {args, conditions, trace});
  end_task();
}

void TaskGroups::add(std::string_view task_class, std::string_view spec) {
  const bool is_conditional = has_conditions(spec);
  if (in_group_ == 0 || encoded_ != task_class || is_conditional_ != is_conditional) {
    encoded_ = task_class;
    class_ = {};
    begin(encoded_, is_conditional);
  }
  bytes_ += spec;
  end_task();
}

void TaskGroups::begin(std::string_view task_class, bool is_conditional) {
  group_ = bytes_.size();
  in_group_ = 0;
  is_conditional_ = is_conditional;
  put_task_group(bytes_, {task_class, 0, {}, is_conditional});
}

void TaskGroups::end_task() {
  ++count_;
  char* header = bytes_.data() + group_;
  const auto specs = bytes_.size() - group_ - TaskGroup::kHeaderBytes - encoded_.size();
  write_at<std::uint32_t>(header, 4, ++in_group_);
  write_at<std::uint32_t>(header, 8, static_cast<std::uint32_t>(specs));
}

std::optional<Bytes> without_traces(std::string_view groups) {
  TaskGroups untraced;
  bool is_traced = false;
  for (ByteReader reader(groups); const auto group = read_task_group(reader);)
    for (ByteReader specs(group->specs); const auto spec = read_task_spec(specs);)
      is_traced = is_traced || !spec->trace.empty();
  if (!is_traced) return std::nullopt;
  for (ByteReader reader(groups); const auto group = read_task_group(reader);)
    for (ByteReader specs(group->specs); const auto spec = read_task_spec(specs);) {
      Bytes bare;
      put_task_spec(bare, {spec->args, spec->conditions});
      untraced.add(group->task_class, bare);
    }
  return untraced.take();
}

Bytes TaskGroups::take() {
  in_group_ = count_ = 0;
  return std::exchange(bytes_, {});
}

}  // namespace eole::protocol
