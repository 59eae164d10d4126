#include "clients/cpp/tasks/encode.hpp"

#include "common/base/text.hpp"

namespace eole::client {

namespace {

bool is_next(const protocol::Parent& last, const protocol::Parent& parent) {
  if (!last.project.empty() || !parent.project.empty()) return false;
  if (parent.back != 0) return last.back == parent.back + last.count;
  return last.back == 0 && parent.id.origin == last.id.origin &&
         parent.id.seq == last.id.seq + last.count;
}

}  // namespace

Expected<Bytes> encode_conditions(const TaskRequest& task, const ParentOf& parent_of) {
  std::vector<protocol::Parent> parents;
  for (const auto& after : task.after) {
    auto parent =
        after.index ? parent_of(*after.index) : protocol::Parent{after.id, 0, 1, after.project};
    parent.count = after.count;
    if (!parents.empty() && !task.has_references && is_next(parents.back(), parent))
      parents.back().count += parent.count;
    else
      parents.push_back(std::move(parent));
  }
  if (parents.size() > protocol::kParentsMax)
    return Error{text("after: ", parents.size(), " stretches of tasks, limit ",
                      protocol::kParentsMax, " (a project may have more)")};
  auto conditions = task.conditions;
  for (const auto& parent : parents) protocol::put_parent(conditions.parents, parent);
  return protocol::encode_conditions(conditions);
}

}  // namespace eole::client
