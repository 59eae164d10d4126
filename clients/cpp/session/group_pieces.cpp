#include "clients/cpp/session/group_pieces.hpp"

#include <utility>

namespace eole::client {

GroupCallbacks GroupPieces::callbacks(
    std::function<void(const GroupTrouble& trouble)> on_trouble, std::function<void()> on_more) {
  return {[this, on_more](GivePiece piece) {
            pieces_.emplace_back(std::move(piece));
            on_more();
          },
          [this] {
            if (records_) held_ = std::move(std::get<GivePiece>(pieces_.front()).batch);
            pieces_.clear();
            records_.reset();
          },
          [this, on_more](const TellGone& gone) {
            pieces_.emplace_back(gone);
            on_more();
          },
          std::move(on_trouble)};
}

GroupPieces::Next GroupPieces::take(GroupMember& member) {
  auto& core = member.core();
  while (!pieces_.empty()) {
    if (const auto* gone = std::get_if<TellGone>(&pieces_.front())) {
      const auto told = *gone;
      pieces_.pop_front();
      core.went_to(told.last + 1);
      return told;
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
        return GroupRecord{offset, *partition, open_->worker, *result};
    }
    core.went_to(piece.next);
    records_.reset();
    const auto bytes = piece.batch.size();
    pieces_.pop_front();
    if (bytes > 0) member.tell(PieceDone{bytes});
  }
  return {};
}

}  // namespace eole::client
