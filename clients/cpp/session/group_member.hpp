#pragma once
#include <functional>
#include <string>

#include "clients/cpp/core/group.hpp"
#include "clients/cpp/session/session.hpp"
#include "common/net/cluster_file.hpp"

namespace eole::client {

/// What a member of a group tells.
struct GroupCallbacks {
  std::function<void(GivePiece piece)> on_piece;
  std::function<void()> on_drop;
  std::function<void(const TellGone& gone)> on_gone;
  std::function<void(const GroupTrouble& trouble)> on_trouble;
};

/// A member of a group of readers of the sink's log.
class GroupMember final : public Part {
 public:
  /// `name`: of the member, for people. `within`: the prefix of projects of whom it reads for.
  GroupMember(Session& session, const net::ClusterFile& cluster, const std::string& group,
              const std::string& name, GroupCallbacks callbacks, const std::string& within = {});
  GroupCore& core() { return core_; }
  /// CommitWanted, LetGo, LeaveWanted or PieceDone.
  void tell(GroupEvent event);

 private:
  void turn(TimePoint now) override;
  bool is_due() const override { return sink_.is_due() || news_.is_due(); }
  std::optional<TimePoint> next_deadline() const override { return core_.next_deadline(); }
  void take_answer(net::Received received, TimePoint now, GroupActions& out);
  void perform(GroupActions actions);

  GroupCore core_;
  GroupCallbacks callbacks_;
  Connection sink_;
  net::Socket news_;
};

}  // namespace eole::client
