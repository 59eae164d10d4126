#include <cstdint>

#include "tests/fuzz/allocation_limit.hpp"
#include "ventilator/io/journal_format.hpp"

// The journal's records: the first byte is the type.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace eole;
  using namespace eole::ventilator;
  if (size == 0) return 0;
  const std::string_view payload(reinterpret_cast<const char*>(data + 1), size - 1);
  const bool is_run_length_coded = data[0] % 3 == 1;  // A note has a limit of its own.
  const fuzz::AllocationLimit limit(is_run_length_coded ? 1 << 20 : size);
  switch (data[0] % 3) {
    case 0: {
      TasksRecord tasks;
      if (decode(payload, tasks) && encode_head(tasks) + Bytes(tasks.specs) != payload)
        __builtin_trap();
      break;
    }
    case 1: {
      JournalNote note;
      (void)decode(payload, note);
      break;
    }
    case 2: {
      StartRecord start;
      Durable durable;
      if (decode_checkpoint(payload, start, durable)) (void)encode_checkpoint(start, durable);
      break;
    }
  }
  return 0;
}
