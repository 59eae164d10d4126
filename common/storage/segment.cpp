#include "common/storage/segment.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

#include "common/base/bytes.hpp"
#include "common/base/crc32c.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"

namespace eole::storage {

namespace {

constexpr std::string_view kMagic = "EOLESEG1";
constexpr std::size_t kAlignment = 8;

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
  if (planted("segment-id-not-in-checksum")) segment_id = 0;
  char seed[16];
  std::memcpy(seed, &segment_id, 8);
  std::memcpy(seed + 8, &offset, 8);
  return crc32c({seed, sizeof seed});
}

// The header that `raw` begins with, of a record at `offset`.
std::optional<RecordHeader> header_of(std::string_view raw, std::uint64_t segment_id,
                                      std::uint64_t offset) {
  if (raw.size() < kRecordHeaderBytes) return std::nullopt;
  raw = raw.substr(0, kRecordHeaderBytes);
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

std::optional<RecordHeader> header_at(std::string_view content, std::uint64_t segment_id,
                                      std::uint64_t offset) {
  if (offset > content.size()) return std::nullopt;
  return header_of(content.substr(offset), segment_id, offset);
}

std::optional<SegmentHeader> decode_header(std::string_view raw) {
  if (raw.size() != kHeaderCopyBytes || !raw.starts_with(kMagic)) return std::nullopt;
  std::uint32_t crc = 0;
  std::memcpy(&crc, raw.data() + kHeaderCopyBytes - 4, 4);
  if (crc != crc32c(raw.substr(0, kHeaderCopyBytes - 4))) return std::nullopt;
  ByteReader reader(raw.substr(kMagic.size()));
  SegmentHeader header;
  header.store_id = reader.get<std::uint64_t>();
  header.segment_id = reader.get<std::uint64_t>();
  header.number = reader.get<std::uint32_t>();
  header.kind = static_cast<StoreKind>(reader.get<std::uint32_t>());
  header.previous_end = reader.get<std::uint64_t>();
  header.start_proven = reader.get<std::uint64_t>();
  header.reserved = reader.get<std::uint64_t>();
  return header;
}

}  // namespace

std::string segment_name(std::uint32_t number) {
  auto digits = std::to_string(number);
  return std::string(8 - std::min<std::size_t>(8, digits.size()), '0') + digits;
}

std::optional<std::uint32_t> segment_number(std::string_view name) {
  if (!name.ends_with(kSegmentSuffix)) return std::nullopt;
  name.remove_suffix(kSegmentSuffix.size());
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return number;
}

std::uint64_t record_bytes(std::uint64_t payload_bytes) {
  return aligned(kRecordHeaderBytes + payload_bytes);
}

std::string encode(const SegmentHeader& header) {
  Bytes out(kMagic);
  put<std::uint64_t>(out, header.store_id);
  put<std::uint64_t>(out, header.segment_id);
  put<std::uint32_t>(out, header.number);
  put<std::uint32_t>(out, static_cast<std::uint32_t>(header.kind));
  put<std::uint64_t>(out, header.previous_end);
  put<std::uint64_t>(out, header.start_proven);
  put<std::uint64_t>(out, header.reserved);
  out.resize(kHeaderCopyBytes - 4, '\0');
  put<std::uint32_t>(out, crc32c(out));
  return out + out;
}

SegmentHeader read_header(const File& file, const std::string& name, bool either) {
  const auto raw = file.read(0, kSegmentHeaderBytes);
  const auto first = decode_header(std::string_view(raw).substr(0, kHeaderCopyBytes));
  const auto second = raw.size() == kSegmentHeaderBytes
                          ? decode_header(std::string_view(raw).substr(kHeaderCopyBytes))
                          : std::nullopt;
  if (first && (second || either)) return *first;
  if (second && either) return *second;
  throw Damage(text("segment ", name, ": damaged header at offset ", first ? kHeaderCopyBytes : 0,
                    ", its checksum is wrong"));
}

std::optional<std::uint64_t> damaged_header(const File& file) {
  for (const auto at : {std::uint64_t{0}, std::uint64_t{kHeaderCopyBytes}})
    if (!decode_header(file.read(at, kHeaderCopyBytes))) return at;
  return std::nullopt;
}

void put_record(std::string& out, std::uint64_t segment_id, std::uint64_t offset,
                std::uint32_t type, std::string_view payload, std::string_view rest,
                std::uint64_t proven) {
  const auto seed = seed_of(segment_id, offset);
  const auto length = static_cast<std::uint32_t>(payload.size() + rest.size());
  const auto payload_crc = crc32c(rest, crc32c(payload, seed));
  char header[kRecordHeaderBytes];
  std::memcpy(header + 4, &payload_crc, 4);
  std::memcpy(header + 8, &length, 4);
  std::memcpy(header + 12, &type, 4);
  std::memcpy(header + 16, &proven, 8);
  const auto crc = crc32c({header + 4, kRecordHeaderBytes - 4}, seed);
  std::memcpy(header, &crc, 4);
  out.append(header, sizeof header);
  out += payload;
  out += rest;
  out.append(aligned(length) - length, '\0');
}

std::optional<std::uint32_t> payload_size(std::string_view raw, std::uint64_t segment_id,
                                          std::uint64_t offset) {
  const auto header = header_of(raw, segment_id, offset);
  return header ? std::optional(header->length) : std::nullopt;
}

std::optional<std::string_view> payload_of(std::string_view raw, std::uint64_t segment_id,
                                           std::uint64_t offset) {
  const auto header = header_of(raw, segment_id, offset);
  if (!header || kRecordHeaderBytes + header->length > raw.size()) return std::nullopt;
  const auto payload = raw.substr(kRecordHeaderBytes, header->length);
  if (crc32c(payload, seed_of(segment_id, offset)) != header->payload_crc &&
      !planted("payload-checksum-ignored"))
    return std::nullopt;
  return payload;
}

std::optional<Record> record_at(std::string_view content, std::uint64_t segment_id,
                                std::uint64_t offset) {
  const auto header = header_at(content, segment_id, offset);
  if (!header) return std::nullopt;
  const auto payload = payload_of(content.substr(offset), segment_id, offset);
  if (!payload) return std::nullopt;
  return Record{header->type, header->proven, *payload};
}

std::uint64_t next_record(std::string_view content, std::uint64_t segment_id,
                          std::uint64_t offset) {
  for (; offset + kRecordHeaderBytes <= content.size(); offset += kAlignment) {
    std::uint32_t type = 0;
    std::memcpy(&type, content.data() + offset + 12, sizeof type);
    if (type != 0 && record_at(content, segment_id, offset)) return offset;
  }
  return content.size();
}

namespace {
// One record behind `from`, of a part of a segment that begins at `start`, says so.
bool is_proven_in(std::string_view part, std::uint64_t segment_id, std::uint64_t start,
                  std::uint64_t from) {
  for (std::uint64_t at = 0; at + kRecordHeaderBytes <= part.size(); at += kAlignment) {
    if (read_at<std::uint32_t>(part, at + 12) == 0) continue;
    const auto header = header_of(part.substr(at), segment_id, start + at);
    if (header && header->proven > from) return true;
  }
  return false;
}
}  // namespace

bool is_proven_beyond(std::string_view content, std::uint64_t segment_id, std::uint64_t from) {
  return from < content.size() && is_proven_in(content.substr(from), segment_id, from, from);
}

bool is_proven_beyond(const File& file, std::uint64_t segment_id, std::uint64_t from) {
  const auto size = file.size();
  for (auto start = from; start < size; start += kWindowBytes)
    if (is_proven_in(file.read(start, kWindowBytes + kRecordHeaderBytes), segment_id, start, from))
      return true;
  return false;
}

std::string_view RecordReader::from_here(std::uint64_t bytes) {
  bytes = std::min(bytes, end_ - offset_);
  const bool is_there =
      offset_ >= window_offset_ && offset_ + bytes <= window_offset_ + window_.size();
  if (!is_there) {
    window_ = file_.read(offset_, std::min(std::max(bytes, window_bytes_), end_ - offset_));
    window_offset_ = offset_;
  }
  return std::string_view(window_).substr(offset_ - window_offset_);
}

std::optional<Record> RecordReader::next() {
  if (is_done()) return std::nullopt;
  const auto header = header_of(from_here(kRecordHeaderBytes), segment_id_, offset_);
  if (!header) return std::nullopt;
  const auto raw = from_here(kRecordHeaderBytes + header->length);
  const auto payload = payload_of(raw, segment_id_, offset_);
  if (!payload) return std::nullopt;
  offset_ += record_bytes(payload->size());
  return Record{header->type, header->proven, *payload};
}

}  // namespace eole::storage
