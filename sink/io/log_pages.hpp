#pragma once
#include <cstdint>

#include "common/storage/disk.hpp"
#include "sink/io/log_index.hpp"

/// The files beside the segments that have their pages. Nothing depends on them: what is missing or
/// damaged is read from the segment.
namespace eole::sink {

/// Writes the pages of one segment, unless they are there.
void keep_pages(storage::Directory& directory, const LogIndex& index, std::uint64_t log,
                std::uint32_t segment);
/// Adds those of one segment to `index`; false if they are not there.
bool load_pages(storage::Directory& directory, LogIndex& index, std::uint64_t log,
                std::uint32_t segment);
void drop_pages(storage::Directory& directory, std::uint32_t segment);
/// Of all segments that were dropped.
void drop_pages_below(storage::Directory& directory, std::uint32_t segment);

}  // namespace eole::sink
