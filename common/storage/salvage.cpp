#include "common/storage/salvage.hpp"

#include <algorithm>
#include <optional>

#include "common/storage/segment.hpp"

namespace eole::storage {

namespace {

struct Found {
  std::uint32_t number = 0;
  std::unique_ptr<File> file;
  std::optional<SegmentHeader> header;  // Nothing if both copies are damaged.
};

std::vector<Found> segments_of(Directory& directory) {
  std::vector<Found> found;
  for (const auto& name : directory.list()) {
    const auto number = segment_number(name);
    if (!number) continue;
    Found segment{*number, directory.open(name), std::nullopt};
    try {
      segment.header = read_header(*segment.file, name, true);
    } catch (const StorageFailure&) {
    }
    found.push_back(std::move(segment));
  }
  std::sort(found.begin(), found.end(),
            [](const auto& a, const auto& b) { return a.number < b.number; });
  if (found.empty()) throw StorageFailure("no store here: there is no segment file");
  return found;
}

}  // namespace

std::vector<Loss> read_damaged(Directory& directory, const RecordVisitor& visit) {
  std::vector<Loss> losses;
  const auto segments = segments_of(directory);
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const auto& segment = segments[i];
    if (i > 0 && segment.number != segments[i - 1].number + 1)
      losses.push_back({segments[i - 1].number + 1, 0, 0});
    const auto size = segment.file->size();
    if (!segment.header) {
      losses.push_back({segment.number, 0, size});
      continue;
    }
    if (const auto at = damaged_header(*segment.file))  // The other copy says the same.
      losses.push_back({segment.number, *at, kHeaderCopyBytes});
    const auto id = segment.header->segment_id;
    const bool is_last = i + 1 == segments.size();
    // What the next segment says of this one's end; in the last one a torn tail is no loss.
    const auto stated_end =
        !is_last && segments[i + 1].header && segments[i + 1].number == segment.number + 1
            ? segments[i + 1].header->previous_end
            : 0;
    const auto content = segment.file->read(0, stated_end == 0 ? size : std::min(size, stated_end));
    std::uint64_t offset = kSegmentHeaderBytes;
    while (true) {
      const auto here = next_record(content, id, offset);
      const bool is_end = here >= content.size();
      const bool is_loss =
          is_end ? stated_end > offset || (stated_end == 0 && !is_last && content.size() > offset)
                 : here > offset;
      const bool was_whole = is_end && is_last && is_proven_beyond(content, id, offset);
      if (is_loss || was_whole)
        losses.push_back({segment.number, offset, std::max(here, stated_end) - offset});
      if (is_end) break;
      const auto record = record_at(content, id, here);
      if (record->type != kRestRecord) visit({segment.number, here}, record->type, record->payload);
      offset = here + record_bytes(record->payload.size());
    }
  }
  return losses;
}

StoreKind kind_of(Directory& directory) {
  for (const auto& segment : segments_of(directory))
    if (segment.header) return segment.header->kind;
  throw StorageFailure("every segment header is damaged: nothing can be read");
}

}  // namespace eole::storage
