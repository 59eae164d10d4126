#include "ventilator/core/gates/joins.hpp"

#include <utility>

#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::ventilator {

using protocol::OnParentFailure;
using protocol::TaskState;

bool Joins::enter(const Arrival& arrival, const Moment&, const Ends& ends, Released& out) {
  if (planted("parents-not-waited-for")) return false;
  const auto child = arrival.seq;
  bool is_held = false;
  protocol::ParentReader parents(arrival.conditions.parents);
  while (const auto parent = parents.next()) {
    if (!parent->project.empty()) continue;
    const auto first = parent->back != 0 ? child - parent->back : parent->id.seq;
    for (auto seq = first; seq < first + parent->count; ++seq) {
      const bool is_over = ends.settled.contains(seq) && ends.is_known;
      const auto state = is_over ? ends.not_done.state_of(seq) : TaskState::kDone;
      const bool runs_anyway = arrival.on_parent_failure == OnParentFailure::kRun;
      if (is_over && (state == TaskState::kDone || runs_anyway)) continue;
      if (!std::exchange(is_held, true)) children_[child] = {0, arrival.on_parent_failure};
      wait(child, seq);
      if (!is_over) continue;
      end_parent(seq, state, out);
      if (children_.find(child) == nullptr) return true;
    }
  }
  return is_held;
}

void Joins::wait(Seq child, Seq parent) {
  auto* first = parents_.find(parent);
  const auto next = first == nullptr ? kNone : *first;
  std::uint32_t at = free_;
  if (at == kNone) {
    at = static_cast<std::uint32_t>(edges_.size());
    edges_.emplace_back();
  } else {
    free_ = edges_[at].next;
    --free_edges_;
  }
  edges_[at] = {child, next};
  parents_[parent] = at;
  ++children_.find(child)->pending;
}

void Joins::waiters_of(Seq seq, std::string_view, std::size_t most,
 std::vector<Seq>& out) const {
  const auto* first = parents_.find(seq);
  for (auto at = first == nullptr ? kNone : *first; at != kNone && out.size() < most;
       at = edges_[at].next)
    if (children_.find(edges_[at].child) != nullptr) out.push_back(edges_[at].child);
}

void Joins::end_parent(Seq parent, TaskState state, Released& out) {
  auto at = *parents_.find(parent);
  parents_.erase(parent);
  while (at != kNone) {
    const auto edge = edges_[at];
    edges_[at].next = std::exchange(free_, at);
    ++free_edges_;
    tell(edge.child, parent, state, out);
    at = edge.next;
  }
}

void Joins::tell(Seq child, Seq parent, TaskState state, Released& out) {
  auto* waits = children_.find(child);
  if (waits == nullptr) return;  // It ended meanwhile.
  const bool is_done = state == TaskState::kDone;
  if (!is_done && waits->on_failure != OnParentFailure::kRun && !planted("failed-parent-ignored")) {
    const bool is_skipped = waits->on_failure == OnParentFailure::kSkip;
    out.ended.push_back({child,
                         is_skipped ? TaskState::kCancelled : TaskState::kFailed,
                         {is_skipped ? "skipped" : "parent_failed",
                          text(is_skipped ? "skipped: " : "", to_text(TaskId{origin_, parent}),
                               ", which it waits for, was not done: ", to_text(state)),
                          0,
                          {parent}}});
    children_.erase(child);
    return;
  }
  if (--waits->pending > 0) return;
  children_.erase(child);
  out.seqs.push_back(child);
}

void Joins::on_ended(Seq first, Seq last, const Ends& ends, Released& out) {
  if (children_.size() == 0 && parents_.size() == 0) return;
  if (ends.is_known)
    for (auto seq = first; parents_.next(seq, last) != nullptr; ++seq)
      end_parent(seq, ends.not_done.state_of(seq), out);
  for (auto seq = first; children_.next(seq, last) != nullptr; ++seq) children_.erase(seq);
}

void Joins::on_introduced(const Ends& ends, Released& out) {
  for (Seq seq = 0; parents_.next(seq) != nullptr; ++seq)
    if (ends.settled.contains(seq)) end_parent(seq, ends.not_done.state_of(seq), out);
}

// Which ones, its conditions tell.
std::optional<Why> Joins::why(Seq seq, const Moment&) const {
  const auto* child = children_.find(seq);
  if (child == nullptr) return std::nullopt;
  return Why{"parents", text("it waits for ", child->pending,
                             child->pending == 1 ? " task" : " tasks", " to end")};
}

}  // namespace eole::ventilator
