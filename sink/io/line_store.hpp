#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "common/base/expected.hpp"
#include "common/base/time.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/value.hpp"
#include "common/storage/store.hpp"

namespace eole::sink {

/// What one role logged, as it came.
struct LineBatch {
  std::string peer;  // Whose: its role, and of which key. Names a directory.
  protocol::LogLines said;
  std::uint32_t count = 0;  // Of its lines.
};

struct LineRetention {
  std::uint64_t bytes = 64 << 20;
  std::uint64_t days = 7;
};

constexpr std::size_t kLinePeersMax = 64;        // Whose lines are kept apart; others' together.
constexpr std::size_t kLineRecordsMax = 65'536;  // Each costs some 100 bytes of memory.

/// What all roles logged, by when it came: a store for each peer, so that one that says much drives
/// out its own lines. Nothing is synced: a line is no promise. Lines have offsets that rise, also
/// if all is begun anew. The history's thread.
class LineStore {
 public:
  /// `directory`: where they are, or are to be; made when the first line comes.
  LineStore(std::string directory, LineRetention retention, std::uint64_t entropy);
  ~LineStore();
  void add(const LineBatch& batch, std::int64_t unix_ms);
  /// Answers `logs`. Errors: an option that makes no sense.
  Expected<protocol::Value> answer(const protocol::Value& options, std::int64_t unix_ms,
                                   Duration time);
  std::uint64_t bytes() const;

 private:
  struct Chain {
    std::unique_ptr<storage::Directory> directory;
    std::unique_ptr<storage::Store> store;
    std::size_t records = 0;
    std::map<std::uint32_t, std::int64_t> newest = {};  // When each segment's last record came.
  };
  using Chains = std::map<std::string, Chain>;
  struct Entry {
    Chains::iterator chain;
    storage::Position at;
    std::uint32_t bytes = 0;
    std::uint32_t count = 0;
    std::int64_t unix_ms = 0;  // When it came.
  };
  using Entries = std::map<std::uint64_t, Entry>;  // By the offset of the first line.
  struct Wanted;
  class Page;

  void open_all();
  Chains::iterator open(const std::string& peer);
  void load(Chains::iterator chain, storage::Position at, std::string_view payload);
  void close(Chains::iterator chain);
  void remove_empty();
  void forget_below(Chains::iterator chain, std::uint32_t segment);
  void drop_superfluous();
  void drop_below(Chains::iterator chain, std::uint32_t segment);
  void drop_old(std::int64_t unix_ms);
  void look(const Entries::value_type& entry, Page& page) const;

  std::string directory_;
  LineRetention retention_;
  std::uint64_t entropy_;
  Chains chains_;
  Entries entries_;
  std::uint64_t head_ = 0;      // The next line's offset.
  std::uint64_t left_out_ = 0;  // While the disk takes none.
};

}  // namespace eole::sink
