#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "common/storage/disk.hpp"

namespace eole::storage {

/// Where a record lies. Later records have greater positions.
struct Position {
  std::uint32_t segment = 0;
  std::uint64_t offset = 0;
  auto operator<=>(const Position&) const = default;
};

/// What a store is for; one is never opened as the other.
enum class StoreKind : std::uint32_t { kJournal = 1, kLog, kLines };

struct StoreOptions {
  StoreKind kind = StoreKind::kJournal;
  std::uint64_t segment_bytes = 64ULL << 20;  // A sync of a preallocated segment is the shortest.
  std::uint64_t entropy = 0;                  // Fresh random bits for every opening.
  bool syncs = true;  // If not: kill -9 costs nothing, a power cut what came since the last roll.
};

struct SegmentHeader;

/// A record as the store hands it out. `payload` is a view, valid during the call only.
using RecordVisitor =
    std::function<void(Position at, std::uint32_t type, std::string_view payload)>;

/// From which segment on a store is to be shown, if this record tells it: all that lies before is
/// known without it.
using ShownFrom = std::function<std::optional<std::uint32_t>(Position at, std::uint32_t type,
                                                             std::string_view payload)>;

/// The one storage primitive: a segmented, append-only sequence of checksummed records with group
/// commit. docs/storage.md has the format and what recovery believes. One thread.
class Store {
 public:
  /// Opens or makes the store in `directory` and shows every record to `visit`, in order. When it
  /// returns, everything shown is durable. Segments below the one that the last record says which
  /// `shown_from` knows are not looked into. Throws StorageFailure: damage, or the disk failed.
  Store(Directory& directory, StoreOptions options, const RecordVisitor& visit,
        const ShownFrom& shown_from = {});

  /// Random, made with the store: a lost or replaced store is noticed by it.
  std::uint64_t id() const { return id_; }

  /// Buffers one record of these two pieces; it is durable only after commit().
  Position append(std::uint32_t type, std::string_view payload, std::string_view rest = {});
  /// A record of so many bytes begins a new segment.
  bool rolls(std::uint64_t payload_bytes) const;
  /// Begins one now, with room for a record of so many bytes.
  void begin_segment(std::uint64_t payload_bytes);
  /// Hands what is buffered to the system: survives kill -9, not a power cut.
  void flush();
  /// Makes everything appended durable: one fdatasync for whatever waits, none if nothing does.
  void commit();

  /// Sets aside the space of the next segment, so that it can begin on a full disk, also after a
  /// restart; only while as much again stays free. False: there is no room. Cheap if it is there.
  /// What must always fit is written whatever this says, and what may be refused is refused
  /// without it: then a whole segment is left for the former.
  bool keep_spare();
  bool has_spare() const { return spare_ != nullptr; }
  /// Bytes that still fit into the current segment.
  std::uint64_t room() const;

  /// States that all so far is durable, so that damage to it can be told from a torn tail. For
  /// when nothing waits; costs one small write, no sync.
  void rest();

  /// The payload of the record at `at`; `expected`: of about so many bytes. Throws StorageFailure
  /// if it is damaged.
  std::string read(Position at, std::size_t expected = 16384) const;

  /// Behind the last record that was handed to the system: after commit() all below is durable.
  /// A StoreReader shows it.
  Position end() const { return {current_segment(), written_}; }

  std::uint32_t first_segment() const { return segments_.begin()->first; }
  std::uint32_t current_segment() const { return segments_.rbegin()->first; }
  /// Removes the segments below `segment`; the current one always stays.
  void drop_segments_below(std::uint32_t segment);

  std::uint64_t disk_bytes() const;
  /// Of the segments below `segment`.
  std::uint64_t bytes_below(std::uint32_t segment) const;
  std::uint64_t syncs() const { return syncs_; }
  /// Of the disk, that this process may still use.
  std::uint64_t free_bytes() const { return directory_.free_bytes(); }

 private:
  struct Segment {
    std::unique_ptr<File> file;
    std::uint64_t id = 0;
    std::uint64_t end = 0;  // One past the last byte that counts.
  };

  void start_segment(std::uint32_t number, std::uint64_t previous_end, std::string_view copied,
                     std::uint64_t needed);
  std::uint64_t reserve(File& file, std::uint64_t least);
  void grow();
  void recover(const RecordVisitor& visit, const ShownFrom& shown_from);
  std::uint32_t first_shown(const ShownFrom& shown_from) const;
  void recover_last(std::uint32_t number, const SegmentHeader& header, const RecordVisitor& visit);
  void sync();
  void roll(std::uint64_t needed);
  std::uint64_t next_segment_id();

  Directory& directory_;
  StoreOptions options_;
  std::uint64_t id_ = 0;
  std::map<std::uint32_t, Segment> segments_;
  std::unique_ptr<File> spare_;
  std::uint64_t capacity_ = 0;  // Of the current segment: set aside for it.
  std::string buffer_;          // Appended, not yet written.
  std::uint64_t written_ = 0;  // Offset in the current segment where buffer_ starts.
  std::uint64_t wanted_ = 0;   // To be durable after a commit; behind it may lie a rest record.
  std::uint64_t proven_ = 0;   // Durable up to here in the current segment.
  std::uint64_t stated_ = 0;   // The last proven position that a record says.
  std::uint64_t ids_drawn_ = 0;
  std::uint64_t syncs_ = 0;
};

}  // namespace eole::storage
