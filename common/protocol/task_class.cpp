#include "common/protocol/task_class.hpp"

#include <utility>

#include "common/base/text.hpp"
#include "common/protocol/codec.hpp"
#include "common/protocol/records.hpp"

namespace eole::protocol {

Bytes encode_class(const TaskClass& task_class) { return encode(task_class).head; }

Expected<TaskClass> decode_class(std::string_view encoded) {
  if (encoded.size() > kClassBytesMax)
    return Error{text("class: ", encoded.size(), " bytes, limit ", kClassBytesMax)};
  const auto head = HeadReader::parse(encoded);
  if (!head) return Error{text("class: ", head.error().message)};
  if (head->name() != TaskClass::kName) return Error{"class: is something else"};
  auto task_class = decode<TaskClass>(*head, {});
  if (!task_class) return task_class.error();
  if (task_class->kind.empty()) return Error{"class: no kind"};
  for (const auto* name : {&task_class->kind, &task_class->project})
    if (name->size() > kNameBytesMax)
      return Error{
          text("class: kind or project of ", name->size(), " bytes, limit ", kNameBytesMax)};
  return task_class;
}

void put_task_group(Bytes& out, const TaskGroup& group) {
  put<std::uint16_t>(out, static_cast<std::uint16_t>(group.task_class.size()));
  put<std::uint16_t>(out, 0);
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
  if (!reader.ok() || read_at<std::uint16_t>(header, 2) != 0) return std::nullopt;
  if (group.count == 0 || group.task_class.size() > kClassBytesMax) return std::nullopt;
  return group;
}

Expected<std::uint32_t> count_grouped_tasks(std::string_view groups) {
  ByteReader reader(groups);
  std::uint32_t tasks = 0;
  for (std::uint32_t number = 0; !reader.is_done(); ++number) {
    const auto group = read_task_group(reader);
    if (!group) return Error{text("group ", number, " of tasks: malformed")};
    const auto count = count_task_specs(group->specs);
    if (!count) return Error{text("group ", number, " of tasks: ", count.error().message)};
    if (*count != group->count)
      return Error{text("group ", number, " of tasks: says ", group->count, ", has ", *count)};
    tasks += *count;
    if (tasks > kTasksPerMessageMax)
      return Error{text("more than ", kTasksPerMessageMax, " tasks in one message")};
  }
  return tasks;
}

void TaskGroups::add(const TaskClass& task_class, std::string_view args) {
  if (encoded_.empty() || class_ != task_class) {
    encoded_ = encode_class(task_class);
    class_ = task_class;
    in_group_ = 0;
  }
  if (in_group_ == 0) begin(encoded_);
  put_task_spec(bytes_, {args});
  end_task();
}

void TaskGroups::add(std::string_view task_class, std::string_view spec) {
  if (in_group_ == 0 || encoded_ != task_class) {
    encoded_ = task_class;
    class_ = {};
    begin(encoded_);
  }
  bytes_ += spec;
  end_task();
}

void TaskGroups::begin(std::string_view task_class) {
  group_ = bytes_.size();
  in_group_ = 0;
  put_task_group(bytes_, {task_class, 0, {}});
}

void TaskGroups::end_task() {
  ++count_;
  char* header = bytes_.data() + group_;
  const auto specs = bytes_.size() - group_ - TaskGroup::kHeaderBytes - encoded_.size();
  write_at<std::uint32_t>(header, 4, ++in_group_);
  write_at<std::uint32_t>(header, 8, static_cast<std::uint32_t>(specs));
}

Bytes TaskGroups::take() {
  in_group_ = count_ = 0;
  return std::exchange(bytes_, {});
}

}  // namespace eole::protocol
