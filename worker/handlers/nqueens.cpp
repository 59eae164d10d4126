#include <cstdint>
#include <vector>

#include "common/base/text.hpp"
#include "worker/handlers/kinds.hpp"

namespace eole::worker {

namespace {

struct Board {
  std::uint32_t columns = 0;
  std::uint32_t left = 0;  // Diagonals, shifted by one each row.
  std::uint32_t right = 0;

  bool is_free(std::uint32_t bit) const { return ((columns | left | right) & bit) == 0; }
  Board with(std::uint32_t bit) const {
    return {columns | bit, (left | bit) << 1, (right | bit) >> 1};
  }
};

/// Counts what can be added to a board, and hears a cancel within some milliseconds.
class Search {
 public:
  Search(std::uint32_t all, const TaskContext& context) : all_(all), context_(context) {}
  /// Of no use once is_cancelled().
  std::uint64_t count(const Board& board) {
    if (board.columns == all_) return 1;
    if ((++boards_ & kBoardsPerLook) == 0) is_cancelled_ = context_.is_cancelled();
    if (is_cancelled_) return 0;
    std::uint64_t solutions = 0;
    std::uint32_t free = all_ & ~(board.columns | board.left | board.right);
    while (free != 0) {
      const auto bit = free & (~free + 1);
      free ^= bit;
      solutions += count(board.with(bit));
    }
    return solutions;
  }
  bool is_cancelled() const { return is_cancelled_; }

 private:
  static constexpr std::uint64_t kBoardsPerLook = 0xFFFFF;  // A mask: about a million.

  std::uint32_t all_;
  const TaskContext& context_;
  std::uint64_t boards_ = 0;
  bool is_cancelled_ = false;
};

}  // namespace

Outcome run_nqueens(const Value& args, TaskContext& context) {
  const auto n = args["n"].int_or(0);
  const auto all = static_cast<std::uint32_t>((1ULL << n) - 1);
  Board board;
  std::int64_t placed = 0;
  if (const auto* prefix = args["prefix"].as<Value::Array>()) {
    for (const auto& queen : *prefix) {
      const auto column = queen.int_or(-1);
      if (column < 0 || column >= n || ++placed > n)
        return Outcome::failed(text("nqueens: prefix has column ", column, " on a board of ", n));
      const auto bit = std::uint32_t{1} << column;
      if (!board.is_free(bit)) return Outcome::done(Value::Map{{"solutions", 0}});
      board = board.with(bit);
    }
  }
  // One row here, so that progress shows.
  Search search(all, context);
  std::uint64_t solutions = placed == n ? 1 : 0;
  for (std::int64_t column = 0; column < n && placed < n; ++column) {
    const auto bit = std::uint32_t{1} << column;
    if (board.is_free(bit)) solutions += search.count(board.with(bit));
    if (search.is_cancelled() || context.is_cancelled()) return Outcome::failed("cancelled");
    context.progress(static_cast<std::uint64_t>(column + 1), static_cast<std::uint64_t>(n));
  }
  return Outcome::done(Value::Map{{"solutions", solutions}});
}

}  // namespace eole::worker
