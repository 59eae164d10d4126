#include "common/protocol/another.hpp"

#include <utility>

#include "common/base/planted.hpp"

namespace eole::protocol {

Bytes as_another(const TaskClass& task_class, const TaskSpec& spec, const TaskId& id) {
  Conditions conditions;
  const auto was = spec.conditions.empty() ? Expected<Conditions>(Conditions{})
                                           : decode_conditions(spec.conditions);
  const auto parents = decode_parents(was ? was->parents : std::string());
  if (was && parents) {
    conditions.key = was->key;
    for (auto parent : *parents) {
      if (parent.back != 0) parent.id = {id.origin, id.seq - std::exchange(parent.back, 0)};
      put_parent(conditions.parents, parent);
    }
    if (!task_class.project.empty() && !planted("another-has-no-place"))
      conditions.instead_of = was->instead_of != 0 ? was->instead_of : id.seq;
  }
  TaskGroups group;
  group.add(task_class, spec.args, encode_conditions(conditions),
            planted("another-in-no-trace") ? std::string_view() : spec.trace);
  return group.take();
}

}  // namespace eole::protocol
