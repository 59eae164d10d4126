#include "common/storage/store.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>
#include <vector>

#include "common/base/bytes.hpp"
#include "common/base/crc32c.hpp"
#include "common/base/expected.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::storage {

namespace {

constexpr std::string_view kMagic = "EOLESEG1";
constexpr std::size_t kSegmentHeaderBytes = 64;
constexpr std::size_t kRecordHeaderBytes = 24;  // header crc, payload crc, length, type, proven
constexpr std::size_t kAlignment = 8;
constexpr std::string_view kSuffix = ".seg";
constexpr std::string_view kTemporary = ".tmp";

std::string segment_name(std::uint32_t number) {
  auto digits = std::to_string(number);
  return std::string(8 - std::min<std::size_t>(8, digits.size()), '0') + digits;
}

std::optional<std::uint32_t> segment_number(std::string_view name) {
  if (!name.ends_with(kSuffix)) return std::nullopt;
  name.remove_suffix(kSuffix.size());
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return number;
}

std::uint64_t aligned(std::uint64_t bytes) { return (bytes + kAlignment - 1) & ~(kAlignment - 1); }

struct RecordHeader {
  std::uint32_t payload_crc = 0;
  std::uint32_t length = 0;
  std::uint32_t type = 0;
  std::uint64_t proven = 0;
};

// The segment's random id and the place are part of every checksum: what an earlier life of the
// file left behind, or a payload that looks like a record, can never pass for one.
std::uint32_t seed_of(std::uint64_t segment_id, std::uint64_t offset) {
  char seed[16];
  if (planted("segment-id-not-in-checksum")) segment_id = 0;
  std::memcpy(seed, &segment_id, 8);
  std::memcpy(seed + 8, &offset, 8);
  return crc32c({seed, sizeof seed});
}

// Appends one record to `out`, whose end is `offset` in the segment.
void put_record(std::string& out, std::uint64_t segment_id, std::uint64_t offset,
                std::uint32_t type, std::string_view payload, std::uint64_t proven) {
  const auto seed = seed_of(segment_id, offset);
  const auto length = static_cast<std::uint32_t>(payload.size());
  const auto payload_crc = crc32c(payload, seed);
  char header[kRecordHeaderBytes];
  std::memcpy(header + 4, &payload_crc, 4);
  std::memcpy(header + 8, &length, 4);
  std::memcpy(header + 12, &type, 4);
  std::memcpy(header + 16, &proven, 8);
  const auto crc = crc32c({header + 4, kRecordHeaderBytes - 4}, seed);
  std::memcpy(header, &crc, 4);
  out.append(header, sizeof header);
  out += payload;
  out.append(aligned(payload.size()) - payload.size(), '\0');
}

std::optional<RecordHeader> header_at(std::string_view file, std::uint64_t segment_id,
                                      std::uint64_t offset) {
  if (offset + kRecordHeaderBytes > file.size()) return std::nullopt;
  const auto raw = file.substr(offset, kRecordHeaderBytes);
  ByteReader reader(raw);
  const auto crc = reader.get<std::uint32_t>();
  RecordHeader header;
  header.payload_crc = reader.get<std::uint32_t>();
  header.length = reader.get<std::uint32_t>();
  header.type = reader.get<std::uint32_t>();
  header.proven = reader.get<std::uint64_t>();
  if (header.type == 0) return std::nullopt;  // Types start at one: reserved space is no record.
  if (crc != crc32c(raw.substr(4), seed_of(segment_id, offset))) return std::nullopt;
  return header;
}

std::optional<std::string_view> payload_of(std::string_view file, const RecordHeader& header,
                                           std::uint64_t segment_id, std::uint64_t offset) {
  if (offset + kRecordHeaderBytes + header.length > file.size()) return std::nullopt;
  const auto payload = file.substr(offset + kRecordHeaderBytes, header.length);
  if (crc32c(payload, seed_of(segment_id, offset)) != header.payload_crc &&
      !planted("payload-checksum-ignored"))
    return std::nullopt;
  return payload;
}

// True if any record behind `from` says that `from` was durable when it was written: then what
// is bad at `from` was once good, and this is damage, not a torn tail.
bool is_proven_beyond(std::string_view file, std::uint64_t segment_id, std::uint64_t from) {
  for (auto offset = from; offset + kRecordHeaderBytes <= file.size(); offset += kAlignment) {
    std::uint32_t type = 0;
    std::memcpy(&type, file.data() + offset + 12, sizeof type);
    if (type == 0) continue;
    const auto header = header_at(file, segment_id, offset);
    if (header && header->proven > from) return true;
  }
  return false;
}

}  // namespace

struct Store::SegmentHeader {
  std::uint64_t store_id = 0;
  std::uint64_t segment_id = 0;
  std::uint64_t previous_end = 0;  // Where the segment before this one ends.
  std::uint64_t start_proven = 0;  // Durable before the segment was first used.
};

Store::Store(Directory& directory, StoreOptions options, const RecordVisitor& visit)
    : directory_(directory), options_(options) {
  recover(visit);
}

std::uint64_t Store::next_segment_id() {
  // splitmix64 over the entropy given: unique per opening and per segment.
  std::uint64_t mixed = options_.entropy + (++ids_drawn_) * 0x9E3779B97F4A7C15ULL;
  mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBULL;
  return mixed ^ (mixed >> 31);
}

void Store::start_segment(std::uint32_t number, std::uint64_t previous_end,
                          std::string_view copied) {
  const auto name = segment_name(number);
  const auto temporary = name + std::string(kTemporary);
  Segment segment;
  segment.id = next_segment_id();
  segment.file = directory_.create(temporary);

  // `copied` holds records as (type, payload) of the segment before: they are written anew here.
  std::string body;
  ByteReader reader(copied);
  while (!reader.is_done()) {
    const auto type = reader.get<std::uint32_t>();
    const auto payload = reader.take(reader.get<std::uint32_t>());
    put_record(body, segment.id, kSegmentHeaderBytes + body.size(), type, payload, 0);
  }
  segment.end = kSegmentHeaderBytes + body.size();

  Bytes header(kMagic);
  put<std::uint64_t>(header, id_);
  put<std::uint64_t>(header, segment.id);
  put<std::uint32_t>(header, number);
  put<std::uint32_t>(header, 0);
  put<std::uint64_t>(header, previous_end);
  put<std::uint64_t>(header, segment.end);
  header.resize(kSegmentHeaderBytes - 4, '\0');
  put<std::uint32_t>(header, crc32c(header));

  segment.file->reserve(std::max<std::uint64_t>(options_.segment_bytes, segment.end));
  segment.file->write(0, header + body);
  if (!planted("rename-before-sync")) segment.file->sync();
  // Renamed only when whole and durable: a segment with a name is always believed.
  directory_.rename(temporary, name + std::string(kSuffix));
  if (!planted("no-directory-sync")) directory_.sync();

  written_ = segment.end;
  proven_ = segment.end;
  segments_[number] = std::move(segment);
}

Store::SegmentHeader Store::read_header(std::uint32_t number, const File& file) const {
  const auto raw = file.read(0, kSegmentHeaderBytes);
  const auto name = segment_name(number) + std::string(kSuffix);
  if (raw.size() != kSegmentHeaderBytes || !std::string_view(raw).starts_with(kMagic))
    throw StorageFailure(text("segment ", name, ": damaged header, no magic at offset 0"));
  ByteReader reader(std::string_view(raw).substr(kMagic.size()));
  SegmentHeader header;
  header.store_id = reader.get<std::uint64_t>();
  header.segment_id = reader.get<std::uint64_t>();
  const auto stated_number = reader.get<std::uint32_t>();
  reader.get<std::uint32_t>();
  header.previous_end = reader.get<std::uint64_t>();
  header.start_proven = reader.get<std::uint64_t>();
  std::uint32_t crc = 0;
  std::memcpy(&crc, raw.data() + kSegmentHeaderBytes - 4, 4);
  if (crc != crc32c(std::string_view(raw).substr(0, kSegmentHeaderBytes - 4)))
    throw StorageFailure(text("segment ", name, ": damaged header, checksum wrong at offset 60"));
  if (stated_number != number)
    throw StorageFailure(text("segment ", name, ": says that it is number ", stated_number));
  return header;
}

void Store::recover(const RecordVisitor& visit) {
  std::vector<std::uint32_t> numbers;
  for (const auto& name : directory_.list()) {
    if (name.ends_with(kTemporary)) directory_.remove(name);
    if (const auto number = segment_number(name)) numbers.push_back(*number);
  }
  std::sort(numbers.begin(), numbers.end());
  if (numbers.empty()) {
    id_ = next_segment_id();
    start_segment(1, 0, {});
    return;
  }
  std::vector<SegmentHeader> headers;
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    if (i > 0 && numbers[i] != numbers[i - 1] + 1)
      throw StorageFailure(text("segment ", segment_name(numbers[i - 1] + 1), " is missing"));
    Segment segment;
    segment.file = directory_.open(segment_name(numbers[i]) + std::string(kSuffix));
    headers.push_back(read_header(numbers[i], *segment.file));
    if (headers[i].store_id != headers[0].store_id)
      throw StorageFailure(text("segment ", segment_name(numbers[i]), " is of another store"));
    segment.id = headers[i].segment_id;
    if (i > 0) segments_[numbers[i - 1]].end = headers[i].previous_end;
    segments_[numbers[i]] = std::move(segment);
  }
  id_ = headers[0].store_id;

  for (std::size_t i = 0; i + 1 < numbers.size(); ++i) {
    const auto& segment = segments_[numbers[i]];
    const auto file = segment.file->read(0, segment.end);
    for (std::uint64_t offset = kSegmentHeaderBytes; offset < segment.end;) {
      const auto header = header_at(file, segment.id, offset);
      const auto payload = header ? payload_of(file, *header, segment.id, offset) : std::nullopt;
      if (!payload && planted("cut-at-damage")) break;
      if (!payload)
        throw StorageFailure(text("segment ", segment_name(numbers[i]), kSuffix,
                                  ": damaged record at offset ", offset, " of ", segment.end));
      visit({numbers[i], offset}, header->type, *payload);
      offset += aligned(kRecordHeaderBytes + header->length);
    }
  }
  recover_last(numbers.back(), headers.back(), visit);
}

void Store::recover_last(std::uint32_t number, const SegmentHeader& header,
                         const RecordVisitor& visit) {
  auto& segment = segments_[number];
  const auto file = segment.file->read(0, segment.file->size());
  struct Found {
    std::uint64_t offset;
    std::uint32_t type;
    std::string_view payload;
  };
  std::vector<Found> records;
  auto proven = header.start_proven;
  std::uint64_t end = kSegmentHeaderBytes;
  while (true) {
    const auto record = header_at(file, segment.id, end);
    const auto payload = record ? payload_of(file, *record, segment.id, end) : std::nullopt;
    if (!payload) break;
    records.push_back({end, record->type, *payload});
    proven = std::max(proven, record->proven);
    end += aligned(kRecordHeaderBytes + record->length);
  }
  if (planted("cut-at-first-bad-record"))
    proven = std::min(proven, end);
  else if (end < header.start_proven || is_proven_beyond(file, segment.id, end))
    throw StorageFailure(text("segment ", segment_name(number), kSuffix,
                              ": damaged record at offset ", end,
                              " (a later record proves that it was whole)"));

  // What lies behind the last proven position may be in the page cache only, or may have been
  // dropped by a failed sync: it is written anew before anyone believes it.
  Bytes tail;
  std::vector<Found> copied;
  for (const auto& record : records) {
    if (record.offset < proven || planted("believe-the-page-cache")) {
      visit({number, record.offset}, record.type, record.payload);
      continue;
    }
    copied.push_back(record);
    put<std::uint32_t>(tail, record.type);
    put<std::uint32_t>(tail, static_cast<std::uint32_t>(record.payload.size()));
    tail += record.payload;
  }
  segment.end = proven;
  start_segment(number + 1, proven, tail);
  segment.file->truncate(proven);
  std::uint64_t offset = kSegmentHeaderBytes;
  for (const auto& record : copied) {
    visit({number + 1, offset}, record.type, record.payload);
    offset += aligned(kRecordHeaderBytes + record.payload.size());
  }
}

Position Store::append(std::uint32_t type, std::string_view payload) {
  invariant(type != 0, "record types start at one");
  invariant(payload.size() < (1ULL << 31), "a record is below 2 GiB");
  const auto needed = aligned(kRecordHeaderBytes + payload.size());
  const auto used = written_ + buffer_.size();
  if (used > kSegmentHeaderBytes && used + needed > options_.segment_bytes) roll();
  const auto number = current_segment();
  const Position at{number, written_ + buffer_.size()};
  const auto proven = planted("state-the-unproven") ? at.offset : proven_;
  put_record(buffer_, segments_.rbegin()->second.id, at.offset, type, payload, proven);
  return at;
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
  if (proven_ == written_) return;
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

void Store::roll() {
  commit();
  auto& [number, segment] = *segments_.rbegin();
  start_segment(number + 1, segment.end, {});
  segment.file->truncate(segment.end);  // Gives the unused reservation back.
}

std::string Store::read(Position at) const {
  const auto found = segments_.find(at.segment);
  if (found == segments_.end())
    throw StorageFailure(text("segment ", segment_name(at.segment), " was dropped"));
  const auto& segment = found->second;
  constexpr std::size_t kGuess = 16384;  // One read for most records.
  std::string raw;
  std::uint64_t base = at.offset;
  if (at.segment == current_segment() && at.offset >= written_) {
    raw = buffer_.substr(at.offset - written_);
  } else {
    raw = segment.file->read(at.offset, kGuess);
  }
  ByteReader reader(raw);
  const auto seed = seed_of(segment.id, base);
  const auto crc = reader.get<std::uint32_t>();
  const auto payload_crc = reader.get<std::uint32_t>();
  const auto length = reader.get<std::uint32_t>();
  if (!reader.ok() || crc != crc32c(std::string_view(raw).substr(4, kRecordHeaderBytes - 4), seed))
    throw StorageFailure(text("segment ", segment_name(at.segment), kSuffix,
                              ": damaged record at offset ", at.offset));
  if (raw.size() < kRecordHeaderBytes + length)
    raw = segment.file->read(at.offset, kRecordHeaderBytes + length);
  raw.resize(std::min<std::size_t>(raw.size(), kRecordHeaderBytes + length));
  raw.erase(0, kRecordHeaderBytes);
  if (raw.size() != length || crc32c(raw, seed) != payload_crc)
    throw StorageFailure(text("segment ", segment_name(at.segment), kSuffix,
                              ": damaged record at offset ", at.offset));
  return raw;
}

void Store::drop_segments_below(std::uint32_t segment) {
  while (segments_.size() > 1 && segments_.begin()->first < segment) {
    const auto drop =
        planted("drop-newest-first") ? std::prev(segments_.end(), 2) : segments_.begin();
    const auto name = segment_name(drop->first) + std::string(kSuffix);
    segments_.erase(drop);
    directory_.remove(name);
    directory_.sync();  // One by one, oldest first: a power cut never leaves a hole.
  }
}

std::uint64_t Store::disk_bytes() const {
  std::uint64_t bytes = 0;
  for (const auto& [number, segment] : segments_) bytes += segment.file->size();
  return bytes;
}

}  // namespace eole::storage
