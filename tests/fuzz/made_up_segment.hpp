#pragma once
#include <algorithm>
#include <string>

#include "common/base/bytes.hpp"
#include "common/storage/segment.hpp"

namespace eole::fuzz {

constexpr std::uint64_t kReserved = 512;
constexpr std::uint64_t kSegmentId = 9;

/// A segment file: a header, records with right checksums and made-up contents, and then some bytes
/// changed. All as the input says.
inline std::string made_up_segment(const std::uint8_t* data, std::size_t size) {
  using namespace storage;
  ByteReader reader({reinterpret_cast<const char*>(data), size});
  SegmentHeader header;
  header.store_id = 7;
  header.segment_id = kSegmentId;
  header.number = 1;
  header.start_proven = kSegmentHeaderBytes;
  header.reserved = kReserved;
  std::string content = encode(header);
  const auto records = reader.get<std::uint8_t>() % 16;
  for (int i = 0; i < records && content.size() < kReserved; ++i) {
    const std::uint32_t type = reader.get<std::uint8_t>();
    const std::uint64_t proven = reader.get<std::uint16_t>();
    const auto payload = reader.take(reader.get<std::uint8_t>() % 64);
    put_record(content, header.segment_id, content.size(), type == 255 ? kRestRecord : type,
               payload, {}, proven);
  }
  content.resize(std::max<std::size_t>(content.size(), reader.get<std::uint16_t>() % kReserved));
  while (!reader.is_done()) {
    const auto at = reader.get<std::uint16_t>() % content.size();
    content[at] = static_cast<char>(reader.get<std::uint8_t>());
  }
  return content;
}

}  // namespace eole::fuzz
