#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string_view>
#include <variant>

#include "clients/cpp/core/group.hpp"
#include "common/protocol/records.hpp"

namespace eole::client {

/// One record of the log, as a member of a group has it. The views hold until the next call.
struct GroupRecord {
  std::uint64_t offset = 0;
  std::uint32_t partition = 0;
  std::string_view worker;
  protocol::ResultRecord result;
};

/// What a member of a group was given, record by record: those that are its own. Pure.
class GroupPieces {
 public:
  /// `on_done`: a piece of so many bytes was gone through, for PieceDone.
  GroupPieces(GroupCore& core, std::function<void(std::size_t bytes)> on_done)
      : core_(core), on_done_(std::move(on_done)) {}
  void give(GivePiece piece) { pieces_.emplace_back(std::move(piece)); }
  void give(const TellGone& gone) { pieces_.emplace_back(gone); }
  /// DropPieces.
  void drop();
  bool is_empty() const { return pieces_.empty(); }
  /// The next of what is here. Only while the core may hand out.
  using Next = std::variant<std::monostate, GroupRecord, TellGone>;
  Next next();

 private:
  GroupCore& core_;
  std::function<void(std::size_t bytes)> on_done_;
  std::deque<std::variant<GivePiece, TellGone>> pieces_;
  std::optional<protocol::ResultBatch> open_;  // Of the first piece.
  std::optional<protocol::ResultReader> records_;
  std::uint64_t offset_ = 0;  // Of its next record.
  Bytes held_;                // What the views of the last record point into.
};

}  // namespace eole::client
