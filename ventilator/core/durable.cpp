#include "ventilator/core/durable.hpp"

#include <algorithm>

#include "common/base/planted.hpp"
#include "common/protocol/records.hpp"

namespace eole::ventilator {

namespace {

constexpr std::size_t kSeqBytes = 8;
constexpr std::size_t kRangeBytes = 8 + 8;

void save_cancelled(const std::set<Seq>& cancelled, SavePlace& place, Bytes& out) {
  for (auto seq = cancelled.lower_bound(place.number);
       seq != cancelled.end() && out.size() + kSeqBytes <= kPartBytesMax; ++seq) {
    put<std::uint64_t>(out, *seq);
    place.number = *seq + 1;
  }
}

}  // namespace

void save_ranges(const SeqRanges& ranges, SavePlace& place, Bytes& out) {
  for (auto range = ranges.ranges().lower_bound(place.number);
       range != ranges.ranges().end() && out.size() + kRangeBytes <= kPartBytesMax; ++range) {
    put<std::uint64_t>(out, range->first);
    put<std::uint64_t>(out, range->second);
    place.number = range->second + 1;
  }
}

void Durable::save(SavePlace& place, Bytes& out) const {
  switch (place.part) {
    case Part::kSettled:
      return save_ranges(settled, place, out);
    case Part::kNotes:
      for (auto run = notes.runs().lower_bound(place.number);
           run != notes.runs().end() && out.size() + kNoteBytes <= kPartBytesMax; ++run) {
        put_note(out, run->first, run->second);
        place.number = run->first + 1;
      }
      return;
    case Part::kCancelled:
      return save_cancelled(cancelled, place, out);
    case Part::kLost:
      return save_ranges(lost, place, out);
    case Part::kRequests:
    case Part::kKeys:
      if (!planted("snapshot-without-answers")) answers.save(place, out);
      return;
    case Part::kWishes:
      return wishes.save(place, out);
    case Part::kProjects:
      return projects.save(place, out);
    case Part::kEnd:
      return;
  }
}

bool Durable::load(Part part, std::string_view payload) {
  SeqRanges ranges;
  switch (part) {
    case Part::kSettled:
      if (!ranges.decode(payload)) return false;
      for (const auto& [first, end] : ranges.ranges()) {
        settled.add(first, end);
        notes.erase(first, end);
        cancelled.erase(cancelled.lower_bound(first), cancelled.upper_bound(end));
      }
      return true;
    case Part::kNotes:
      return planted("notes-forgotten-at-restart") || load_notes(payload, notes);
    case Part::kCancelled: {
      ByteReader reader(payload);
      while (reader.ok() && !reader.is_done()) cancelled.insert(reader.get<std::uint64_t>());
      return reader.ok();
    }
    case Part::kLost:
      return lost.decode(payload);
    case Part::kRequests:
    case Part::kKeys:
      return answers.load(part, payload);
    case Part::kWishes:
      return wishes.load(payload);
    case Part::kProjects:
      return projects.load(payload);
    case Part::kEnd:
      break;
  }
  return false;
}

bool Durable::load_groups(Seq first, std::uint64_t count, std::string_view groups,
                          std::span<const std::int64_t> accepted_unix_ms) {
  ByteReader reader(groups);
  std::uint64_t sum = 0;
  while (!reader.is_done()) {
    const auto group = protocol::read_task_group(reader);
    if (!group) return false;
    sum += group->count;
  }
  if (first == 0 || first > UINT64_MAX / 2 || sum != count) return false;
  if (classes.why_refused(groups, SIZE_MAX)) return false;
  if (planted("classes-forgotten-at-restart")) return true;
  auto next = first;
  for (ByteReader again(groups); const auto group = protocol::read_task_group(again);) {
    classes.put(next, group->count, group->task_class, group->is_conditional, group->specs.size());
    if (!group->is_conditional) {
      next += group->count;
      continue;
    }
    for (ByteReader specs(group->specs); !specs.is_done(); ++next) {
      const auto spec = protocol::read_task_spec(specs);
      if (!spec || !protocol::decode_conditions(spec->conditions)) return false;
      const auto accepted = accepted_unix_ms.empty()
                                ? 0
                                : accepted_unix_ms[std::min(next - first, accepted_unix_ms.size() - 1)];
      conditional.push_back({next, accepted, Bytes(spec->conditions)});
    }
  }
  return true;
}

void Durable::pass_beat(const std::string& schedule, std::int64_t beat) {
  const auto* wish = wishes.find(Schedules::kWish, schedule);
  if (wish == nullptr || planted("beat-forgotten-at-restart")) return;
  wishes.put(Schedules::kWish, schedule, Schedules::advanced(*wish, beat));
}

void Durable::drop_settled() {
  std::erase_if(cancelled, [&](Seq seq) { return settled.contains(seq); });
  classes.count_live(settled);
  std::erase_if(conditional, [&](const Conditional& task) { return settled.contains(task.seq); });
  std::stable_sort(conditional.begin(), conditional.end(),
                   [](const auto& one, const auto& other) { return one.seq < other.seq; });
  const auto same = [](const auto& one, const auto& other) { return one.seq == other.seq; };
  conditional.erase(std::unique(conditional.begin(), conditional.end(), same), conditional.end());
  for (const auto& [first, end] : settled.ranges()) notes.erase(first, end);
  answers.sort();
}

}  // namespace eole::ventilator
