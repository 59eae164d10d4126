#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/within.hpp"
#include "common/protocol/records.hpp"
#include "sink/core/words.hpp"
#include "sink/io/database.hpp"

namespace eole::sink {

constexpr std::uint64_t kBlockBytes = 64 << 10;   // Of log. The last batch may go beyond.
constexpr std::size_t kKnownClassesMax = 65'536;  // Kept in memory, some 150 bytes each.
constexpr std::int64_t kRetrying = 0;             // The state of a record that is not final.

using ClassId = std::uint32_t;

/// What results have in common.
struct ResultClass {
  std::int64_t state = kRetrying;  // Or a TaskState.
  std::string_view kind;
  std::string_view project;
  std::string_view worker;
};

/// Batches that follow one another, and how many results of which class they have.
struct Block {
  std::uint64_t first = 0;                    // The offset of its first result,
  std::uint64_t end = 0;                      // and behind its last one.
  std::uint64_t bytes = 0;                    // Of the log, as History::read counts them.
  std::int64_t earliest_unix_ms = INT64_MAX;  // When they finished.
  std::int64_t latest_unix_ms = INT64_MIN;
  std::vector<std::pair<ClassId, std::uint32_t>> results;  // Ascending.
  std::vector<std::uint32_t> keys = {};  // CRC32C of each key that orders one's task; ascending.
  WordFilter words = {};                 // Only while it grows: else IndexFile::words.
};

/// How far the index is, as a reader of the log: its cursor (ring rule L3).
struct IndexPlace {
  std::uint64_t log = 0;
  std::uint64_t next = 0;
  std::uint32_t crc = 0;
};

/// The index on disk: which blocks of the log have results of which class, and which words. What
/// they say is read from the log. One thread. Throws DatabaseFailure.
class IndexFile {
 public:
  /// Opens it, or makes it. Damage if it has another format.
  explicit IndexFile(const std::string& path);
  const IndexPlace& place() const { return place_; }

  // All that is put between begin and commit is kept together with the place, or not at all: what
  // was begun goes with this object.
  void begin() { database_.run("BEGIN"); }
  void commit(const IndexPlace& place);

  /// The class of so many results more.
  ClassId count(const ResultClass& seen, std::uint32_t results);
  /// In the place of what was known of the block that begins where it does.
  void put(const Block& block);
  /// Of the block that begins there.
  WordFilter words(std::uint64_t first);
  std::optional<Block> oldest();
  std::optional<Block> newest();
  /// Forgets this block, the oldest one, and what is known of its results.
  void drop(const Block& block);

  /// Which classes have one of these states (none: every final one), this kind, project and worker
  /// (empty: any), and a project within; by their number.
  std::vector<bool> classes(const std::vector<std::int64_t>& states, std::string_view kind,
                            std::string_view project, std::string_view worker,
                            const Within& within);
  /// Shows blocks below the offset, the newest first, as long as `visit` returns true.
  template <class Visit>
  void visit(std::uint64_t before, Visit&& visit) {
    const Reading rows(blocks_below_.bind(before));
    while (rows.statement.step())
      if (!visit(block_of(rows.statement))) return;
  }
  /// Shows how many results there are by state, kind and project, the most first.
  template <class Visit>
  void visit_counts(Visit&& visit) {
    auto rows = database_.prepare(
        "SELECT state, kind, project, sum(results) FROM class GROUP BY state, kind, project"
        " HAVING sum(results) > 0 ORDER BY 4 DESC, 1, 2, 3");
    while (rows.step())
      if (!visit(rows.number(0), rows.text(1), rows.text(2), rows.count(3))) return;
  }

 private:
  struct Reading {
    explicit Reading(Statement& read) : statement(read) {}
    ~Reading() { statement.reset(); }
    Reading(const Reading&) = delete;
    Reading& operator=(const Reading&) = delete;
    Statement& statement;
  };
  static Block block_of(const Statement& row);

  Database database_;
  IndexPlace place_;
  Statement put_place_;
  Statement find_class_;
  Statement add_class_;
  Statement count_class_;
  Statement put_block_;
  Statement blocks_below_;
  Statement oldest_block_;
  Statement put_words_;
  Statement words_of_;
  std::unordered_map<std::string, ClassId> known_;
  std::string key_;
  std::map<ClassId, std::int64_t> counted_;  // Since begin.
  bool has_dropped_ = false;                 // Likewise.
};

}  // namespace eole::sink
