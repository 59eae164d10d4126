#include "common/storage/segment.hpp"

#include <cstdint>

#include "common/base/bytes.hpp"
#include "common/storage/salvage.hpp"
#include "tests/simulation/sim_disk.hpp"

// A store whose newest segment holds records with right checksums and made-up contents, and then
// some bytes changed: it opens, or is refused; a salvage reads it in any case.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace eole;
  using namespace eole::storage;
  ByteReader reader({reinterpret_cast<const char*>(data), size});
  constexpr std::uint64_t kReserved = 512;
  SegmentHeader header;
  header.store_id = 7;
  header.segment_id = 9;
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
  simulation::SimDisk disk(1);
  const auto directory = disk.open();
  const auto file = directory->create("00000001.seg");
  file->write(0, content);
  file->sync();
  directory->sync();
  std::size_t salvaged = 0;
  try {
    (void)read_damaged(*directory, [&](Position, std::uint32_t, std::string_view) { ++salvaged; });
  } catch (const StorageFailure&) {
  }
  std::size_t shown = 0;
  try {
    Store store(*directory, {.segment_bytes = kReserved, .entropy = 3},
                [&](Position, std::uint32_t, std::string_view) { ++shown; });
    if (shown > salvaged) __builtin_trap();
    for (const auto& position : {Position{1, 64}, Position{2, 128}}) (void)store.read(position);
  } catch (const StorageFailure&) {
  }
  return 0;
}
