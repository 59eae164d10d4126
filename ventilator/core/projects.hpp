#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/expected.hpp"
#include "common/base/ids.hpp"
#include "common/protocol/task_class.hpp"
#include "ventilator/core/parts.hpp"

namespace eole::ventilator {

/// Projects that were opened, or that a task waits for. One more takes the place of one that is
/// over, or is refused.
constexpr std::size_t kProjectsMax = 4096;
/// Of the task that collects a project's results, with its class.
constexpr std::size_t kCollectBytesMax = 16 << 10;

/// What is known of a project besides its tasks.
struct Project {
  bool is_opened = false;      // By wish; else a task waits for it.
  bool is_closed = false;      // It takes no more tasks.
  bool is_retried = false;     // Opened again by a retry, which closes it at its end.
  Seq opened_after = 0;        // A task behind this one waits for its end; is_retried: by that.
  std::uint64_t expected = 0;  // With so many tasks it closes itself; zero: not known.
  std::uint64_t accepted = 0;  // Of its tasks, since it is known.
  Seq first_not_done = 0;      // The first of them that ended, but was not done; zero: none.
  Bytes collect = {};          // The payload of a submit of one task; empty: none.
  Seq collected = 0;           // Its last task, once it was accepted: that, or one that says so.
  bool operator==(const Project&) const = default;
};

/// Projects by name. Which tasks they have follows from the classes; here is what does not.
class Projects {
 public:
  const Project* find(std::string_view name) const;
  std::size_t size() const { return known_.size(); }
  bool is_empty() const { return known_.empty(); }
  /// In place of what was known.
  void put(const std::string& name, Project project);
  void forget(const std::string& name);
  /// The oldest that may be forgotten, in place of which another may be known.
  template <class May>  // bool(name, project)
  std::optional<std::string> oldest(May&& may) const {
    for (const auto& [number, name] : order_)
      if (may(name, known_.at(name).project)) return name;
    return std::nullopt;
  }
  template <class Visit>  // visit(name, project)
  void each(Visit&& visit) const {
    for (const auto& [name, known] : known_) visit(name, known.project);
  }

  void add_accepted(std::string_view name, std::uint64_t count);
  /// True if that is news of which the journal must know.
  bool add_not_done(std::string_view name, Seq seq);

  /// Look at it: it may be over now.
  void mark_due(std::string_view name) { due_.emplace(name); }
  std::set<std::string> take_due() { return std::exchange(due_, {}); }

  /// For Part::kProjects.
  void save(SavePlace& place, Bytes& out) const;
  bool load(std::string_view payload);
  /// An entry of such a record; of a project that is known no more, with nothing in it.
  Bytes record(const std::string& name) const;
  /// While loading: these tasks were accepted, under this key.
  void load_accepted(std::string_view groups, std::string_view key, Seq first);

 private:
  struct Known {
    std::uint64_t number = 0;
    Project project;
  };
  std::map<std::string, Known, std::less<>> known_;
  std::map<std::uint64_t, std::string> order_;  // A snapshot goes by it.
  std::uint64_t next_ = 1;
  std::set<std::string> due_;
};

/// The key under which the task that collects a project is accepted: the record that has it says at
/// once that it was. No client may use such a key.
std::string collect_key(std::string_view project);
bool is_own_key(std::string_view key);

/// The payload of a submit of one task, in the project beside this one; or why it is none.
Expected<Bytes> collect_of(const std::string& project, std::string_view payload);

/// The kind that no client's task has: after a restart it is by this that the own ones are known.
inline constexpr std::string_view kOverKind = "over";
Error over_is_reserved();
/// The project that is over if this is the one of its last task.
std::optional<std::string_view> project_of_last(std::string_view project);

/// The last task of a project that names none, as such a payload: nobody runs it, it ends as soon
/// as it was accepted, and its value says how the project ended. `first_not_done`: zero if all are.
Bytes over_of(const std::string& project, const TaskId& first_not_done);
bool is_over_task(const protocol::TaskClass& task_class);

}  // namespace eole::ventilator
