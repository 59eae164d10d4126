#include "sink/io/salvage.hpp"

#include <cstdio>

#include "common/base/counted.hpp"
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
  std::optional<std::uint64_t> expected;      // The next offset of the old log.
  std::optional<storage::Position> first_at;  // Of what is there.
  std::uint64_t first = 0;
  std::uint64_t kept_from = 0;  // As far as is known.
  const auto find = [&](storage::Position at, std::uint64_t offset) {
    if (!expected) {
      expected = first = offset;
      first_at = at;
    }
    if (offset > *expected) salvaged.lost.emplace_back(*expected, offset - 1);
    expected = std::max(*expected, offset);
  };
  salvaged.losses = storage::read_damaged(
      from, [&](storage::Position at, std::uint32_t type, std::string_view payload) {
        ByteReader reader(payload);
        switch (static_cast<LogRecord>(type)) {
          case LogRecord::kSegment:  // The new log has segments and checkpoints of its own.
          case LogRecord::kCheckpoint:
            return find(at, reader.get<std::uint64_t>());
          case LogRecord::kCheckpointEnd: {
            reader.get<std::uint32_t>();
            const auto head = reader.get<std::uint64_t>();
            kept_from = reader.get<std::uint64_t>();
            return find(at, head);
          }
          case LogRecord::kBatch: {
            auto batch = protocol::read_batch(payload);
            if (!batch) return;
            find(at, batch->first_offset);
            *expected += batch->count;
            batch->first_offset = salvaged.results;
            salvaged.results += batch->count;
            store.append(type, protocol::encode_batch(*batch));
            return;
          }
          case LogRecord::kShare:
          case LogRecord::kCommit:  // Offsets of a log that is no more: groups are made anew.
            return;
          default:
            if (static_cast<Part>(type) == Part::kGroups) return;
            store.append(type, payload);
        }
      });
  // Where the log began is not known exactly if its beginning is damaged.
  const bool is_cut = !salvaged.losses.empty() && first_at &&
                      std::pair(salvaged.losses[0].segment, salvaged.losses[0].offset) <
                          std::pair(first_at->segment, first_at->offset);
  if (is_cut && kept_from < first)
    salvaged.lost.insert(salvaged.lost.begin(), {kept_from, first - 1});
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
  std::puts(text(to, ": ", counted(salvaged.results, "result"), "; ",
                 counted(salvaged.losses.size(), "damaged place"),
                 "; a new log: readers start again at its beginning")
                .c_str());
  for (const auto& [first, last] : salvaged.lost)
    std::puts(text("no results of offsets ", first, " to ", last).c_str());
}

}  // namespace eole::sink
