#include "sink/io/compacted.hpp"

#include <algorithm>

#include "common/base/crc32c.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::sink {

using protocol::ResultBatch;
using protocol::ResultRecord;
using storage::StorageFailure;

namespace {

const std::string kName = "compacted";
const std::string kNewName = "compacted.tmp";
constexpr std::string_view kMagic = "EOLELAST";
constexpr std::size_t kHeaderBytes = 8 + 8 + 8 + 4;  // Magic, log, end of the records, CRC.
constexpr std::size_t kEntryBytes = 4 + 4;           // Size and CRC of what follows.
constexpr std::size_t kProjectsBytes = kEntryBytes + kCompactedProjectsMax * (8 + 1 + 255);
constexpr std::size_t kChunkBytes = 1 << 20;         // That are read or written at once.
constexpr std::uint64_t kPlaceEvery = 64 << 10;
constexpr std::uint64_t kLookedBytes = 4 << 20;  // In one answer: others' may be all of it.

Bytes entry_of(std::string_view payload) {
  Bytes entry;
  put<std::uint32_t>(entry, static_cast<std::uint32_t>(payload.size()));
  put<std::uint32_t>(entry, crc32c(payload));
  return entry += payload;
}

// Of a batch: what may be the last record of a key. A run of such is one record.
template <class OnEach>
void each_candidate(const ResultBatch& batch, OnEach&& on_each) {
  auto offset = batch.first_offset;
  for (ByteReader runs(batch.records); const auto run = protocol::read_result_run(runs);) {
    const auto& first = run->first;
    if (first.is_final && first.state == protocol::TaskState::kDone && !first.key.empty())
      on_each(*run, offset);
    offset += run->count;
  }
}

}  // namespace

/// Writes the file anew, in the log's order.
class Compacted::Writer {
 public:
  /// At most so many bytes of records; `excess` bytes of the first ones are left out.
  Writer(storage::Directory& directory, std::uint64_t bytes, std::uint64_t excess)
      : directory_(directory), file_(directory.create(kNewName)), excess_(excess) {
    file_->reserve(kHeaderBytes + bytes + kProjectsBytes);
  }
  /// False: it is left out.
  bool add(std::string_view encoded, std::uint64_t offset) {
    const auto bytes = kEntryBytes + encoded.size();
    if (excess_ > 0) return excess_ -= std::min<std::uint64_t>(excess_, bytes), false;
    const auto place = place_ + buffer_.size();
    if (places_.empty() || place >= places_.back().second + kPlaceEvery)
      places_.emplace_back(offset, place);
    put(entry_of(encoded));
    return true;
  }
  std::uint64_t end() const { return place_ + buffer_.size(); }
  auto take_places() { return std::move(places_); }
  std::unique_ptr<storage::File> finish(std::uint64_t log, std::string_view projects) {
    Bytes header(kMagic);
    eole::put<std::uint64_t>(header, log);
    eole::put<std::uint64_t>(header, end());
    eole::put<std::uint32_t>(header, crc32c(header));
    put(entry_of(projects));
    flush();
    file_->truncate(place_);
    file_->write(0, header);
    file_->sync();
    directory_.rename(kNewName, kName);
    directory_.sync();
    return std::move(file_);
  }

 private:
  void put(const Bytes& bytes) {
    buffer_ += bytes;
    if (buffer_.size() >= kChunkBytes) flush();
  }
  void flush() {
    file_->write(place_, buffer_);
    place_ += buffer_.size();
    buffer_.clear();
  }
  storage::Directory& directory_;
  std::unique_ptr<storage::File> file_;
  std::uint64_t excess_;
  std::uint64_t place_ = kHeaderBytes;
  Bytes buffer_;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> places_;
};

// ---- Reading.

void Compacted::open(std::uint64_t log) {
  log_ = log;
  if (!directory_.has(kName)) return;
  try {
    load(log);
    const bool has_others = std::any_of(from_.begin(), from_.end(),
                                        [&](const auto& one) { return !is_wanted(one.first); });
    // What goes from now on would be missing if it was wanted once more.
    if (has_others) write({}, [](const OnRecord&) {});
  } catch (const StorageFailure&) {
    drop();
  }
  if (projects_.empty()) drop();
}

void Compacted::load(std::uint64_t log) {
  file_ = directory_.open(kName);
  const auto header = file_->read(0, kHeaderBytes);
  const bool is_whole = header.size() == kHeaderBytes && header.starts_with(kMagic) &&
                        crc32c(header.substr(0, kHeaderBytes - 4)) ==
                            read_at<std::uint32_t>(header, kHeaderBytes - 4);
  if (!is_whole || read_at<std::uint64_t>(header, 8) != log)
    throw storage::Damage("compacted: not of this log");
  end_ = read_at<std::uint64_t>(header, 16);
  const auto tail = file_->read(end_, kChunkBytes);
  ByteReader reader(tail);
  const auto size = reader.get<std::uint32_t>();
  const auto crc = reader.get<std::uint32_t>();
  const auto projects = reader.take(size);
  if (!reader.ok() || crc32c(projects) != crc) throw storage::Damage("compacted: no end");
  for (ByteReader each(projects); !each.is_done();) {
    const auto from = each.get<std::uint64_t>();
    from_[std::string(each.take(each.get<std::uint8_t>()))] = from;
  }
  std::uint64_t place = kHeaderBytes;
  visit(place, [&](std::string_view encoded, const ResultBatch& batch, const ResultRecord&) {
    if (places_.empty() || place >= places_.back().second + kPlaceEvery)
      places_.emplace_back(batch.first_offset, place);
    place += kEntryBytes + encoded.size();
    return true;
  });
}

void Compacted::visit(std::uint64_t place, const OnRecord& on_record) const {
  Bytes chunk;
  std::size_t used = 0;
  const auto take = [&](std::size_t size) {
    if (used + size > chunk.size()) {
      chunk = file_->read(place, std::max(size, kChunkBytes));
      used = 0;
    }
    if (size > chunk.size()) throw storage::Damage(text("compacted: cut short at ", place));
    const auto bytes = std::string_view(chunk).substr(used, size);
    used += size;
    place += size;
    return bytes;
  };
  while (place < end_) {
    const auto at = place;
    const auto entry = take(kEntryBytes);
    const auto size = read_at<std::uint32_t>(entry, 0);
    const auto crc = read_at<std::uint32_t>(entry, 4);
    if (size > end_ - place) throw storage::Damage(text("compacted: damaged at ", at));
    const auto encoded = take(size);
    const auto batch = protocol::read_batch(encoded);
    const auto result = batch ? protocol::ResultReader(batch->records).next() : std::nullopt;
    if (!result || crc32c(encoded) != crc) throw storage::Damage(text("compacted: damaged at ", at));
    if (!on_record(encoded, *batch, *result)) return;
  }
}

std::optional<std::uint64_t> Compacted::from(std::string_view project) const {
  const auto found = from_.find(project);
  return found == from_.end() ? std::nullopt : std::optional(found->second);
}

std::uint64_t Compacted::read(std::string_view project, std::uint64_t offset, std::uint64_t end,
                              std::size_t bytes_max, Bytes& out) {
  const auto behind = std::upper_bound(
      places_.begin(), places_.end(), offset,
      [](std::uint64_t wanted, const auto& place) { return wanted < place.first; });
  const auto place = behind == places_.begin() ? kHeaderBytes : std::prev(behind)->second;
  std::uint64_t looked_at = 0;
  auto next = end;
  visit(place, [&](std::string_view encoded, const ResultBatch& batch, const ResultRecord& result) {
    const auto at = batch.first_offset;
    if (at >= end) return false;  // The log has it itself.
    if (at >= offset && result.project == project) {
      if (!out.empty() && out.size() + encoded.size() > bytes_max) return next = at, false;
      put<std::uint32_t>(out, static_cast<std::uint32_t>(encoded.size()));
      out += encoded;
    }
    looked_at += encoded.size();
    if (looked_at >= kLookedBytes) return next = at + 1, false;
    return true;
  });
  return std::max(next, offset);
}

// ---- Writing.

void Compacted::add(std::uint64_t first, const std::function<void(const OnBatch&)>& visit) {
  if (projects_.empty()) return;
  try {
    Last last;
    visit([&](const ResultBatch& batch) {
      each_candidate(batch, [&](const protocol::ResultRun& run, std::uint64_t offset) {
        if (is_wanted(run.first.project))
          last[{std::string(run.first.project), std::string(run.first.key)}] = offset;
      });
    });
    if (last.empty()) return;
    for (const auto& [key, offset] : last) from_.try_emplace(key.first, first);
    write(last, [&](const OnRecord& on_record) {
      visit([&](const ResultBatch& batch) {
        each_candidate(batch, [&](const protocol::ResultRun& run, std::uint64_t offset) {
          const auto found =
              last.find({std::string(run.first.project), std::string(run.first.key)});
          if (found == last.end() || found->second != offset) return;
          Bytes records;
          put_result_run(records, run);
          const ResultBatch alone{offset, 0, 0, 1, batch.worker, records, batch.pid};
          on_record(protocol::encode_batch(alone), alone, run.first);
        });
      });
    });
  } catch (const StorageFailure&) {  // No room, or the segment is damaged: nothing is whole then.
    drop();
  }
}

void Compacted::write(const Last& last, const std::function<void(const OnRecord&)>& added) {
  const auto survivors = [&](const OnRecord& on_record) {
    if (!file_ || planted("compacted-forgets")) return;
    visit(kHeaderBytes, [&](std::string_view encoded, const ResultBatch& batch,
                            const ResultRecord& result) {
      const Key key{std::string(result.project), std::string(result.key)};
      if (is_wanted(result.project) && !last.contains(key)) on_record(encoded, batch, result);
      return true;
    });
  };
  std::uint64_t bytes = 0;
  const OnRecord count = [&](std::string_view encoded, const ResultBatch&, const ResultRecord&) {
    bytes += kEntryBytes + encoded.size();
    return true;
  };
  added(count);
  const auto most = bytes + end_;
  if (most > bytes_max_) survivors(count);  // Else they fit anyway.
  std::erase_if(from_, [&](const auto& one) { return !is_wanted(one.first); });
  Writer writer(directory_, most, bytes > bytes_max_ ? bytes - bytes_max_ : 0);
  const OnRecord keep = [&](std::string_view encoded, const ResultBatch& batch,
                            const ResultRecord& result) {
    if (!writer.add(encoded, batch.first_offset))
      from_[std::string(result.project)] = batch.first_offset + 1;
    return true;
  };
  survivors(keep);
  added(keep);
  Bytes projects;
  for (const auto& [name, from] : from_) {
    put<std::uint64_t>(projects, from);
    put<std::uint8_t>(projects, static_cast<std::uint8_t>(name.size()));
    projects += name;
  }
  const auto end = writer.end();
  file_ = writer.finish(log_, projects);
  end_ = end;
  places_ = writer.take_places();
}

void Compacted::drop() {
  file_.reset();
  from_.clear();
  places_.clear();
  end_ = 0;
  for (const auto& name : {kNewName, kName})
    if (directory_.has(name)) directory_.remove(name);
  directory_.sync();
}

}  // namespace eole::sink
