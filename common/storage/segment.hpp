#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/storage/disk.hpp"
#include "common/storage/store.hpp"

/// The bytes of a segment file: docs/storage.md.
namespace eole::storage {

constexpr std::size_t kHeaderCopyBytes = 64;
constexpr std::size_t kSegmentHeaderBytes = 2 * kHeaderCopyBytes;  // Damage to one leaves the other.
constexpr std::size_t kRecordHeaderBytes = 24;
constexpr std::uint32_t kRestRecord = UINT32_MAX;  // A type: says only what is proven.
constexpr std::string_view kSegmentSuffix = ".seg";
constexpr std::string_view kTemporarySuffix = ".tmp";

std::string segment_name(std::uint32_t number);
/// The number in a segment's file name; nothing if it is another file's.
std::optional<std::uint32_t> segment_number(std::string_view name);

/// Bytes that a record with so large a payload takes.
std::uint64_t record_bytes(std::uint64_t payload_bytes);

struct SegmentHeader {
  StoreKind kind = StoreKind::kJournal;
  std::uint64_t store_id = 0;
  std::uint64_t segment_id = 0;
  std::uint32_t number = 0;
  std::uint64_t previous_end = 0;  // Where the segment before this one ends.
  std::uint64_t start_proven = 0;  // Durable before the segment was first used.
  std::uint64_t reserved = 0;      // The file's size while it is the newest segment.
};
std::string encode(const SegmentHeader& header);
/// Reads the header of `file`. Throws StorageFailure if it is damaged; `either`: only if both of
/// its copies are.
SegmentHeader read_header(const File& file, const std::string& name, bool either);
/// Where the first damaged copy of the header of `file` is; nothing if both are whole.
std::optional<std::uint64_t> damaged_header(const File& file);

struct Record {
  std::uint32_t type = 0;
  std::uint64_t proven = 0;  // Durable up to here when this was written.
  std::string_view payload;
};
/// Appends one record to `out`, whose end is `offset` in the segment. Its payload is `payload` and
/// `rest`, one after the other.
void put_record(std::string& out, std::uint64_t segment_id, std::uint64_t offset,
                std::uint32_t type, std::string_view payload, std::string_view rest,
                std::uint64_t proven);
/// The record at `offset` of a segment's content; nothing if there is none, or a damaged one.
std::optional<Record> record_at(std::string_view content, std::uint64_t segment_id,
                                std::uint64_t offset);
/// The payload's size of a record of which only the header is at hand; nothing if damaged.
std::optional<std::uint32_t> payload_size(std::string_view header, std::uint64_t segment_id,
                                          std::uint64_t offset);
/// The checked payload of the record that `raw` begins with, and that lies at `offset`.
std::optional<std::string_view> payload_of(std::string_view raw, std::uint64_t segment_id,
                                           std::uint64_t offset);
constexpr std::uint64_t kWindowBytes = 1 << 20;

/// Reads the records of a segment in order, with no more of it in memory than a window.
class RecordReader {
 public:
  /// `end`: of what counts. `offset`: of the first record wanted.
  RecordReader(const File& file, std::uint64_t segment_id, std::uint64_t end,
               std::uint64_t offset = kSegmentHeaderBytes,
               std::uint64_t window_bytes = kWindowBytes)
      : file_(file),
        segment_id_(segment_id),
        end_(end),
        window_bytes_(window_bytes),
        offset_(offset) {}
  std::uint64_t offset() const { return offset_; }
  bool is_done() const { return offset_ >= end_; }
  /// The record at offset(), which moves behind it; nothing if there is none, or a damaged one. Its
  /// payload holds until the next call.
  std::optional<Record> next();

 private:
  std::string_view from_here(std::uint64_t bytes);
  const File& file_;
  std::uint64_t segment_id_;
  std::uint64_t end_;
  std::uint64_t window_bytes_;
  std::uint64_t offset_;
  std::string window_;
  std::uint64_t window_offset_ = 0;
};
/// Where the first good record at or behind `offset` begins; the content's size if none does.
std::uint64_t next_record(std::string_view content, std::uint64_t segment_id, std::uint64_t offset);
/// True if any record behind `from` says that `from` was durable when it was written: then what
/// is bad at `from` was once good, and this is damage, not a torn tail.
bool is_proven_beyond(std::string_view content, std::uint64_t segment_id, std::uint64_t from);
bool is_proven_beyond(const File& file, std::uint64_t segment_id, std::uint64_t from);

}  // namespace eole::storage
