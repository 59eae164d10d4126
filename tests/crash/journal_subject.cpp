#include <stdexcept>

#include "common/base/text.hpp"
#include "common/protocol/records.hpp"
#include "common/protocol/task_class.hpp"
#include "tests/crash/subject.hpp"
#include "ventilator/io/journal.hpp"
#include "ventilator/io/salvage.hpp"

namespace eole::crash {

namespace {

using simulation::SimDisk;
using ventilator::Journal;

class JournalSubject final : public Subject {
 public:
  explicit JournalSubject(std::uint64_t seed) : seed_(seed) {}

  void live(SimDisk& disk) override {
    const auto directory = disk.open();
    Journal journal(*directory, options(), "boot");
    auto durable = journal.take_recovered();
    start_ = durable.start;
    for (std::uint64_t turn = 1; turn <= kTurns; ++turn) {
      const auto first = durable.last + 1;
      protocol::Submit submit;
      submit.run = 7;
      submit.request = turn;
      submit.confirmed = turn > 3 ? turn - 3 : 0;
      submit.count = count(turn);
      protocol::TaskGroups groups;
      for (auto seq = first; seq < first + submit.count; ++seq)
        groups.add({"work", project(seq), 0, 0}, body(seq));
      submit.payload = groups.take();
      durable.last += submit.count;
      const std::string hash(seed_ % 7 * 20, 'h');
      const bool has_key = turn % 2 == 0;
      if (is_beat(turn)) {
        durable.wishes.put("schedule", "nightly", schedule(turn));
      } else if (has_key) {
        submit.key = key(turn);
        durable.answers.add({submit.key, hash, {first, submit.count}, {}});
      } else {
        durable.answers.add(7, turn, submit.confirmed, {first, submit.count}, {});
      }
      ventilator::Actions actions;
      if (turn == 1) {
        durable.wishes.put("schedule", "nightly", schedule(0));
        actions.push_back(ventilator::JournalWish{"schedule", "nightly", schedule(0)});
      }
      actions.push_back(ventilator::JournalTasks{
          first, hash, submit, 0, is_beat(turn) ? "nightly" : "", static_cast<std::int64_t>(turn)});
      actions.push_back(ventilator::JournalNote{3, start_, {{first, turn, 1, 1}}, false});
      if (first > 12) {  // All but the first two and the last ten are settled.
        durable.settled.add(3, first - 10);
        actions.push_back(ventilator::Forget{{{3, first - 10}}});
      }
      const auto settled = durable.settled;
      settled_ = settled;
      journal.write(actions, [&](ventilator::SavePlace& place) {
        return save_next(place,
                         [&](ventilator::SavePlace& at, Bytes& out) { durable.save(at, out); });
      });
      answered_ = durable.last;  // From here on a client knows.
      answered_turn_ = turn;
      journal.collect(settled);
      if (turn % 3 == 0) journal.rest();
    }
    journal.rest();
  }

  void check(SimDisk& disk) override {
    const auto directory = disk.open();
    Journal journal(*directory, options(), "boot");
    const auto durable = journal.take_recovered();
    if (durable.last < answered_)
      throw std::runtime_error(text("last is ", durable.last, ", answered was ", answered_));
    if (answered_ > 0 && durable.start <= start_)
      throw std::runtime_error("a start number came twice");
    check_beats(durable);
    for (auto turn = answered_turn_; turn > 0; --turn) {
      if (is_beat(turn)) continue;  // No client asked for it.
      const bool is_confirmed = turn + 3 <= answered_turn_;
      const bool is_known = turn % 2 == 0 ? durable.answers.find(key(turn)).has_value()
                                          : durable.answers.find(7, turn).has_value();
      if (!is_known && (turn % 2 == 0 || !is_confirmed))
        throw std::runtime_error(text("the answer of turn ", turn, " was forgotten"));
    }
    for (Seq seq = 1; seq <= answered_; ++seq) {
      if (settled_.contains(seq)) continue;
      if (durable.settled.contains(seq))
        throw std::runtime_error(text("task ", seq, " is settled, and never was"));
      if (!has_task(journal, seq)) throw std::runtime_error(text("task ", seq, " is lost"));
      const auto id = durable.classes.of(seq);
      if (id == ventilator::kNoClass || durable.classes.at(id).project != project(seq))
        throw std::runtime_error(text("of task ", seq, " the class is lost"));
    }
  }

  std::uint64_t salvage(SimDisk& disk) override {
    const auto from = disk.open();
    SimDisk fresh(seed_);
    SeqRanges lost;
    {
      const auto to = fresh.open();
      lost = ventilator::salvage_journal(*from, *to, options()).lost;
    }
    const auto directory = fresh.open();
    Journal journal(*directory, options(), "boot");
    std::uint64_t told = 0;
    for (Seq seq = 1; seq <= answered_; ++seq) {
      if (settled_.contains(seq) || has_task(journal, seq)) continue;
      // What came after the last whole record cannot be told by number: there the sink's log
      // knows more than the journal, and the ventilator refuses to start.
      if (!lost.contains(seq) && seq <= journal.take_recovered().last)
        throw std::runtime_error(text("task ", seq, " is gone, and not told as lost"));
      ++told;
    }
    return told;
  }

 private:
  // The schedule has gone on by just the beats whose tasks are there.
  void check_beats(const ventilator::Durable& durable) const {
    std::uint64_t turn = 0;
    for (Seq last = 0; last < durable.last; last += count(turn)) ++turn;
    const auto* kept = durable.wishes.find("schedule", "nightly");
    if (turn > 0 && (kept == nullptr || *kept != schedule(turn)))
      throw std::runtime_error(text("the schedule is not as it was after turn ", turn));
  }
  std::uint32_t count(std::uint64_t turn) const {
    return static_cast<std::uint32_t>(1 + (seed_ + turn) % 4);
  }
  static bool is_beat(std::uint64_t turn) { return turn % 4 == 3; }
  static Bytes schedule(std::uint64_t turn) {
    Bytes wish = protocol::Value(protocol::Value::Map{{"every_ms", 1'000}}).to_msgpack();
    for (std::uint64_t beat = 1; beat <= turn; ++beat)
      if (is_beat(beat))
        wish = ventilator::Schedules::advanced(wish, static_cast<std::int64_t>(beat));
    return wish;
  }
  storage::StoreOptions options() {
    return {.segment_bytes = kSegmentBytes, .entropy = seed_ * 1000 + ++opened_};
  }
  static std::string project(Seq seq) { return text("p", seq / 3 % 3); }
  static std::string key(std::uint64_t turn) { return text("key ", turn); }
  static std::string body(Seq seq) { return text("task ", seq, std::string(seq * 37 % 90, 'x')); }
  static bool has_task(Journal& journal, Seq seq) {
    ByteReader reader(journal.specs(seq, 1).bytes);
    const auto spec = protocol::read_task_spec(reader);
    return spec && spec->args == body(seq);
  }
  std::uint64_t seed_;
  std::uint64_t opened_ = 0;
  std::uint32_t start_ = 0;
  Seq answered_ = 0;
  std::uint64_t answered_turn_ = 0;
  SeqRanges settled_;
};

}  // namespace

std::unique_ptr<Subject> make_journal_subject(std::uint64_t seed) {
  return std::make_unique<JournalSubject>(seed);
}

}  // namespace eole::crash
