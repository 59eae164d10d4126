#include "common/protocol/records.hpp"

#include <cstdint>

#include "common/base/seq_ranges.hpp"
#include "common/protocol/task_class.hpp"
#include "sink/core/settler.hpp"
#include "tests/fuzz/allocation_limit.hpp"
#include "worker/core/core.hpp"

// The payloads: the first byte says which decoder takes the rest.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace eole;
  using namespace eole::protocol;
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data + 1), size - 1);
  const fuzz::AllocationLimit limit(size);
  ByteReader reader(bytes);
  switch (data[0] % 12) {
    case 0:
      while (read_task_spec(reader)) {
      }
      break;
    case 1:
      (void)count_task_specs(bytes);
      break;
    case 2:
      while (const auto run = read_task_run(reader)) {
        (void)decode_class(run->task_class);
        (void)count_task_specs(run->specs);
      }
      break;
    case 3:
      (void)decode_held(bytes);
      break;
    case 4:
      (void)decode_orders(bytes);
      break;
    case 5:
      (void)decode_settlement(bytes);
      break;
    case 6: {
      SeqRanges ranges;
      (void)ranges.decode(bytes);
      break;
    }
    case 7:
      if (const auto batch = read_batch(bytes)) {
        sink::SettlementPage page;
        page.add(*batch, 1, 0);
      }
      break;
    case 8: {  // A worker's results, up to the sink's core.
      sink::Settler core(1);
      sink::Actions actions;
      core.on_event(sink::IntroduceReceived{"v", {1, 1, 1, 1, 1000, 0, 1, {}}, {}}, actions);
      Results results;
      results.run = 1;
      results.origin = 1;
      results.first = 1;
      results.count = static_cast<std::uint32_t>(bytes.empty() ? 0 : bytes[0]);
      results.payload = bytes.empty() ? "" : bytes.substr(1);
      core.on_event(sink::ResultsReceived{results, {}, {}}, actions);
      break;
    }
    case 9:
      while (read_acceptance(reader)) {
      }
      break;
    case 11:
      if (count_grouped_tasks(bytes))
        while (const auto group = read_task_group(reader)) {
          if (const auto task_class = decode_class(group->task_class))
            (void)encode_class(*task_class);
        }
      break;
    case 10: {  // What comes on a pipe, up to the worker's core.
      worker::Config config;
      config.kinds = {"echo", "work"};
      config.inline_kinds = {"echo"};
      worker::Core core(config, 1, TimePoint(1s));
      worker::Actions actions;
      core.on_deadline(TimePoint(1s), actions);
      core.on_event(worker::WelcomeReceived{{1, 1, 1, 5, "pipe", 1000}}, TimePoint(1s), actions);
      core.on_event(worker::TasksReceived{{1, 1, 1, 5, 1,
                                           bytes.empty() ? 0U : static_cast<std::uint8_t>(bytes[0]),
                                           Bytes(bytes.empty() ? "" : bytes.substr(1))}},
                    TimePoint(1s), actions);
      core.on_deadline(TimePoint(1s), actions);
      break;
    }
  }
  return 0;
}
