#include "ventilator/core/durable.hpp"

#include <catch2/catch.hpp>
#include <random>

#include "tests/unit/ventilator/rig.hpp"

using namespace eole;
using namespace eole::ventilator;

namespace {

/// What a snapshot of `durable` says; each of its records is small enough.
Durable saved(const Durable& durable) {
  Durable again;
  SavePlace place;
  while (const auto record =
             save_next(place, [&](SavePlace& at, Bytes& out) { durable.save(at, out); })) {
    REQUIRE(record->payload.size() <= kPartBytesMax);
    REQUIRE(again.load(record->part, record->payload));
  }
  return again;
}

}  // namespace

TEST_CASE("notes that are kept as runs are those of each task", "[durable]") {
  Notes notes;
  std::map<Seq, Note> each;
  std::mt19937_64 random(3);
  for (std::uint64_t step = 0; step < 3000; ++step) {
    const Seq first = 1 + random() % 60;
    const auto count = static_cast<std::uint32_t>(1 + random() % 12);
    if (random() % 3 == 0) {
      notes.erase(first, first + count - 1);
      each.erase(each.lower_bound(first), each.upper_bound(first + count - 1));
      continue;
    }
    const auto attempt = static_cast<std::uint16_t>(random() % 3);
    notes.put(first, {step, {1, 100 * step}, attempt, count});
    for (std::uint32_t i = 0; i < count; ++i) {
      each.erase(first + i);
      if (attempt > 0) each[first + i] = {step, {1, 100 * step + i}, attempt};
    }
  }
  std::map<Seq, Note> found;
  for (const auto& [first, note] : notes.runs())
    for (std::uint32_t i = 0; i < note.count; ++i)
      found[first + i] = {note.run, {note.lease.start, note.lease.number + i}, note.attempt};
  REQUIRE(found == each);
  REQUIRE(notes.runs().size() < each.size());
}

TEST_CASE("a snapshot in many records says all of every part", "[durable]") {
  Durable durable;
  for (Seq seq = 1; seq <= 40'000; seq += 4) {
    durable.settled.add(seq, seq);
    durable.lost.add(seq + 1, seq + 1);
    durable.cancelled.insert(seq + 2);
    durable.notes.put(seq + 1, {seq, {1, seq}, 2, 2});
    durable.answers.add(seq % 3, seq, seq > 2000 ? seq - 2000 : 0, {seq, 4}, {});
    durable.answers.add({"key " + std::to_string(seq), std::string(32, 'h'), {seq, 4}, {}});
  }
  durable.answers.add(9, 50, 50, {1, 1}, {});  // All of its requests are confirmed.
  const auto again = saved(durable);
  REQUIRE(again.settled == durable.settled);
  REQUIRE(again.lost == durable.lost);
  REQUIRE(again.cancelled == durable.cancelled);
  REQUIRE(again.notes == durable.notes);
  REQUIRE(again.answers.bytes() == durable.answers.bytes());
  REQUIRE(again.answers.is_confirmed(9, 50));
  for (Seq seq = 1; seq <= 40'000; seq += 4) {
    const auto known = again.answers.find("key " + std::to_string(seq));
    REQUIRE((known && known->answered == Answered{seq, 4} && known->hash.size() == 32));
    REQUIRE(again.answers.find(seq % 3, seq) == durable.answers.find(seq % 3, seq));
  }
}
