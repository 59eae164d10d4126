#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "common/base/expected.hpp"
#include "common/protocol/messages.hpp"
#include "ventilator/core/config.hpp"
#include "ventilator/core/durable.hpp"
#include "ventilator/core/events.hpp"
#include "ventilator/core/gates/gates.hpp"
#include "ventilator/core/limits/quotas.hpp"

namespace eole::ventilator {

/// Whether a submit is one that was answered, and why its tasks cannot be taken: asks each part,
/// and changes none. Made for one submit, of parts that outlive it.
class Admission {
 public:
  /// `queued`: so many tasks are.
  Admission(const Config& config, const Durable& durable, const Gates& gates, const Quotas& quotas,
            std::uint64_t queued, const Moment& moment)
      : config_(config),
        durable_(durable),
        gates_(gates),
        quotas_(quotas),
        queued_(queued),
        moment_(moment) {}

  static Error no_room_on_disk();
  /// What it was answered before; nothing: it is new. `conflict`: its key was used for others.
  std::optional<Answered> find_answer(const Submitted& event, std::optional<Error>& conflict) const;
  /// Why its tasks cannot be taken; nothing if they can. Adds the projects that they wait for.
  std::optional<Error> why_refused(const Submitted& event, std::set<std::string>& awaited) const;
  /// The same of the tasks alone, whoever submits them.
  std::optional<Error> why_groups_refused(const protocol::Submit& submit,
                                          std::set<std::string>& awaited) const;
  /// Why they are too much now, if they can be taken; nothing if they are not.
  std::optional<Error> why_limited(const Submitted& event) const;

 private:
  /// The tasks that wait for a project's end, and their projects.
  struct Circle {
    Gates::Behind behind;
    std::set<std::string> projects;
  };

  bool is_remembering_too_much(const Submitted& event) const;
  const Circle& circle_of(const std::string& project, std::map<std::string, Circle>& known) const;
  std::optional<Error> why_circle(const protocol::TaskGroup& group,
                                  std::map<std::string, Circle>& known) const;

  const Config& config_;
  const Durable& durable_;
  const Gates& gates_;
  const Quotas& quotas_;
  std::uint64_t queued_;
  const Moment& moment_;
};

}  // namespace eole::ventilator
