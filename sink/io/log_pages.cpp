#include "sink/io/log_pages.hpp"

#include <algorithm>
#include <string>

#include "common/storage/segment.hpp"

namespace eole::sink {

using storage::StorageFailure;

namespace {

constexpr std::string_view kPagesSuffix = ".pages";

std::string pages_name(std::uint32_t segment) {
  return storage::segment_name(segment) + std::string(kPagesSuffix);
}

}  // namespace

void keep_pages(storage::Directory& directory, const LogIndex& index, std::uint64_t log,
                std::uint32_t segment) {
  try {
    const auto name = pages_name(segment);
    const auto pages = index.encode(log, segment);
    if (directory.has(name)) {
      const auto file = directory.open(name);
      if (file->size() == pages.size() && file->read(0, pages.size()) == pages) return;
    }
    directory.create(name)->write(0, pages);
  } catch (const StorageFailure&) {  // No room, or worse: whoever must write will hear of it.
  }
}

bool load_pages(storage::Directory& directory, LogIndex& index, std::uint64_t log,
                std::uint32_t segment) {
  const auto name = pages_name(segment);
  if (!directory.has(name)) return false;
  const auto file = directory.open(name);
  return index.load(file->read(0, file->size()), log, segment);
}

void drop_pages(storage::Directory& directory, std::uint32_t segment) {
  try {
    directory.remove(pages_name(segment));
  } catch (const StorageFailure&) {  // It was not there, or stays in vain.
  }
}

void drop_pages_below(storage::Directory& directory, std::uint32_t segment) {
  for (const auto& name : directory.list()) {
    const auto stem =
        std::string_view(name).substr(0, name.size() - std::min(name.size(), kPagesSuffix.size()));
    const auto number =
        name.ends_with(kPagesSuffix)
            ? storage::segment_number(std::string(stem) + std::string(storage::kSegmentSuffix))
            : std::nullopt;
    if (number && *number < segment) drop_pages(directory, *number);
  }
}

}  // namespace eole::sink
