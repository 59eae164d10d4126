#include "ventilator/io/journal_tasks.hpp"

#include <algorithm>

#include "common/base/expected.hpp"
#include "common/base/planted.hpp"
#include "common/base/text.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/task_class.hpp"
#include "ventilator/io/journal_format.hpp"

namespace eole::ventilator {

using protocol::read_task_spec;
using storage::Position;

namespace {
constexpr std::size_t kCacheBytesMax = 32 << 20;

// What of its record a task that is not settled keeps alive.
std::uint64_t share(std::uint64_t bytes, std::uint64_t live, std::uint64_t count) {
  return bytes * live / count;
}
}  // namespace

TaskPlaces::Entry TaskPlaces::entry(std::uint32_t count, Position at, std::size_t bytes,
                                    std::int64_t submitted_unix_ms) {
  invariant(at.offset <= UINT32_MAX && count > 0, "a record lies within 4 GiB and has a task");
  Entry made{count,
             0,
             static_cast<std::uint32_t>(bytes),
             at.segment,
             static_cast<std::uint32_t>(at.offset),
             submitted_unix_ms};
  set_live(made, count);
  return made;
}

void TaskPlaces::set_live(Entry& entry, std::uint32_t live) {
  const auto before = share(entry.bytes, entry.live, entry.count);
  const auto after = share(entry.bytes, live, entry.count);
  entry.live = live;
  if (before == after) return;
  live_bytes_ = live_bytes_ - before + after;
  auto& bytes = live_[entry.segment];
  bytes = bytes - before + after;
  if (bytes == 0) live_.erase(entry.segment);
}

void TaskPlaces::put(Seq first, std::uint32_t count, Position at, std::size_t bytes,
                     std::int64_t submitted_unix_ms) {
  if (auto* known = index_.empty() || index_.back().first < first ? nullptr : index_.find(first))
    set_live(*known, 0);
  index_.put(first, entry(count, at, bytes, submitted_unix_ms));
}

void TaskPlaces::put_moved(Seq first, std::uint32_t count, Position at, std::size_t bytes) {
  if (moved_.contains(first)) remove(first);
  moved_.emplace(first, entry(count, at, bytes, 0));
  moved_in_.emplace(at.segment, first);
}

// What was moved lives where it lies now.
void TaskPlaces::recount(Seq first, Entry& entry, const SeqRanges& settled) {
  const auto over = settled.count_within(first, first + entry.count - 1);
  const bool is_over = over == entry.count || (planted("collect-half-settled") && over > 0);
  const auto live = is_over ? 0 : entry.count - over;
  set_live(entry, static_cast<std::uint32_t>(std::min<std::uint64_t>(entry.live, live)));
}

// Each record once, however scattered the news of it are.
void TaskPlaces::settle(const SeqRanges& news, const SeqRanges& settled) {
  Seq next = 0;  // Records that begin before it are counted.
  for (const auto& [first, last] : news.ranges()) {
    if (last < next) continue;
    for (auto at = index_.from_before(std::max(first, next));
         at != index_.end() && at->first <= last; ++at) {
      auto& [begins, entry] = *at;
      if (begins + entry.count <= first || begins < next) continue;
      recount(begins, entry, settled);
      next = begins + entry.count;
    }
  }
  pop_settled();
  next = 0;
  for (auto range = news.ranges().begin(); range != news.ranges().end() && !moved_.empty();
       ++range) {
    auto at = moved_.upper_bound(range->first);
    if (at != moved_.begin()) --at;
    while (at != moved_.end() && at->first <= range->second) {
      auto& [begins, entry] = *at++;
      if (begins < next) continue;
      next = begins + entry.count;
      recount(begins, entry, settled);
      if (entry.live == 0) remove(begins);
    }
  }
}

void TaskPlaces::count_live(const SeqRanges& settled) {
  auto gone = settled;
  for (auto at = moved_.begin(); at != moved_.end();) {
    auto& [first, entry] = *at++;
    gone.add(first, first + entry.count - 1);
    const auto over = settled.count_within(first, first + entry.count - 1);
    set_live(entry, static_cast<std::uint32_t>(entry.count - over));
    if (entry.live == 0) remove(first);
  }
  for (auto& [first, known] : index_) {
    const auto over = gone.count_within(first, first + known.count - 1);
    set_live(known, static_cast<std::uint32_t>(known.count - over));
  }
  pop_settled();
}

void TaskPlaces::pop_settled() {
  while (!index_.empty() && index_.front().second.live == 0) {
    // Nothing is cached that is older.
    if (!cache_.empty() && cache_.front().first == index_.front().first) {
      cache_bytes_ -= cache_.front().second.payload.size();
      cache_.pop_front();
    }
    index_.pop_front();
  }
}

std::uint64_t TaskPlaces::live_bytes_below(std::uint32_t segment) const {
  std::uint64_t bytes = 0;
  for (auto at = live_.begin(); at != live_.end() && at->first < segment; ++at) bytes += at->second;
  return bytes;
}

std::optional<std::uint32_t> TaskPlaces::oldest_segment() const {
  return live_.empty() ? std::nullopt : std::optional(live_.begin()->first);
}

std::optional<std::pair<Seq, Seq>> TaskPlaces::record_in(std::uint32_t segment) const {
  if (!index_.empty() && index_.front().second.segment == segment) {
    const auto& [first, entry] = index_.front();
    return std::pair{first, first + entry.count - 1};
  }
  const auto moved = moved_in_.lower_bound({segment, 0});
  if (moved == moved_in_.end() || moved->first != segment) return std::nullopt;
  return std::pair{moved->second, moved->second + moved_.at(moved->second).count - 1};
}

void TaskPlaces::remove(Seq first) {
  if (!index_.empty() && index_.front().first == first) {
    set_live(*index_.find(first), 0);
    return pop_settled();
  }
  const auto moved = moved_.find(first);
  set_live(moved->second, 0);
  moved_in_.erase({moved->second.segment, first});
  moved_.erase(moved);
}

const TaskPlaces::Entries::Entry* TaskPlaces::find(Seq seq) const {
  const auto* found = index_.at_or_before(seq);
  return found != nullptr && seq < found->first + found->second.count ? found : nullptr;
}

const std::pair<const Seq, TaskPlaces::Entry>* TaskPlaces::find_moved(Seq seq) const {
  const auto after = moved_.upper_bound(seq);
  if (after == moved_.begin()) return nullptr;
  const auto& found = *std::prev(after);
  return seq < found.first + found.second.count ? &found : nullptr;
}

TaskPlaces::Cached::Cached(Bytes record, std::size_t groups_at, Seq first_task)
    : payload(std::move(record)), groups(groups_at), first(first_task) {
  rewind();
}

void TaskPlaces::Cached::rewind() {
  next = first;
  end = groups;
  enter_group();
}

void TaskPlaces::Cached::enter_group() {
  ByteReader reader(std::string_view(payload).substr(end));
  const auto group = protocol::read_task_group(reader);
  if (!group) throw storage::StorageFailure(text("journal: task ", next, " is cut short"));
  class_at = end + protocol::TaskGroup::kHeaderBytes;
  class_bytes = group->task_class.size();
  offset = class_at + class_bytes;
  end = offset + group->specs.size();
  last = next + group->count - 1;
}

void TaskPlaces::keep(Seq first, Bytes groups) {
  if (cache_bytes_ + groups.size() > kCacheBytesMax) return;
  cache_bytes_ += groups.size();
  cache_.put(first, Cached(std::move(groups), 0, first));
}

TaskPlaces::Cached& TaskPlaces::read(Seq first, const Entry& entry, const storage::Store& store) {
  if (auto* found = cache_.find(first)) return *found;
  auto payload = store.read({entry.segment, entry.offset}, entry.bytes);
  while (!cache_.empty() && cache_bytes_ + payload.size() > kCacheBytesMax) {
    cache_bytes_ -= cache_.back().second.payload.size();
    cache_.pop_back();  // Needed last: tasks leave in order.
  }
  TasksRecord record;
  invariant(decode(payload, record), "the journal reads what it wrote");
  const auto groups = payload.size() - record.groups.size();
  cache_bytes_ += payload.size();
  return cache_.put(first, Cached(std::move(payload), groups, first));
}

TaskPlaces::Cached& TaskPlaces::read_moved(Seq first, const Entry& entry,
                                           const storage::Store& store) {
  const Position at{entry.segment, entry.offset};
  if (std::exchange(moved_at_, at) == at) return moved_cache_;
  auto payload = store.read(at, entry.bytes);
  MovedRecord record;
  invariant(decode(payload, record), "the journal reads what it wrote");
  const auto groups = payload.size() - record.groups.size();
  return moved_cache_ = Cached(std::move(payload), groups, first);
}

Specs TaskPlaces::specs(Seq first, std::uint32_t count, const storage::Store& store) {
  const auto* found = find(first);
  if (found != nullptr && found->second.live == 0) found = nullptr;
  const auto* moved = found == nullptr ? find_moved(first) : nullptr;
  if (found == nullptr && moved == nullptr) return {};
  const auto begins = found != nullptr ? found->first : moved->first;
  const auto& entry = found != nullptr ? found->second : moved->second;
  auto& cached = found != nullptr ? read(begins, entry, store) : read_moved(begins, entry, store);
  if (first < cached.next) cached.rewind();
  while (first > cached.last) {
    cached.next = cached.last + 1;
    cached.enter_group();
  }
  const std::string_view payload = cached.payload;
  const auto accepted = [&](Seq seq) {
    return moved == nullptr ? entry.submitted_unix_ms : submitted_unix_ms(payload, seq - begins);
  };
  auto last = std::min(first + count - 1, cached.last);
  const auto submitted = accepted(first);
  if (moved != nullptr)
    for (auto seq = first; seq < last; ++seq)
      if (accepted(seq + 1) != submitted) last = seq;
  auto start = cached.offset;
  if (cached.next == first && last == cached.last) {  // All that is left of the group.
    cached.offset = cached.end;
    cached.next = last + 1;
  }
  ByteReader reader(payload.substr(cached.offset, cached.end - cached.offset));
  for (; cached.next <= last; ++cached.next) {
    if (cached.next == first) start = cached.end - reader.rest().size();
    if (!read_task_spec(reader))
      throw storage::StorageFailure(text("journal: task ", cached.next, " is cut short"));
  }
  cached.offset = cached.end - reader.rest().size();
  return {payload.substr(cached.class_at, cached.class_bytes),
          payload.substr(start, cached.offset - start),
          static_cast<std::uint32_t>(last - first + 1), submitted};
}

}  // namespace eole::ventilator
