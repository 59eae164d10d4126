#pragma once
#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "common/base/expected.hpp"
#include "common/protocol/task_class.hpp"
#include "common/protocol/value.hpp"
#include "ventilator/core/durable.hpp"
#include "ventilator/core/events.hpp"
#include "ventilator/core/gates/gates.hpp"

namespace eole::ventilator {

/// Which tasks projects take, and how many may be known: what follows from their tasks and from who
/// waits, beside what Projects knows. Made for one question, of parts that outlive it.
class ProjectAdmission {
 public:
  ProjectAdmission(const Durable& durable, const Gates& gates) : durable_(durable), gates_(gates) {}

  /// Why these tasks may not be in their project, or of their kind, and wait for those projects;
  /// nothing if they may.
  std::optional<Error> why_refused(const protocol::TaskGroup& group,
                                   const std::set<std::string>& awaited) const;
  /// Why so many more may not be known; nothing if they may.
  std::optional<Error> why_no_more(std::uint64_t more) const;
  /// One that is over, and that nobody waits for.
  bool may_forget(const std::string& name, const Project& project) const;

 private:
  const Durable& durable_;
  const Gates& gates_;
};

/// How projects are opened and closed, if they are admitted. Made for one control or submit, of
/// parts that outlive it.
class ProjectControls {
 public:
  using Value = protocol::Value;
  ProjectControls(Durable& durable, const Gates& gates, const Moment& moment)
      : durable_(durable), admission_(durable, gates), moment_(moment) {}

  /// {"project": …, "expected": 100, "collect": a submit's payload, "is_again": true,
  /// "is_retry": true}
  Expected<Value> open(const Value& options, Actions& out);
  Expected<Value> close(const Value& options, Actions& out);
  /// For one that is new there is room: who asks has looked.
  void put(const std::string& name, Project project, Actions& out);
  /// A task will wait for them.
  void watch(const std::set<std::string>& awaited, Actions& out);

 private:
  Durable& durable_;
  ProjectAdmission admission_;
  const Moment& moment_;
};

}  // namespace eole::ventilator
