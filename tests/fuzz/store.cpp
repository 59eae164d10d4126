#include "common/storage/store.hpp"

#include "common/storage/salvage.hpp"
#include "tests/fuzz/made_up_segment.hpp"
#include "tests/simulation/sim_disk.hpp"

// A store whose newest segment is a made-up, damaged one: it opens, or is refused; a salvage reads
// it in any case.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace eole;
  using namespace eole::storage;
  simulation::SimDisk disk(1);
  const auto directory = disk.open();
  const auto file = directory->create("00000001.seg");
  file->write(0, fuzz::made_up_segment(data, size));
  file->sync();
  directory->sync();
  std::size_t salvaged = 0;
  try {
    (void)read_damaged(*directory, [&](Position, std::uint32_t, std::string_view) { ++salvaged; });
  } catch (const StorageFailure&) {
  }
  std::size_t shown = 0;
  try {
    Store store(*directory, {.segment_bytes = fuzz::kReserved, .entropy = 3},
                [&](Position, std::uint32_t, std::string_view) { ++shown; });
    if (shown > salvaged) __builtin_trap();
    for (const auto& position : {Position{1, 64}, Position{2, 128}}) (void)store.read(position);
  } catch (const StorageFailure&) {
  }
  return 0;
}
