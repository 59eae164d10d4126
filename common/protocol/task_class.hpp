#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/bytes.hpp"
#include "common/base/expected.hpp"
#include "common/base/ids.hpp"

/// What tasks share, and how tasks of one class stand together: as fields and sizes, so that
/// whoever only carries them looks at no single one.
namespace eole::protocol {

constexpr std::size_t kClassBytesMax = 1024;  // Of one class, encoded.
/// Of a kind or a project: a result says their sizes in a byte.
constexpr std::size_t kNameBytesMax = 255;

/// What is said of tasks once, in front of them. Encoded as the head of a message is, so that who
/// reads it ignores later fields; their zero or empty text means what was so before.
struct TaskClass {
  static constexpr std::string_view kName = "class";
  std::string kind;
  std::string project;
  std::uint8_t attempts_max = 0;  // Zero: the ventilator's default.
  std::uint8_t retry = 0;         // One: a failed attempt is tried again, up to that limit.
  void fields(auto& io) { io(kind), io(project), io(attempts_max), io(retry); }
  bool operator==(const TaskClass&) const = default;
};
Bytes encode_class(const TaskClass& task_class);
/// Errors name what is wrong with it.
Expected<TaskClass> decode_class(std::string_view encoded);

/// Tasks of one class that follow one another: u16 class size, u16 zero, u32 count, u32 size of the
/// specs; class, then `count` specs.
struct TaskGroup {
  static constexpr std::size_t kHeaderBytes = 12;
  std::string_view task_class;  // Encoded.
  std::uint32_t count = 0;
  std::string_view specs;
  bool operator==(const TaskGroup&) const = default;
};
void put_task_group(Bytes& out, const TaskGroup& group);
/// Nothing, and the reader not ok, if it is malformed. Neither class nor specs are looked into.
std::optional<TaskGroup> read_task_group(ByteReader& reader);
/// How many tasks the groups of a submit have, or why they are none. The classes are not looked
/// into.
Expected<std::uint32_t> count_grouped_tasks(std::string_view groups);

/// The groups of tasks that come one by one: neighbours of one class share one.
class TaskGroups {
 public:
  void add(const TaskClass& task_class, std::string_view args);
  /// A task as it was read, under its encoded class.
  void add(std::string_view task_class, std::string_view spec);
  std::uint32_t count() const { return count_; }
  std::size_t bytes() const { return bytes_.size(); }
  void reserve(std::size_t bytes) { bytes_.reserve(bytes); }
  /// All that were added; then there are none.
  Bytes take();

 private:
  void begin(std::string_view task_class);
  void end_task();

  Bytes bytes_;
  std::size_t group_ = 0;       // Where the last one's header is.
  std::uint32_t in_group_ = 0;  // Its tasks.
  std::uint32_t count_ = 0;     // All tasks.
  TaskClass class_;             // The last one that was encoded …
  Bytes encoded_;               // … and how; empty: none.
};

}  // namespace eole::protocol
