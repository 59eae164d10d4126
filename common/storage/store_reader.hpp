#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>

#include "common/storage/disk.hpp"
#include "common/storage/store.hpp"

namespace eole::storage {

/// Reads a store's records through files of its own, while the store is written to: up to the end
/// that it was told. One thread, which need not be the store's.
class StoreReader {
 public:
  /// `directory`: the store's; it outlives this.
  explicit StoreReader(Directory& directory) : directory_(directory) {}
  /// What lies below `end` may be read.
  void set_end(Position end) { end_ = end; }

  /// Shows the records of one segment, in order and from `at` on, as long as `visit` returns true.
  /// Throws StorageFailure if one is damaged, or the segment is not there.
  using Visit = std::function<bool(Position at, std::uint32_t type, std::string_view payload)>;
  void visit(Position at, const Visit& visit);
  /// Lets go of the files below `segment`: they take space as long as they are open.
  void release_below(std::uint32_t segment);

 private:
  struct Segment {
    std::uint32_t number = 0;
    std::unique_ptr<File> file;
    std::uint64_t id = 0;
    std::optional<std::uint64_t> end;  // Once a later segment says it.
  };
  Segment& open(std::uint32_t number);
  std::uint64_t end_of(Segment& segment) const;
  Directory& directory_;
  Position end_;
  std::optional<Segment> last_;  // Mostly the next page lies in it, too.
};

}  // namespace eole::storage
