#include "clients/cpp/blocking/group_reader.hpp"

#include <utility>

#include "clients/cpp/core/silence.hpp"
#include "common/process/system.hpp"

namespace eole::client {

GroupReader::GroupReader(net::Context& context, const net::ClusterFile& cluster,
                         const std::string& group, const std::string& name, Commits commits)
    : commits_(commits),
      waiting_(context),
      member_(waiting_.session(), cluster, group, name, callbacks()) {}

GroupCallbacks GroupReader::callbacks() {
  return {[this](GivePiece piece) { pieces_.emplace_back(std::move(piece)); },
          [this] {
            if (records_) held_ = std::move(std::get<GivePiece>(pieces_.front()).batch);
            pieces_.clear();
            records_.reset();
          },
          [this](const TellGone& gone) { pieces_.emplace_back(gone); },
          [this](const GroupTrouble& trouble) {
            if (!trouble_ || !trouble_->is_over) trouble_ = trouble;
          }};
}

std::optional<Error> GroupReader::trouble() {
  if (!trouble_) return std::nullopt;
  const auto error = trouble_->error;
  if (!trouble_->is_over) trouble_.reset();  // It may answer again.
  return error;
}

// The next of what is here.
std::optional<GroupReader::Next> GroupReader::take() {
  auto& core = member_.core();
  while (!pieces_.empty()) {
    if (const auto* gone = std::get_if<TellGone>(&pieces_.front())) {
      const auto told = *gone;
      pieces_.pop_front();
      core.went_to(told.last + 1);
      return Next(told);
    }
    auto& piece = std::get<GivePiece>(pieces_.front());
    if (!records_ && !piece.batch.empty()) {
      open_ = *protocol::read_batch(piece.batch);
      records_.emplace(open_->records);
      offset_ = open_->first_offset;
    }
    while (records_) {
      const auto result = records_->next();
      if (!result || offset_ >= piece.next) break;
      const auto offset = offset_++;
      if (const auto partition = core.takes(*result, offset))
        return Next(GroupRecord{offset, *partition, open_->worker, *result});
    }
    core.went_to(piece.next);
    records_.reset();
    const auto bytes = piece.batch.size();
    pieces_.pop_front();
    if (bytes > 0) member_.tell(PieceDone{bytes});
  }
  return std::nullopt;
}

bool GroupReader::has_more() {
  waiting_.wait(Duration{});
  return !pieces_.empty() && member_.core().may_hand_out(process::now());
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
      if (auto next = take()) return std::move(*next);
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
