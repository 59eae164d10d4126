#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/expected.hpp"
#include "common/base/ids.hpp"

/// What tasks share, and how tasks of one class stand together: as fields and sizes, so that
/// whoever only carries them looks at no single one.
namespace eole::protocol {

constexpr std::size_t kClassBytesMax = 1024;  // Of one class, encoded.
/// Of a kind or a project: a result says their sizes in a byte.
constexpr std::size_t kNameBytesMax = 255;
/// What the project is called that a project's last task is in: its results are none of the
/// project's own.
constexpr std::string_view kCollectSuffix = "/collect";
constexpr std::int64_t kExpectedMax = 1LL << 40;  // Tasks of a project: more is a mistake.

constexpr std::uint8_t kPriorityMax = 9;
constexpr std::uint32_t kBackoffMsMax = 86'400'000;     // A day between two attempts.
constexpr std::uint32_t kTimeoutMsMax = 2'592'000'000;  // Thirty days of one attempt.

/// What becomes of a task of which a parent was not done.
enum class OnParentFailure : std::uint8_t { kFail, kSkip, kRun };

/// What is said of tasks once, in front of them. Encoded as the head of a message is, without the
/// fields at its end that are zero or empty: those mean what is so where nothing is said. Who reads
/// it ignores later fields.
struct TaskClass {
  static constexpr std::string_view kName = "class";
  static constexpr bool kIsShort = true;
  std::string kind;
  std::string project = {};
  std::uint8_t attempts_max = 0;        // Zero: the ventilator's default.
  std::uint8_t retry = 0;               // One: a failed attempt is tried again, up to that limit.
  std::uint8_t priority = 0;            // 0 … kPriorityMax; a higher one is served first.
  std::uint32_t backoff_ms = 0;         // Before the second attempt; zero: the ventilator's default.
  std::uint32_t backoff_max_ms = 0;     // The longest such pause; likewise.
  std::string retry_on = {};            // causes.hpp; empty: every failure.
  std::uint32_t timeout_ms = 0;         // Of one attempt; zero: none.
  std::string needs = {};               // Labels and resources, "gpu=a100,mem=64G".
  std::string place = {};               // "pin=NAME", "prefer=NAME" or "spread".
  std::uint8_t speculate = 0;           // One: a straggler may get a second copy.
  std::uint8_t on_parent_failure = 0;   // OnParentFailure.
  std::string within = {};              // A prefix: of other projects it may read nothing.
  void fields(auto& io) {
    io(kind), io(project), io(attempts_max), io(retry), io(priority), io(backoff_ms),
        io(backoff_max_ms), io(retry_on), io(timeout_ms), io(needs), io(place), io(speculate),
        io(on_parent_failure), io(within);
  }
  bool operator==(const TaskClass&) const = default;
};
Bytes encode_class(const TaskClass& task_class);
/// Errors name what is wrong with it.
Expected<TaskClass> decode_class(std::string_view encoded);

/// Tasks that another waits for: so many from this one on, from the one that is so many before it in
/// the same submit, or all of a project.
struct Parent {
  TaskId id = {};
  std::uint32_t back = 0;  // Not zero: this counts, not the id.
  std::uint32_t count = 1;
  std::string project = {};  // Not empty: this alone counts.
  bool operator==(const Parent&) const = default;
};
constexpr std::size_t kParentsMax = 1024;  // Stretches, of one task; more are a project.
constexpr std::size_t kOrderKeyBytesMax = 255;   // Of the key that orders tasks.
constexpr std::uint64_t kWaitMsMax = 3'162'240'000'000;  // Longer is a mistake.

/// What one task waits for before it is queued. Encoded as a class is.
struct Conditions {
  static constexpr std::string_view kName = "conditions";
  static constexpr bool kIsShort = true;
  std::string key = {};                   // Tasks of one key run one by one, in their order.
  std::uint64_t delay_ms = 0;             // After it was accepted.
  std::uint64_t not_before_unix_ms = 0;
  std::uint64_t expires_in_ms = 0;        // Not begun so long after it was accepted: it ends.
  std::uint64_t expires_unix_ms = 0;
  std::string parents = {};  // Encoded; each: u8 1, u32 origin, u64 seq, u32 count; u8 2, u32
                             // back, u32 count; or u8 3, u8 size, project.
  /// The task of its own project and origin whose part it does anew; zero: none. Not waited for.
  std::uint64_t instead_of = 0;
  void fields(auto& io) {
    io(key), io(delay_ms), io(not_before_unix_ms), io(expires_in_ms), io(expires_unix_ms),
        io(parents), io(instead_of);
  }
  bool operator==(const Conditions&) const = default;
};
/// Empty if it waits for nothing.
Bytes encode_conditions(const Conditions& conditions);
/// Errors name what is wrong with them.
Expected<Conditions> decode_conditions(std::string_view encoded);
/// Of encoded ones; costs next to nothing where there is none.
Seq instead_of(std::string_view encoded);
void put_parent(std::string& parents, const Parent& parent);
Expected<std::vector<Parent>> decode_parents(std::string_view parents);

/// Reads encoded parents one by one.
class ParentReader {
 public:
  explicit ParentReader(std::string_view parents) : reader_(parents) {}
  /// Nothing: that was all, or what comes makes no sense.
  std::optional<Parent> next();
  /// All were read.
  bool is_done() const { return ok_ && reader_.is_done(); }

 private:
  ByteReader reader_;
  bool ok_ = true;
};

/// Tasks of one class that follow one another: u16 class size, u16 flags, u32 count, u32 size of the
/// specs; class, then `count` specs. Flag 1: each of them has conditions, else none has.
struct TaskGroup {
  static constexpr std::size_t kHeaderBytes = 12;
  std::string_view task_class;  // Encoded.
  std::uint32_t count = 0;
  std::string_view specs;
  bool is_conditional = false;
  bool operator==(const TaskGroup&) const = default;
};
void put_task_group(Bytes& out, const TaskGroup& group);
/// Nothing, and the reader not ok, if it is malformed. Neither class nor specs are looked into.
std::optional<TaskGroup> read_task_group(ByteReader& reader);
/// How many tasks the groups of a submit have, or why they are none. The classes are not looked
/// into.
Expected<std::uint32_t> count_grouped_tasks(std::string_view groups);

/// Groups that are whole, as if their tasks were part of no trace; nothing: they are of none.
std::optional<Bytes> without_traces(std::string_view groups);

/// The groups of tasks that come one by one: neighbours of one class share one.
class TaskGroups {
 public:
  void add(const TaskClass& task_class, std::string_view args, std::string_view conditions = {},
           std::string_view trace = {});
  /// A task as it was read, under its encoded class.
  void add(std::string_view task_class, std::string_view spec);
  std::uint32_t count() const { return count_; }
  std::size_t bytes() const { return bytes_.size(); }
  void reserve(std::size_t bytes) { bytes_.reserve(bytes); }
  /// All that were added; then there are none.
  Bytes take();

 private:
  void begin(std::string_view task_class, bool is_conditional);
  void end_task();

  Bytes bytes_;
  std::size_t group_ = 0;       // Where the last one's header is.
  std::uint32_t in_group_ = 0;  // Its tasks …
  bool is_conditional_ = false;  // … and whether they have conditions.
  std::uint32_t count_ = 0;     // All tasks.
  TaskClass class_;             // The last one that was encoded …
  Bytes encoded_;               // … and how; empty: none.
};

}  // namespace eole::protocol
