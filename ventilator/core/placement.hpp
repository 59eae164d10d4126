#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/base/ids.hpp"
#include "common/protocol/needs.hpp"
#include "common/protocol/task_class.hpp"
#include "ventilator/core/task_class.hpp"

namespace eole::ventilator {

/// What classes ask of a worker beyond their kind, and what the tasks that are leased to each take
/// of its resources. A class that asks for nothing is plain: it costs nothing here.
class Placement {
 public:
  struct Wants {
    std::vector<protocol::Need> needs;
    protocol::Place place;
  };
  static bool is_plain(const protocol::TaskClass& task_class) {
    return task_class.needs.empty() && task_class.place.empty();
  }
  /// Parsed once; holds until the next call.
  const Wants& of(const protocol::TaskClass& task_class) const;
  /// It has the labels, and so much of each resource as long as nothing runs there.
  static bool has(const protocol::Offers& offers, const std::vector<protocol::Need>& needs);

  /// Tasks of this class, if it is not plain, are counted from here on; until none is left.
  void add(ClassId id, const protocol::TaskClass& task_class);
  void forget(ClassId id) { counted_.erase(id); }
  bool counts(ClassId id) const { return counted_.contains(id); }
  void lease(RunId run, ClassId id) {
    if (!counted_.empty()) count(run, id, 1);
  }
  void release(RunId run, ClassId id) {
    if (!counted_.empty()) count(run, id, UINT64_MAX);
  }
  /// What a worker has of what these needs name is for them alone; or of nobody's any more.
  void keep(RunId run, const std::vector<protocol::Need>& needs) { kept_ = {run, needs}; }
  void keep_nothing() { kept_ = {}; }
  /// It is kept for others.
  bool is_kept(RunId run, const std::vector<protocol::Need>& needs) const;
  /// How many more tasks with these needs the worker has room for.
  std::uint64_t room(RunId run, const protocol::Offers& offers,
                     const std::vector<protocol::Need>& needs) const;
  /// Thousandths of this resource that are not taken.
  std::uint64_t free(RunId run, const protocol::Offers& offers, std::string_view name) const;
  /// Tasks of this project that are leased to it, of those that are counted.
  std::uint64_t of_project(RunId run, std::string_view project) const;
  /// Of resources and projects that are kept for it.
  std::size_t names(RunId run) const;

 private:
  struct Counted {
    std::string project;
    std::vector<protocol::Need> needs;
  };
  using Amounts = std::map<std::string, std::uint64_t, std::less<>>;
  /// What one worker is leased.
  struct Leased {
    std::uint64_t tasks = 0;
    Amounts taken;     // Of what is needed, by name.
    Amounts projects;  // Tasks.
  };
  static void add(Amounts& amounts, const std::string& name, std::uint64_t more);
  void count(RunId run, ClassId id, std::uint64_t more);

  /// Needs and place.
  using Written = std::pair<std::string_view, std::string_view>;
  struct Before {
    using is_transparent = void;
    bool operator()(const Written& one, const Written& other) const { return one < other; }
  };
  mutable std::map<std::pair<std::string, std::string>, Wants, Before> wants_;
  std::unordered_map<ClassId, Counted> counted_;
  std::unordered_map<RunId, Leased> leased_;
  std::pair<RunId, std::vector<protocol::Need>> kept_;
};

}  // namespace eole::ventilator
