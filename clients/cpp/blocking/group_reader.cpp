#include "clients/cpp/blocking/group_reader.hpp"

#include <utility>

#include "clients/cpp/core/silence.hpp"
#include "common/process/system.hpp"

namespace eole::client {

GroupReader::GroupReader(net::Context& context, const net::ClusterFile& cluster,
                         const std::string& group, const std::string& name, Commits commits)
    : commits_(commits),
      waiting_(context),
      member_(waiting_.session(), cluster, group, name,
              pieces_.callbacks([this](const GroupTrouble& trouble) {
                if (!trouble_ || !trouble_->is_over) trouble_ = trouble;
              })) {}

std::optional<Error> GroupReader::trouble() {
  if (!trouble_) return std::nullopt;
  const auto error = trouble_->error;
  if (!trouble_->is_over) trouble_.reset();  // It may answer again.
  return error;
}

bool GroupReader::has_more() {
  waiting_.wait(Duration{});
  return !pieces_.is_empty() && member_.core().may_hand_out(process::now());
}

Expected<GroupReader::Next> GroupReader::next(Duration patience) {
  const auto until = process::now() + patience;
  auto& core = member_.core();
  while (true) {
    if (core.is_to_let_go()) {
      if (commits_ == Commits::kNever)
        member_.tell(LetGo{});
      else
        member_.tell(CommitWanted{});
    }
    const auto now = process::now();
    if (core.may_hand_out(now))
      if (auto next = pieces_.take(member_); next.index() != 0) return next;
    if (const auto error = trouble()) return *error;
    if (now >= until) return Next{};
    waiting_.wait(until - now);
  }
}

Expected<void> GroupReader::wait_for(const std::function<bool()>& is_done, Duration patience) {
  const auto until = process::now() + patience;
  while (!is_done()) {
    if (const auto error = trouble()) return *error;
    const auto now = process::now();
    if (now >= until) return silence_of("the sink", patience);
    waiting_.wait(until - now);
  }
  return {};
}

Expected<void> GroupReader::commit(Duration patience) {
  member_.tell(CommitWanted{});
  return wait_for([this] { return member_.core().is_committed(); }, patience);
}

void GroupReader::leave(Duration patience) {
  member_.tell(LeaveWanted{});
  (void)wait_for([this] { return member_.core().has_left(); }, patience);
}

}  // namespace eole::client
