#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ventilator/core/gates/gate.hpp"
#include "ventilator/core/projects.hpp"
#include "ventilator/core/task_class.hpp"

namespace eole::ventilator {

/// Tasks that wait for a project: until it is closed and over if it was opened before they came,
/// else until all of its tasks have ended that were accepted before them. Of a task of the project
/// that ends it need only know how many live between two that wait.
class ProjectWaits : public Gate {
 public:
  ProjectWaits(const Projects& projects, const TaskClasses& classes)
      : projects_(projects), classes_(classes) {}
  bool enter(const Arrival& arrival, const Moment& moment, const Ends& ends,
             Released& out) override;
  void on_ended(Seq first, Seq last, const Ends& ends, Released& out) override;
  void on_introduced(const Ends& ends, Released& out) override;
  void waiters_of(Seq seq, std::string_view project, std::size_t most, std::vector<Seq>& out) const override;
  std::optional<Why> why(Seq seq, const Moment& moment) const override;

  bool is_empty() const { return lines_.empty(); }
  bool waits_for(std::string_view project) const { return lines_.contains(project); }
  /// So many tasks of it ended, the first of which is this one. Comes after projects_ knows
  /// whether they were done.
  void on_tasks_ended(const EndedTasks& ended, Released& out);
  /// It is closed and over.
  void on_over(std::string_view project, Released& out);

 private:
  /// Who waits for one project.
  struct Line {
    std::map<Seq, std::uint64_t> before;  // And how many live between the one before it and it.
    std::uint64_t live = 0;               // Of all these.
    std::set<Seq> until_over;
  };
  using Lines = std::map<std::string, Line, std::less<>>;
  struct Child {
    std::vector<std::string> projects;  // It still waits for them.
    protocol::OnParentFailure on_failure = protocol::OnParentFailure::kFail;
  };
  bool is_over(std::string_view name, const Project& project) const;
  void drop(Line& line, Seq child);
  void pass(Seq child, std::string_view project, Released& out);
  void fail(Seq child, std::string_view project, Released& out);
  void let_go(Lines::iterator at, Released& out);

  const Projects& projects_;
  const TaskClasses& classes_;
  bool is_counted_ = false;  // Not before it is known which tasks have ended.
  Lines lines_;
  std::map<Seq, Child> children_;
};

}  // namespace eole::ventilator
