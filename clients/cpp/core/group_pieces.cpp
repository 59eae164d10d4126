#include "clients/cpp/core/group_pieces.hpp"

#include <utility>

namespace eole::client {

void GroupPieces::drop() {
  if (records_) held_ = std::move(std::get<GivePiece>(pieces_.front()).batch);
  pieces_.clear();
  records_.reset();
}

GroupPieces::Next GroupPieces::next() {
  while (!pieces_.empty()) {
    if (const auto* gone = std::get_if<TellGone>(&pieces_.front())) {
      const auto told = *gone;
      pieces_.pop_front();
      core_.went_to(told.last + 1);
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
      if (const auto partition = core_.takes(*result, offset))
        return GroupRecord{offset, *partition, open_->worker, *result};
    }
    core_.went_to(piece.next);
    records_.reset();
    const auto bytes = piece.batch.size();
    pieces_.pop_front();
    if (bytes > 0) on_done_(bytes);
  }
  return {};
}

}  // namespace eole::client
