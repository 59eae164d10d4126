#include "ventilator/io/salvage.hpp"

#include <cstdio>

#include "common/base/counted.hpp"
#include "common/base/text.hpp"
#include "common/process/system.hpp"
#include "common/protocol/value.hpp"
#include "common/storage/real_disk.hpp"
#include "ventilator/io/journal_format.hpp"

namespace eole::ventilator {

SalvagedJournal salvage_journal(storage::Directory& from, storage::Directory& to,
                                storage::StoreOptions options) {
  if (!to.list().empty() && to.list() != std::vector<std::string>{"lock"})
    throw storage::StorageFailure("the directory to write to is not empty");
  SalvagedJournal salvaged;
  storage::Store store(to, options, [](storage::Position, std::uint32_t, std::string_view) {});
  SeqRanges accounted;  // Settled, or with a task that can be read.
  Seq last = 0;
  bool has_identity = false;
  salvaged.losses = storage::read_damaged(
      from, [&](storage::Position, std::uint32_t type, std::string_view payload) {
        if (has_new_tasks(type)) {
          TasksRecord tasks;
          if (!decode(payload, tasks)) return;
          accounted.add(tasks.first, tasks.first + tasks.count - 1);
          last = std::max(last, tasks.first + tasks.count - 1);
          salvaged.tasks += tasks.count;
        } else if (type == static_cast<std::uint32_t>(Part::kSettled)) {
          if (!accounted.decode(payload)) return;
        } else if (is_identity(type)) {
          StartRecord start;
          Seq given = 0;
          if (!decode(payload, start, given)) return;
          has_identity = true;
          last = std::max(last, given);
        } else if (type == static_cast<std::uint32_t>(JournalRecord::kMoved)) {
          MovedRecord moved;
          if (!decode(payload, moved)) return;
          accounted.add(moved.first, moved.first + moved.submitted_unix_ms.size() - 1);
        }
        ++salvaged.records;
        store.append(type, payload);
      });
  if (!has_identity)
    throw storage::StorageFailure("no record is left that says whose journal this is");
  for (auto seq = accounted.first_missing(1); seq <= last;) {
    auto end = seq;
    while (end < last && !accounted.contains(end + 1)) ++end;
    salvaged.lost.add(seq, end);
    seq = accounted.first_missing(end + 1);
  }
  if (!salvaged.lost.ranges().empty())
    store.append(static_cast<std::uint32_t>(Part::kLost), salvaged.lost.encode());
  store.commit();
  return salvaged;
}

void salvage(const std::string& from, const std::string& to, bool is_json) {
  const auto old_directory = storage::open_directory(from);
  const auto new_directory = storage::open_directory(to);
  const auto salvaged =
      salvage_journal(*old_directory, *new_directory, {.entropy = process::random_u64()});
  if (is_json) {
    protocol::Value::Array lost;
    for (const auto& [first, last] : salvaged.lost.ranges())
      lost.push_back(protocol::Value::Array{first, last});
    const protocol::Value said = protocol::Value::Map{{"directory", to},
                                                      {"records", salvaged.records},
                                                      {"tasks", salvaged.tasks},
                                                      {"damaged", salvaged.losses.size()},
                                                      {"lost_tasks", std::move(lost)}};
    std::puts(said.to_json().c_str());
    return;
  }
  std::puts(text(to, ": ", counted(salvaged.records, "record"), " with ",
                 counted(salvaged.tasks, "task"), "; ",
                 counted(salvaged.losses.size(), "damaged place"))
                .c_str());
  for (const auto& [first, last] : salvaged.lost.ranges())
    std::puts(text("no record of tasks ", first, " to ", last,
                   ": dead letters, unless the log has their results")
                  .c_str());
}

}  // namespace eole::ventilator
