#include "sink/io/salvage.hpp"

#include <cstdio>

#include "common/base/text.hpp"
#include "common/process/system.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/value.hpp"
#include "common/storage/real_disk.hpp"
#include "sink/io/result_log.hpp"

namespace eole::sink {

SalvagedLog salvage_log(storage::Directory& from, storage::Directory& to,
                        storage::StoreOptions options) {
  if (!to.list().empty() && to.list() != std::vector<std::string>{"lock"})
    throw storage::StorageFailure("the directory to write to is not empty");
  options.kind = storage::StoreKind::kLog;
  SalvagedLog salvaged;
  storage::Store store(to, options, [](storage::Position, std::uint32_t, std::string_view) {});
  std::uint64_t expected = 0;  // The next offset of the old log.
  salvaged.losses = storage::read_damaged(
      from, [&](storage::Position, std::uint32_t type, std::string_view payload) {
        if (type != static_cast<std::uint32_t>(LogRecord::kBatch)) {
          store.append(type, payload);
          return;
        }
        auto batch = protocol::read_batch(payload);
        if (!batch) return;
        if (batch->first_offset > expected)
          salvaged.lost.emplace_back(expected, batch->first_offset - 1);
        expected = batch->first_offset + batch->count;
        batch->first_offset = salvaged.results;
        salvaged.results += batch->count;
        store.append(type, protocol::encode_batch(*batch));
      });
  store.commit();
  return salvaged;
}

void salvage(const std::string& from, const std::string& to, bool is_json) {
  const auto old_directory = storage::open_directory(from);
  const auto new_directory = storage::open_directory(to);
  const auto salvaged =
      salvage_log(*old_directory, *new_directory, {.entropy = process::random_u64()});
  if (is_json) {
    protocol::Value::Array lost;
    for (const auto& [first, last] : salvaged.lost)
      lost.push_back(protocol::Value::Array{first, last});
    const protocol::Value said = protocol::Value::Map{{"directory", to},
                                                      {"results", salvaged.results},
                                                      {"damaged", salvaged.losses.size()},
                                                      {"lost_offsets", std::move(lost)}};
    std::puts(said.to_json().c_str());
    return;
  }
  std::puts(text(to, ": ", salvaged.results, " results; ", salvaged.losses.size(),
                 " damaged places; a new log: readers start again at its beginning")
                .c_str());
  for (const auto& [first, last] : salvaged.lost)
    std::puts(text("no results of offsets ", first, " to ", last).c_str());
}

}  // namespace eole::sink
