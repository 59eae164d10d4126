#include <array>
#include <bit>
#include <cstdint>
#include <utility>

#include "common/base/text.hpp"
#include "common/kinds/nqueens.hpp"
#include "worker/handlers/kinds.hpp"

namespace eole::worker {

namespace {

struct Board {
  std::uint32_t columns = 0;
  std::uint32_t left = 0;  // Diagonals, shifted by one each row.
  std::uint32_t right = 0;

  bool is_free(std::uint32_t bit) const { return ((columns | left | right) & bit) == 0; }
  std::uint32_t free_of(std::uint32_t all) const { return all & ~(columns | left | right); }
  Board with(std::uint32_t bit) const {
    return {columns | bit, (left | bit) << 1, (right | bit) >> 1};
  }
};

std::uint32_t take_lowest(std::uint32_t& bits) {
  const auto bit = bits & (~bits + 1);
  bits ^= bit;
  return bit;
}

/// Counts what can be added to a board, and hears a cancel within some milliseconds.
class Search {
 public:
  Search(int n, const TaskContext& context)
      : all_(static_cast<std::uint32_t>((1ULL << n) - 1)), context_(context) {}
  std::uint32_t all() const { return all_; }
  /// With so many rows left. Of no use once is_cancelled().
  std::uint64_t count(const Board& board, std::int64_t rows) {
    static constexpr auto counts = []<int... R>(std::integer_sequence<int, R...>) {
      return std::array{&Search::fill<R>...};
    }
    (std::make_integer_sequence<int, kinds::kQueensMax + 1>());
    const auto free = board.free_of(all_);
    if (rows == 0) return 1;
    return free == 0 ? 0 : (this->*counts.at(static_cast<std::size_t>(rows)))(board, free);
  }
  bool is_cancelled() const { return is_cancelled_; }
  /// The columns of the first solutions that have these queens, at most `most`.
  void show(const Board& board, Value::Array& queens, std::int64_t rows, std::int64_t most,
            Value::Array& shown) const {
    if (rows == 0) shown.emplace_back(queens);
    for (auto free = rows == 0 ? 0 : board.free_of(all_); free != 0 && std::ssize(shown) < most;) {
      const auto bit = take_lowest(free);
      queens.emplace_back(std::countr_zero(bit));
      show(board.with(bit), queens, rows - 1, most, shown);
      queens.pop_back();
    }
  }

 private:
  static constexpr int kRowsPerLook = 12;

  // One function for each number of rows, so that the compiler lays out the last ones in a row.
  template <int Rows>
  std::uint64_t fill(const Board& board, std::uint32_t free) {
    if constexpr (Rows <= 1) {
      return 1;  // One column is left, and it is free.
    } else {
      if constexpr (Rows == kRowsPerLook) is_cancelled_ = is_cancelled_ || context_.is_cancelled();
      if (Rows >= kRowsPerLook && is_cancelled_) return 0;
      std::uint64_t solutions = 0;
      while (free != 0) {
        const auto next = board.with(take_lowest(free));
        if (const auto below = next.free_of(all_); below != 0)
          solutions += fill<Rows - 1>(next, below);
      }
      return solutions;
    }
  }

  std::uint32_t all_;
  const TaskContext& context_;
  bool is_cancelled_ = false;
};

}  // namespace

Outcome run_nqueens(const Value& args, TaskContext& context) {
  const auto n = args["n"].int_or(0);
  Search search(static_cast<int>(n), context);
  Board board;
  Value::Array queens;
  if (const auto* prefix = args["prefix"].as<Value::Array>()) {
    for (const auto& queen : *prefix) {
      const auto column = queen.int_or(-1);
      queens.emplace_back(column);
      if (column < 0 || column >= n || std::ssize(queens) > n)
        return Outcome::failed(text("nqueens: prefix has column ", column, " on a board of ", n));
      const auto bit = std::uint32_t{1} << column;
      if (!board.is_free(bit)) return Outcome::done(Value::Map{{"solutions", 0}});
      board = board.with(bit);
    }
  }
  const auto rows = n - std::ssize(queens);
  const auto count = [&](std::int64_t column, const Board& before, std::int64_t left) {
    const auto bit = std::uint32_t{1} << column;
    return before.is_free(bit) ? search.count(before.with(bit), left) : 0;
  };
  // One row here, so that progress shows; of a board that is empty one half, which the other
  // mirrors.
  const auto columns = rows == n ? n / 2 : n;
  const auto steps = static_cast<std::uint64_t>(columns + n % 2);
  std::uint64_t solutions = rows == 0 ? 1 : 0;
  for (std::int64_t column = 0; column < columns && rows > 0; ++column) {
    solutions += count(column, board, rows - 1) * (rows == n ? 2 : 1);
    context.progress(static_cast<std::uint64_t>(column + 1), steps);
    if (search.is_cancelled() || context.is_cancelled()) return Outcome::failed("cancelled");
  }
  if (rows == n && n % 2 == 1) {
    const auto middle = board.with(std::uint32_t{1} << n / 2);
    if (n == 1) solutions = 1;
    for (std::int64_t second = 0; second < n / 2; ++second)
      solutions += 2 * count(second, middle, rows - 2);
    if (search.is_cancelled()) return Outcome::failed("cancelled");
  }
  Value::Map found{{"solutions", solutions}};
  if (const auto most = args["show"].int_or(0); most > 0) {
    Value::Array shown;
    search.show(board, queens, rows, most, shown);
    found.emplace_back("boards", std::move(shown));
  }
  return Outcome::done(std::move(found));
}

}  // namespace eole::worker
