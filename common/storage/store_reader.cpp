#include "common/storage/store_reader.hpp"

#include <string>

#include "common/base/text.hpp"
#include "common/storage/segment.hpp"

namespace eole::storage {

namespace {
constexpr std::uint64_t kVisitBytes = 128 << 10;  // Read at once.

std::string file_name(std::uint32_t segment) {
  return segment_name(segment) + std::string(kSegmentSuffix);
}
}  // namespace

StoreReader::Segment& StoreReader::open(std::uint32_t number) {
  if (last_ && last_->number == number) return *last_;
  last_.reset();
  const auto name = file_name(number);
  Segment segment{number, directory_.open(name), 0, {}};
  segment.id = read_header(*segment.file, name, false).segment_id;
  return last_.emplace(std::move(segment));
}

std::uint64_t StoreReader::end_of(Segment& segment) const {
  if (segment.number == end_.segment) return end_.offset;
  if (!segment.end) {
    const auto name = file_name(segment.number + 1);
    segment.end = read_header(*directory_.open(name), name, false).previous_end;
  }
  return *segment.end;
}

void StoreReader::visit(Position at, const Visit& visit) {
  auto& segment = open(at.segment);
  RecordReader reader(*segment.file, segment.id, end_of(segment), at.offset, kVisitBytes);
  while (!reader.is_done()) {
    at.offset = reader.offset();
    const auto record = reader.next();
    if (!record)
      throw StorageFailure(
          text("segment ", file_name(at.segment), ": damaged record at offset ", at.offset));
    if (record->type != kRestRecord && !visit(at, record->type, record->payload)) return;
  }
}

void StoreReader::release_below(std::uint32_t segment) {
  if (last_ && last_->number < segment) last_.reset();
}

}  // namespace eole::storage
