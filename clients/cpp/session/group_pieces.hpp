#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string_view>
#include <variant>

#include "clients/cpp/session/group_member.hpp"
#include "common/protocol/records.hpp"

namespace eole::client {

/// One record of the log, as a member of a group has it. The views hold until the next is taken.
struct GroupRecord {
  std::uint64_t offset = 0;
  std::uint32_t partition = 0;
  std::string_view worker;
  protocol::ResultRecord result;
};

/// What a member was given and has not gone through yet. It stays where it is made.
class GroupPieces {
 public:
  GroupPieces() = default;
  GroupPieces(const GroupPieces&) = delete;
  GroupPieces& operator=(const GroupPieces&) = delete;

  /// Of the member whose pieces these are. `on_more`: there is something to take.
  GroupCallbacks callbacks(std::function<void(const GroupTrouble& trouble)> on_trouble,
                           std::function<void()> on_more = [] {});
  bool is_empty() const { return pieces_.empty(); }
  /// A record, or that some are not kept any more; nothing: that was all. Only while
  /// may_hand_out().
  using Next = std::variant<std::monostate, GroupRecord, TellGone>;
  Next take(GroupMember& member);

 private:
  std::deque<std::variant<GivePiece, TellGone>> pieces_;
  std::optional<protocol::ResultBatch> open_;  // Of the first piece.
  std::optional<protocol::ResultReader> records_;
  std::uint64_t offset_ = 0;  // Of its next record.
  Bytes held_;                // What the views of the last record point into.
};

}  // namespace eole::client
