#include <cstdint>

#include "tests/fuzz/allocation_limit.hpp"
#include "ventilator/io/journal_format.hpp"

// The journal's records: the first byte is the type.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace eole;
  using namespace eole::ventilator;
  if (size == 0) return 0;
  const std::string_view payload(reinterpret_cast<const char*>(data + 1), size - 1);
  // Each entry of a map costs more than its bytes.
  const fuzz::AllocationLimit limit(64 * size + (1 << 16));
  const std::uint32_t type = data[0] % 16;
  if (has_new_tasks(type)) {
    TasksRecord tasks;
    if (decode(payload, tasks) && encode_head(tasks) + Bytes(tasks.groups) != payload)
      __builtin_trap();
  } else if (is_identity(type)) {
    StartRecord start;
    Seq last = 0;
    if (decode(payload, start, last) && encode(start, last) != payload) __builtin_trap();
  } else {
    Durable durable;
    if (!durable.load(static_cast<Part>(type), payload)) return 0;
    durable.drop_settled();
    SavePlace place;  // What was loaded can be saved, in records that are not too large.
    while (const auto record =
               save_next(place, [&](SavePlace& at, Bytes& out) { durable.save(at, out); }))
      if (record->payload.size() > kPartBytesMax) __builtin_trap();
  }
  return 0;
}
