#include "tests/simulation/compact_rules.hpp"

#include <set>

#include "common/base/text.hpp"
#include "tests/simulation/world.hpp"

namespace eole::simulation {

void CompactRules::on_durable(std::uint64_t log, const protocol::ResultBatch& batch) {
  protocol::ResultReader reader(batch.records);
  for (std::uint32_t i = 0; i < batch.count; ++i) {
    const auto result = *reader.next();
    const bool is_done = result.is_final && result.state == protocol::TaskState::kDone;
    if (!is_done || result.key.empty() || result.project != kProject) continue;
    auto& last = last_[log][std::string(result.key)];
    last = std::max(last, batch.first_offset + i);
  }
}

void CompactRules::check(sink::History& history) const {
  const auto known = last_.find(history.log());
  if (known == last_.end()) return;
  std::set<std::uint64_t> found;
  const auto find = [&](std::string_view batches) {
    for (ByteReader reader(batches); !reader.is_done();) {
      const auto batch = protocol::read_batch(reader.take(reader.get<std::uint32_t>()));
      for (std::uint32_t i = 0; i < batch->count; ++i) found.insert(batch->first_offset + i);
    }
  };
  std::uint64_t from = 0;
  std::uint64_t next = 0;
  for (; next < history.kept_from();) {
    const auto left = history.left_of(kProject, next, 2000);
    if (left.next <= next) throw Violation{"what is left of a log is read in vain"};
    find(left.batches);
    from = left.from;
    next = left.next;
  }
  while (next < history.head()) {
    const auto records = history.read({0, 0, next, 0, UINT32_MAX});
    find(records->payload);
    next = records->next;
  }
  for (const auto& [key, offset] : known->second) {
    if (offset < from && !may_forget_)
      throw Violation{text("key ", key, " is at ", offset, ", and its project is kept from ", from)};
    if (offset >= from && !found.contains(offset))
      throw Violation{text("the last record of key ", key, ", at ", offset, ", is lost")};
  }
}

}  // namespace eole::simulation
