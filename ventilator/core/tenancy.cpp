#include "ventilator/core/tenancy.hpp"

#include <algorithm>
#include <iterator>

#include "common/base/text.hpp"
#include "common/protocol/records.hpp"

namespace eole::ventilator {

namespace {

// The first of these tasks that is not settled and lies outside; zero: none.
Seq first_outside(const Within& within, Seq first, Seq last, const TaskClasses& classes,
                  const SeqRanges& settled) {
  const auto& stretches = classes.stretches();
  auto at = stretches.upper_bound(first);
  if (at != stretches.begin()) --at;
  for (; at != stretches.end() && at->first <= last; ++at) {
    const auto& stretch = at->second;
    if (stretch.last < first || within.has(classes.at(stretch.id).project)) continue;
    const auto seq = settled.first_missing(std::max(first, at->first));
    if (seq <= std::min(last, stretch.last)) return seq;
  }
  return 0;
}

std::optional<Error> why_parent_outside(const Within& within, const protocol::Parent& parent,
                               const TaskClasses& classes, const SeqRanges& settled) {
  if (!parent.project.empty()) {
    if (within.has(parent.project)) return {};
    return Error{text("after project ", parent.project, ": is not within ", within.prefix()),
                 ErrorCode::kOutside};
  }
  if (parent.back != 0) return {};
  const TaskId last{parent.id.origin, parent.id.seq + parent.count - 1};
  if (first_outside(within, parent.id.seq, last.seq, classes, settled) == 0) return {};
  return Error{text("after ", to_text(last), ": no such task was accepted")};  // As gates say it.
}

}  // namespace

Expected<Bytes> bound_to(const Within& within, std::string_view groups) {
  Bytes out;
  for (ByteReader reader(groups); const auto group = protocol::read_task_group(reader);) {
    auto task_class = protocol::decode_class(group->task_class);
    if (!task_class) return task_class.error();
    task_class->within = within.prefix();
    const auto encoded = protocol::encode_class(*task_class);
    if (encoded.size() > protocol::kClassBytesMax)
      return Error{text("class: ", encoded.size(), " bytes, limit ", protocol::kClassBytesMax),
                   ErrorCode::kTooLarge};
    protocol::put_task_group(out, {encoded, group->count, group->specs, group->is_conditional});
  }
  return out;
}

std::optional<Error> why_outside(const Within& within, const std::string& project) {
  if (within.has(project)) return {};
  return Error{project.empty() ? text("no project is named: must begin with ", within.prefix())
                               : text("project ", project, ": is not within ", within.prefix()),
               ErrorCode::kOutside};
}

std::optional<Error> why_outside(const Within& within, std::string_view groups, Seq first,
                                 const TaskClasses& classes, const SeqRanges& settled) {
  auto seq = first;
  for (ByteReader reader(groups); const auto group = protocol::read_task_group(reader);) {
    const auto task_class = protocol::decode_class(group->task_class);
    if (!task_class) return task_class.error();
    if (auto why = why_outside(within, task_class->project)) return why;
    std::string_view read;  // Neighbours mostly wait for the same.
    for (ByteReader specs(group->specs); group->is_conditional && !specs.is_done(); ++seq) {
      const auto spec = protocol::read_task_spec(specs);
      if (!spec || spec->conditions == read) continue;
      read = spec->conditions;
      const auto conditions = protocol::decode_conditions(read);
      protocol::ParentReader parents(conditions ? std::string_view(conditions->parents) : "");
      while (const auto parent = parents.next())
        if (auto why = why_parent_outside(within, *parent, classes, settled))
          return Error{text("task ", seq - first + 1, " of the submit: ", why->message), why->code};
    }
    if (!group->is_conditional) seq += group->count;
  }
  return {};
}

}  // namespace eole::ventilator
