#pragma once
#include <cstdint>
#include <deque>

#include "common/base/seq_table.hpp"
#include "ventilator/core/gates/gate.hpp"

namespace eole::ventilator {

/// Waits of tasks for parents, at one time: 16 bytes each.
constexpr std::size_t kJoinEdgesMax = 16 << 20;

/// Tasks that wait for others to end. A parent that was not done ends its children at once, unless
/// they asked to run all the same.
class Joins : public Gate {
 public:
  explicit Joins(Origin origin) : origin_(origin) {}
  bool enter(const Arrival& arrival, const Moment& moment, const Ends& ends,
             Released& out) override;
  void on_introduced(const Ends& ends, Released& out) override;
  void on_ended(Seq first, Seq last, const Ends& ends, Released& out) override;
  void waiters_of(Seq seq, std::string_view project, std::size_t most, std::vector<Seq>& out) const override;
  std::optional<Why> why(Seq seq, const Moment& moment) const override;

  std::size_t edges() const { return edges_.size() - free_edges_; }

 private:
  static constexpr std::uint32_t kNone = UINT32_MAX;
  struct Edge {
    Seq child = 0;
    std::uint32_t next = kNone;  // Of the same parent.
  };
  struct Child {
    std::uint32_t pending = 0;
    protocol::OnParentFailure on_failure = protocol::OnParentFailure::kFail;
  };
  void wait(Seq child, Seq parent);
  void end_parent(Seq parent, protocol::TaskState state, Released& out);
  void tell(Seq child, Seq parent, protocol::TaskState state, Released& out);

  Origin origin_;
  std::deque<Edge> edges_;  // What a vector leaves when it grows would stay with the process.
  std::uint32_t free_ = kNone;
  std::size_t free_edges_ = 0;
  SeqTable<std::uint32_t> parents_;  // Their first edges.
  SeqTable<Child> children_;
};

}  // namespace eole::ventilator
