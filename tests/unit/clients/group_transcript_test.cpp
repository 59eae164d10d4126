#include <deque>
#include <random>

#include "clients/cpp/core/group.hpp"
#include "tests/unit/clients/transcript.hpp"

using namespace eole;
using namespace eole::client;
using protocol::PartitionCursor;
using Cursors = std::vector<PartitionCursor>;
using Value = protocol::Value;

namespace {

constexpr std::uint64_t kLog = 9;
constexpr std::uint32_t kPartitions = 4;

/// A member of a group of four partitions, of which records without a key have theirs by offset
/// plus one, modulo four.
class Told {
 public:
  void pass(Duration time) {
    transcript_.now += time;
    does("wait", [](auto&) {});
  }
  /// The answer to its latest attend, or (request zero) what it is told unasked.
  void owns(std::uint64_t generation, const Cursors& cursors, std::uint64_t moved = 0) {
    attending(attend_, generation, protocol::encode_cursors(cursors), moved);
  }
  void hears_that_it_owns(std::uint64_t generation, const Cursors& cursors,
                          std::uint64_t moved = 0) {
    attending(0, generation, protocol::encode_cursors(cursors), moved);
  }
  void attending(std::uint64_t request, std::uint64_t generation, const Bytes& cursors,
                 std::uint64_t moved = 0, std::uint64_t log = kLog,
                 std::uint32_t partitions = kPartitions) {
    hears(protocol::Attending{request, log, generation, moved, 2000, partitions, cursors},
          [](auto message) { return AttendingReceived{std::move(message)}; });
  }
  void reads(std::uint64_t first, std::uint32_t count) {
    records(read_, first + count, pieces_of({batch_of(first, count)}));
  }
  void records(std::uint64_t request, std::uint64_t next, const Bytes& pieces) {
    hears(protocol::Records{request, kLog, next, next, 0, pieces},
          [](auto message) { return GroupRecordsReceived{std::move(message)}; });
  }
  void gone(std::uint64_t request, std::uint64_t kept_from) {
    hears(protocol::Gone{request, kLog, 0, kept_from, kept_from + 2},
          [](auto message) { return GroupGoneReceived{message}; });
  }
  void grows(std::uint64_t head, std::uint64_t log = kLog) {
    hears(protocol::LogHead{log, head}, [](auto message) { return LogGrew{message}; });
  }
  void refused(const std::string& reason) {
    hears(protocol::Refused{attend_, reason}, [](auto message) { return GroupRefused{message}; });
  }
  void commit() {
    does("commit", [this](auto& out) { core_.on_event(CommitWanted{}, transcript_.now, out); });
  }
  void let_go() {
    does("let_go", [this](auto& out) { core_.on_event(LetGo{}, transcript_.now, out); });
  }
  void leave() {
    does("leave", [this](auto& out) { core_.on_event(LeaveWanted{}, transcript_.now, out); });
  }
  /// Goes through all that is here: so many records at most, which are handed out then.
  void take(std::size_t most = SIZE_MAX) {
    Value::Array found;
    transcript_.begin("does", "take");
    transcript_.note("most", std::uint64_t{std::min<std::size_t>(most, 1000)});
    GroupActions out;
    while (found.size() < most && !pieces_.empty()) take_piece(found, most, out);
    transcript_.note("finds", std::move(found));
    end(std::move(out));
  }
  std::uint64_t last_read() const { return read_; }
  std::uint64_t read_from() const { return read_from_; }
  std::uint64_t last_attend() const { return attend_; }
  void check(const std::string& name) const { transcript_.check(name); }

 private:
  template <class T>
  void hears(T message, auto make) {
    transcript_.begin("hears", Transcript::wire(message));
    GroupActions out;
    core_.on_event(make(std::move(message)), transcript_.now, out);
    end(std::move(out));
  }
  void does(const char* what, auto act) {
    transcript_.begin("does", what);
    GroupActions out;
    act(out);
    end(std::move(out));
  }
  void take_piece(Value::Array& found, std::size_t most, GroupActions& out) {
    auto& front = pieces_.front();
    if (const auto* gone = std::get_if<TellGone>(&front)) {
      found.emplace_back(text("gone ", gone->first, "-", gone->last));
      core_.went_to(gone->last + 1);
      return pieces_.pop_front();
    }
    const auto piece = std::get<GivePiece>(front);
    if (!piece.batch.empty()) {
      const auto batch = *protocol::read_batch(piece.batch);
      protocol::ResultReader results(batch.records);
      for (auto offset = batch.first_offset; const auto result = results.next(); ++offset) {
        if (offset < looked_) continue;
        looked_ = offset + 1;
        if (core_.takes(*result, offset)) found.emplace_back(offset);
        if (found.size() == most) return;
      }
    }
    looked_ = 0;
    core_.went_to(piece.next);
    pieces_.pop_front();
    if (!piece.batch.empty())
      core_.on_event(PieceDone{piece.batch.size()}, transcript_.now, out);
  }
  /// As every node does, it looks at the time; then what came of all that.
  void end(GroupActions out) {
    core_.on_deadline(transcript_.now, out);
    Value::Array said;
    for (auto& action : out) {
      if (auto* piece = std::get_if<GivePiece>(&action)) pieces_.emplace_back(std::move(*piece));
      if (const auto* gone = std::get_if<TellGone>(&action)) pieces_.emplace_back(*gone);
      if (const auto* attend = std::get_if<SendAttend>(&action)) {
        attend_ = attend->attend.request;
        said.push_back(Transcript::wire(attend->attend));
      }
      if (const auto* read = std::get_if<SendGroupRead>(&action)) {
        read_ = read->read.request;
        read_from_ = read->read.offset;
        said.push_back(Transcript::wire(read->read));
      }
      if (std::holds_alternative<DropPieces>(action)) {
        pieces_.clear();
        looked_ = 0;
      }
      if (const auto* trouble = std::get_if<GroupTrouble>(&action))
        transcript_.note("error", trouble->error.message);
    }
    transcript_.note("says", std::move(said));
    Value::Array is;
    if (core_.may_hand_out(transcript_.now)) is.emplace_back("sure");
    if (core_.is_to_let_go()) is.emplace_back("to let go");
    if (core_.is_committed()) is.emplace_back("committed");
    if (core_.has_left()) is.emplace_back("left");
    if (!core_.next_deadline() && !core_.has_left()) is.emplace_back("over");
    transcript_.note("is", std::move(is));
  }

  Transcript transcript_;
  GroupCore core_{"g", 7, "me", Transcript::kStart};
  std::deque<std::variant<GivePiece, TellGone>> pieces_;
  std::uint64_t looked_ = 0;  // Of the piece in front: all below was looked at.
  std::uint64_t attend_ = 0;  // The request of the latest one.
  std::uint64_t read_ = 0;
  std::uint64_t read_from_ = 0;
};

/// What comes to a member in any order, much of it as no sink would say it.
class Rough {
 public:
  explicit Rough(std::uint32_t seed) : random_(seed) {}
  void run(int steps) {
    told_.pass(0s);
    told_.owns(1, shared());
    for (; steps > 0; --steps) step();
    told_.leave();
    told_.pass(1s);
    told_.owns(generation_, {});
  }
  void check(const std::string& name) const { told_.check(name); }

 private:
  void step() {
    const auto what = below(14);
    const auto late = below(8) / 7;  // Of a request or a generation before.
    const auto at = below(head_ + 1);
    const auto few = below(9);
    switch (what) {
      case 0: return told_.pass(late ? 6s : 250ms * few);
      case 1: return shares_anew();
      case 2: return told_.gone(told_.last_read() - late, at);
      case 3: return told_.grows(head_ += few);
      case 4: return told_.let_go();
      case 5: return told_.records(told_.last_read() - late, at, {});
      case 6:
      case 7: return told_.commit();
      case 8:
      case 9: return told_.owns(generation_ - late, shared());
      case 10:
      case 11: return told_.take(1 + few);
      default: return told_.reads(late ? at : told_.read_from(), 1 + few);
    }
  }
  void shares_anew() {
    ++generation_;
    const auto moved = below(4) == 0 ? generation_ : 0;
    if (below(2) == 0) return told_.owns(generation_, shared(), moved);
    told_.hears_that_it_owns(generation_, shared(), moved);
  }
  Cursors shared() {
    Cursors out;
    for (std::uint32_t partition = 0; partition < kPartitions; ++partition)
      if (below(3) != 0) out.push_back({partition, below(head_ + 1)});
    return out;
  }
  std::uint32_t below(std::uint64_t limit) { return static_cast<std::uint32_t>(random_() % limit); }

  std::mt19937 random_;
  Told told_;
  std::uint64_t generation_ = 1;
  std::uint64_t head_ = 9;
};

/// One that owns this much, and was answered.
Told member(const Cursors& cursors) {
  Told told;
  told.pass(0s);
  told.owns(1, cursors);
  told.owns(1, cursors);
  return told;
}

}  // namespace

TEST_CASE("a member of a group joins, reads and commits as in the transcript", "[transcript]") {
  auto told = member({{1, 0}, {3, 3}});
  told.reads(0, 8);
  told.take(1);
  told.commit();
  told.take();
  told.commit();  // Waits for the answer to the first.
  told.owns(1, {{1, 1}, {3, 3}});
  told.owns(1, {{1, 8}, {3, 8}});
  told.grows(12, kLog + 1);
  told.grows(12);
  told.pass(500ms);
  told.reads(8, 4);
  told.take();
  told.pass(2s);
  told.leave();
  told.pass(1s);
  told.owns(1, {{1, 12}, {3, 12}});
  told.check("group_joins");
}

TEST_CASE("a group is shared anew as in the transcript", "[transcript]") {
  auto told = member({{1, 0}, {2, 0}});
  told.reads(0, 2);
  told.take();
  told.hears_that_it_owns(2, {{1, 0}});  // Another one joined.
  told.grows(6);
  told.reads(2, 4);
  told.take();
  told.commit();
  told.owns(2, {{1, 6}});
  told.hears_that_it_owns(3, {{1, 6}, {2, 9}});  // It left again.
  told.owns(3, {{1, 6}, {2, 9}});
  told.reads(6, 8);
  told.take();
  told.hears_that_it_owns(4, {{2, 9}});  // What nobody says is dealt with, is let go after a while.
  told.pass(4750ms);
  told.pass(250ms);
  told.owns(4, {{2, 9}});
  told.hears_that_it_owns(5, {});
  told.let_go();
  told.owns(5, {});
  told.pass(2s);
  told.check("group_shared_anew");
}

TEST_CASE("a member that was away is fenced as in the transcript", "[transcript]") {
  auto told = member({{1, 0}, {2, 0}});
  told.reads(0, 4);
  told.take();
  told.pass(4750ms);
  told.pass(500ms);  // Nobody counts on it any more.
  const auto late = told.last_attend() - 1;
  told.attending(late, 1, protocol::encode_cursors({{1, 0}, {2, 0}}));
  told.hears_that_it_owns(6, {{2, 5}}, 6);  // Others have had what it owned.
  told.commit();
  told.owns(6, {{2, 5}}, 6);
  told.owns(3, {{1, 0}});  // Of a generation before.
  told.reads(4, 4);
  told.take();
  told.check("group_fenced");
}

TEST_CASE("a member reads across a sink's restart and a gap as in the transcript", "[transcript]") {
  Told told;
  told.pass(0s);
  told.pass(1s);  // Nobody answers yet.
  told.pass(1s);
  told.owns(1, {{1, 2}});
  told.pass(750ms);
  told.pass(250ms);  // The sink is away: the read is said again, under a number of its own.
  told.gone(told.last_read() - 1, 7);
  told.gone(told.last_read(), 7);
  told.gone(told.last_read(), 7);
  told.take();
  told.records(told.last_read(), 9, {});  // None of these is its own.
  told.take();
  told.pass(1s);
  told.owns(1, {{1, 2}});
  told.pass(1s);
  told.check("group_gap");
}

TEST_CASE("what ends a member, and what does not, is as in the transcript", "[transcript]") {
  SECTION("a log that was replaced") {
    auto told = member({{1, 0}});
    told.attending(0, 2, {}, 0, kLog + 1);
    told.owns(2, {{1, 0}});
    told.pass(5s);
    told.check("group_replaced_log");
  }
  SECTION("a refusal") {
    Told told;
    told.pass(0s);
    told.refused("no group \"g\"; `eole group create g` makes it");
    told.check("group_refused");
  }
  SECTION("nonsense") {
    auto told = member({{1, 0}});
    told.hears_that_it_owns(1, {{7, 3}});
    told.attending(0, 2, "odd");
    told.attending(0, 2, {}, 0, kLog, 0);
    told.attending(0, 2, {}, 0, kLog, protocol::kPartitionsMax + 1);
    told.reads(0, 4);
    told.take();
    told.pass(1s);
    told.records(told.last_read(), 9, "\5" + Bytes(7, 'x'));
    told.check("group_nonsense");
  }
  SECTION("silence") {
    auto told = member({{1, 0}});
    told.pass(29750ms);
    told.pass(250ms);
    told.owns(1, {{1, 0}});
    told.check("group_silence");
  }
}

TEST_CASE("whatever comes to a member in any order is as in the transcript", "[transcript]") {
  for (std::uint32_t seed = 1; seed <= 3; ++seed) {
    Rough rough(seed);
    rough.run(150);
    rough.check(text("group_rough", seed));
  }
}
