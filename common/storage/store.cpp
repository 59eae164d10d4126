#include "common/storage/store.hpp"

#include <algorithm>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/expected.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/storage/segment.hpp"

namespace eole::storage {

namespace {
constexpr std::string_view kSpareName = "next.tmp";  // An opening removes it, and has its space.
constexpr std::uint64_t kSmallBytes = 1 << 20;  // A segment on a disk without room for a whole one.

// Room for a rest record stays, or the last commit of a full segment could not be proven.
std::uint64_t needed_for(std::uint64_t payload_bytes) {
  return record_bytes(payload_bytes) + kRecordHeaderBytes;
}
}  // namespace

Store::Store(Directory& directory, StoreOptions options, const RecordVisitor& visit,
             const ShownFrom& shown_from)
    : directory_(directory), options_(options) {
  recover(visit, shown_from);
}

std::uint64_t Store::next_segment_id() {
  // splitmix64 over the entropy given: unique per opening and per segment.
  std::uint64_t mixed = options_.entropy + (++ids_drawn_) * 0x9E3779B97F4A7C15ULL;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
  return mixed ^ (mixed >> 31);
}

void Store::start_segment(std::uint32_t number, std::uint64_t previous_end, std::string_view copied,
                          std::uint64_t needed) {
  const auto name = segment_name(number);
  auto temporary = std::string(kSpareName);
  Segment segment;
  segment.id = next_segment_id();
  segment.file = std::move(spare_);
  if (!segment.file) {
    temporary = name + std::string(kTemporarySuffix);
    segment.file = directory_.create(temporary);
  }

  // `copied` holds records as (type, payload) of the segment before: they are written anew here.
  std::string body;
  ByteReader reader(copied);
  while (!reader.is_done()) {
    const auto type = reader.get<std::uint32_t>();
    const auto payload = reader.take(reader.get<std::uint32_t>());
    put_record(body, segment.id, kSegmentHeaderBytes + body.size(), type, payload, {}, 0);
  }
  segment.end = kSegmentHeaderBytes + body.size();

  capacity_ = reserve(*segment.file, segment.end + needed);
  SegmentHeader header{options_.kind, id_,         segment.id, number,
                       previous_end,  segment.end, capacity_};
  segment.file->write(0, encode(header) + body);
  if (!planted("rename-before-sync")) segment.file->sync();
  // Renamed only when whole and durable: a segment with a name is always believed.
  directory_.rename(temporary, name + std::string(kSegmentSuffix));
  if (!planted("no-directory-sync")) directory_.sync();

  written_ = wanted_ = proven_ = stated_ = segment.end;
  segments_[number] = std::move(segment);
}

// Without room for a whole segment a small one is begun: what must be written still is.
std::uint64_t Store::reserve(File& file, std::uint64_t least) {
  const auto whole = std::max(options_.segment_bytes, least);
  const auto small = std::min(whole, least + kSmallBytes);
  try {
    file.reserve(whole);
    return whole;
  } catch (const StorageFailure&) {
    if (small == whole) throw;
  }
  file.reserve(small);
  return small;
}

void Store::grow() {
  try {
    segments_.rbegin()->second.file->reserve(options_.segment_bytes);
    capacity_ = options_.segment_bytes;
  } catch (const StorageFailure&) {  // It stays small.
  }
}

bool Store::keep_spare() {
  if (spare_) return true;
  if (directory_.free_bytes() < 2 * options_.segment_bytes) return false;
  const std::string name(kSpareName);
  auto file = directory_.create(name);
  try {
    file->reserve(options_.segment_bytes);
  } catch (const StorageFailure&) {  // Another process took it meanwhile.
    directory_.remove(name);
    return false;
  }
  spare_ = std::move(file);
  return true;
}

void Store::recover(const RecordVisitor& visit, const ShownFrom& shown_from) {
  std::vector<std::uint32_t> numbers;
  for (const auto& name : directory_.list()) {
    if (name.ends_with(kTemporarySuffix)) directory_.remove(name);
    if (const auto number = segment_number(name)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  if (numbers.empty()) {
    id_ = next_segment_id();
    start_segment(1, 0, {}, 0);
    return;
  }
  std::vector<SegmentHeader> headers;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const auto name = segment_name(numbers[i]) + std::string(kSegmentSuffix);
    if (i > 0 && numbers[i] != numbers[i - 1] + 1)
      throw Damage(text("segment ", segment_name(numbers[i - 1] + 1), " is missing"));
    Segment segment;
    segment.file = directory_.open(name);
    headers.push_back(read_header(*segment.file, name, false));
    if (headers[i].number != numbers[i])
      throw Damage(text("segment ", name, ": says that it is number ", headers[i].number));
    if (headers[i].store_id != headers[0].store_id || headers[i].kind != options_.kind)
      throw Damage(text("segment ", name, " is of another store"));
    segment.id = headers[i].segment_id;
    if (i > 0) segments_[numbers[i - 1]].end = headers[i].previous_end;
    segments_[numbers[i]] = std::move(segment);
  }
  id_ = headers[0].store_id;
  segments_[numbers.back()].end = segments_[numbers.back()].file->size();
  const auto first = first_shown(shown_from);

  for (std::size_t i = 0; i + 1 < numbers.size(); ++i) {
    if (numbers[i] < first) continue;
    const auto& segment = segments_[numbers[i]];
    RecordReader reader(*segment.file, segment.id, segment.end);
    while (!reader.is_done()) {
      const auto offset = reader.offset();
      const auto record = reader.next();
      if (!record && planted("cut-at-damage")) break;
      if (!record)
        throw Damage(text("segment ", segment_name(numbers[i]), kSegmentSuffix,
                          ": damaged record at offset ", offset, " of ", segment.end));
      if (record->type != kRestRecord) visit({numbers[i], offset}, record->type, record->payload);
    }
  }
  recover_last(numbers.back(), headers.back(), visit);
}

// The newest segments first: what is looked for lies there, if nothing is torn.
std::uint32_t Store::first_shown(const ShownFrom& shown_from) const {
  const auto first = first_segment();
  if (!shown_from) return first;
  for (auto segment = segments_.rbegin(); segment != segments_.rend(); ++segment) {
    std::optional<std::uint32_t> found;
    RecordReader reader(*segment->second.file, segment->second.id, segment->second.end);
    while (!reader.is_done()) {
      const Position at{segment->first, reader.offset()};
      const auto record = reader.next();
      if (!record) break;  // A torn tail, or damage: who reads in earnest says so.
      if (const auto from = shown_from(at, record->type, record->payload)) found = from;
    }
    if (found) return std::max(first, *found);
  }
  return first;
}

void Store::recover_last(std::uint32_t number, const SegmentHeader& header,
                         const RecordVisitor& visit) {
  auto& segment = segments_[number];
  const auto size = segment.file->size();
  const auto refuse = [&](std::uint64_t offset, std::string_view why) {
    throw Damage(text("segment ", segment_name(number), kSegmentSuffix,
                      ": damaged record at offset ", offset, " (", why, ")"));
  };
  auto proven = header.start_proven;
  RecordReader all(*segment.file, segment.id, size);
  while (const auto record = all.next()) proven = std::max(proven, record->proven);
  const auto end = all.offset();
  if (planted("cut-at-first-bad-record")) {
    proven = std::min(proven, end);
  } else if (end < header.start_proven || is_proven_beyond(*segment.file, segment.id, end)) {
    refuse(end, "a later record proves that it was whole");
  } else if (size < header.reserved) {
    refuse(size, text("the file was cut short, it had ", header.reserved, " bytes"));
  }

  // What lies behind the last proven position may be in the page cache only, or may have been
  // dropped by a failed sync: it is written anew before anyone believes it (rule D4).
  Bytes tail;
  RecordReader good(*segment.file, segment.id, end);
  while (!good.is_done()) {
    const auto offset = good.offset();
    const auto record = good.next();
    invariant(record.has_value(), "what was read is read again");
    if (record->type == kRestRecord) continue;
    if (offset < proven || planted("believe-the-page-cache")) {
      visit({number, offset}, record->type, record->payload);
      continue;
    }
    put<std::uint32_t>(tail, record->type);
    put<std::uint32_t>(tail, static_cast<std::uint32_t>(record->payload.size()));
    tail += record->payload;
  }
  segment.end = proven;
  start_segment(number + 1, proven, tail, 0);
  segment.file->truncate(proven);
  if (capacity_ < options_.segment_bytes) grow();  // Now there may be room.
  std::uint64_t offset = kSegmentHeaderBytes;
  for (ByteReader copied(tail); !copied.is_done();) {
    const auto type = copied.get<std::uint32_t>();
    const auto payload = copied.take(copied.get<std::uint32_t>());
    visit({number + 1, offset}, type, payload);
    offset += record_bytes(payload.size());
  }
}

Position Store::append(std::uint32_t type, std::string_view payload, std::string_view rest) {
  invariant(type != 0 && type != kRestRecord, "record types start at one");
  invariant(payload.size() + rest.size() < (1ULL << 31), "a record is below 2 GiB");
  if (rolls(payload.size() + rest.size())) begin_segment(payload.size() + rest.size());
  const auto number = current_segment();
  const Position at{number, written_ + buffer_.size()};
  const auto proven = planted("state-the-unproven") ? at.offset : proven_;
  put_record(buffer_, segments_.rbegin()->second.id, at.offset, type, payload, rest, proven);
  stated_ = proven_;
  wanted_ = written_ + buffer_.size();
  return at;
}

bool Store::rolls(std::uint64_t payload_bytes) const {
  const auto used = written_ + buffer_.size();
  return used > kSegmentHeaderBytes && used + needed_for(payload_bytes) > capacity_;
}

void Store::begin_segment(std::uint64_t payload_bytes) { roll(needed_for(payload_bytes)); }

void Store::rest() {
  if (!buffer_.empty() || proven_ < wanted_ || stated_ == proven_) return;
  if (planted("rest-not-stated") || written_ + kRecordHeaderBytes > capacity_) return;
  put_record(buffer_, segments_.rbegin()->second.id, written_, kRestRecord, {}, {}, proven_);
  flush();
  stated_ = proven_;
}

void Store::flush() {
  if (buffer_.empty()) return;
  auto& segment = segments_.rbegin()->second;
  segment.file->write(written_, buffer_);
  written_ += buffer_.size();
  segment.end = written_;
  buffer_.clear();
}

void Store::commit() {
  flush();
  if (proven_ < wanted_ && options_.syncs) sync();
}

void Store::sync() {
  auto& file = *segments_.rbegin()->second.file;
  try {
    if (!planted("answer-before-sync")) file.sync();
  } catch (const StorageFailure&) {
    if (!planted("retry-failed-sync")) throw;
    file.sync();
  }
  ++syncs_;
  proven_ = written_;
}

void Store::roll(std::uint64_t needed) {
  flush();
  if (proven_ < written_) sync();
  auto& [number, segment] = *segments_.rbegin();
  start_segment(number + 1, segment.end, {}, needed);
  segment.file->truncate(segment.end);  // Gives the unused reservation back.
}

std::string Store::read(Position at, std::size_t expected) const {
  const auto found = segments_.find(at.segment);
  if (found == segments_.end())
    throw StorageFailure(text("segment ", segment_name(at.segment), " was dropped"));
  const auto& segment = found->second;
  // Parsed as a segment of which only this part is at hand.
  const bool is_buffered = at.segment == current_segment() && at.offset >= written_;
  auto raw = is_buffered ? buffer_.substr(at.offset - written_)
                         : segment.file->read(at.offset, kRecordHeaderBytes + expected);
  const auto damaged = [&] {
    return Damage(text("segment ", segment_name(at.segment), kSegmentSuffix,
                       ": damaged record at offset ", at.offset));
  };
  const auto size = payload_size(raw, segment.id, at.offset);
  if (!size) throw damaged();
  if (raw.size() < kRecordHeaderBytes + *size)
    raw = segment.file->read(at.offset, kRecordHeaderBytes + *size);
  const auto payload = payload_of(raw, segment.id, at.offset);
  if (!payload) throw damaged();
  raw.resize(kRecordHeaderBytes + *size);
  raw.erase(0, kRecordHeaderBytes);
  return raw;
}

void Store::drop_segments_below(std::uint32_t segment) {
  while (segments_.size() > 1 && segments_.begin()->first < segment) {
    const auto drop =
        planted("drop-newest-first") ? std::prev(segments_.end(), 2) : segments_.begin();
    const auto name = segment_name(drop->first) + std::string(kSegmentSuffix);
    segments_.erase(drop);
    directory_.remove(name);
    directory_.sync();  // One by one, oldest first: a power cut never leaves a hole.
  }
}

std::uint64_t Store::room() const {
  const auto used = written_ + buffer_.size();
  return capacity_ > used ? capacity_ - used : 0;
}

std::uint64_t Store::bytes_below(std::uint32_t segment) const {
  std::uint64_t bytes = 0;
  for (const auto& [number, each] : segments_)
    if (number < segment) bytes += each.end;
  return bytes;
}

std::uint64_t Store::disk_bytes() const {
  std::uint64_t bytes = spare_ ? options_.segment_bytes : 0;
  for (const auto& [number, segment] : segments_) bytes += segment.file->size();
  return bytes;
}

}  // namespace eole::storage
