#include "clients/cpp/core/group.hpp"

#include <catch2/catch.hpp>

using namespace eole;
using namespace eole::client;
using protocol::PartitionCursor;
using Cursors = std::vector<PartitionCursor>;

namespace {

constexpr TimePoint kStart = TimePoint(1000s);
constexpr std::uint64_t kLog = 9;
constexpr RunId kRun = 7;
constexpr std::uint32_t kPartitions = 2;

/// A member of a group, and what it does.
struct Rig {
  GroupCore core{"g", kRun, "m", kStart};
  TimePoint now = kStart;
  GroupActions out;
  std::uint64_t request = 0;  // The last attend's.

  GroupActions& step(GroupEvent event) {
    out.clear();
    core.on_event(std::move(event), now, out);
    core.on_deadline(now, out);
    return note();
  }
  GroupActions& pass(Duration time) {
    now += time;
    out.clear();
    core.on_deadline(now, out);
    return note();
  }
  GroupActions& note() {
    for (const auto& action : out)
      if (const auto* said = std::get_if<SendAttend>(&action)) request = said->attend.request;
    return out;
  }
  /// The sink says what it owns, as an answer to the last attend unless it is unasked.
  GroupActions& told(std::uint64_t generation, const Cursors& cursors, bool is_answer = true,
                     std::uint64_t moved = 1) {
    return step(AttendingReceived{{is_answer ? request : 0, kLog, generation, moved, 2000,
                                   kPartitions, protocol::encode_cursors(cursors)}});
  }
  void join(const Cursors& cursors) {
    pass(0s);
    told(2, cursors);
    told(2, cursors);
  }
  template <class T>
  std::vector<T> all() const {
    std::vector<T> found;
    for (const auto& action : out)
      if (const auto* one = std::get_if<T>(&action)) found.push_back(*one);
    return found;
  }
  /// What the last attend commits.
  Cursors committed() const {
    return *protocol::decode_cursors(all<SendAttend>().back().attend.payload);
  }
  static SendAttend attend(std::uint64_t number, std::uint64_t generation,
                           const Cursors& cursors = {}) {
    return {{number, "g", kRun, "m", generation, 0, protocol::encode_cursors(cursors)}};
  }
  static SendGroupRead read(std::uint64_t number, std::uint64_t offset,
                            const std::vector<std::uint32_t>& owned) {
    protocol::Partitions partitions;
    partitions.count = kPartitions;
    for (const auto each : owned) partitions.has.set(each);
    return {{number,
             kLog,
             offset,
             0,
             GroupReading::kReadBytes,
             {},
             {},
             protocol::encode_partitions(partitions)}};
  }
  /// A record of this partition at the offset is there: whether it is handed out.
  bool takes(std::uint64_t offset, std::uint32_t partition) {
    protocol::ResultRecord result;
    for (result.id.seq = 1; protocol::partition_of(result, kPartitions) != partition;)
      ++result.id.seq;
    return core.takes(result, offset) == partition;
  }
};

}  // namespace

TEST_CASE("a member says that it is there, answers what it is told to own, and reads that",
          "[group]") {
  Rig rig;
  REQUIRE(rig.pass(0s) == GroupActions{Rig::attend(1, 0)});
  REQUIRE_FALSE(rig.core.is_joined());
  REQUIRE(rig.told(2, {{0, 10}, {1, 12}}) ==
          GroupActions{DropPieces{}, Rig::attend(2, 2), Rig::read(2, 10, {0, 1})});
  REQUIRE(rig.core.is_joined());
  REQUIRE(rig.pass(1s) == GroupActions{Rig::attend(3, 2), Rig::read(3, 10, {0, 1})});
}

TEST_CASE("each record is handed out once, and committed when it was dealt with", "[group]") {
  Rig rig;
  rig.join({{0, 10}, {1, 12}});
  REQUIRE(rig.takes(10, 0));
  REQUIRE_FALSE(rig.takes(10, 0));
  REQUIRE_FALSE(rig.takes(11, 1));  // It was committed before.
  REQUIRE(rig.takes(12, 1));
  rig.pass(3s);
  REQUIRE(rig.all<SendAttend>().back().attend.unacknowledged == 2);
  rig.told(2, {{0, 10}, {1, 12}});
  rig.step(CommitWanted{});
  REQUIRE(rig.committed() == Cursors{{0, 12}, {1, 13}});
  REQUIRE(rig.all<SendAttend>().back().attend.unacknowledged == 0);
  REQUIRE_FALSE(rig.core.is_committed());
  rig.told(2, {{0, 12}, {1, 13}});
  REQUIRE(rig.core.is_committed());
}

TEST_CASE("what goes to others is let go once it was dealt with, or after a while", "[group]") {
  Rig rig;
  rig.join({{0, 10}, {1, 10}});
  REQUIRE(rig.takes(10, 1));
  rig.told(3, {{0, 10}}, false);
  REQUIRE(rig.core.is_to_let_go());
  REQUIRE(rig.all<SendAttend>().empty());
  REQUIRE_FALSE(rig.takes(11, 1));
  SECTION("committed") {
    rig.step(CommitWanted{});
    REQUIRE(rig.all<SendAttend>().back().attend.generation == 3);
    REQUIRE(rig.committed().back() == PartitionCursor{1, 11});
  }
  SECTION("left to others") {
    rig.step(LetGo{});
    REQUIRE(rig.all<SendAttend>().back().attend.generation == 3);
    for (const auto& cursor : rig.committed()) REQUIRE(cursor.partition == 0);
  }
  SECTION("nobody dealt with it") {
    rig.pass(GroupCore::kLetGoWithin - 1ms);
    for (const auto& said : rig.all<SendAttend>()) REQUIRE(said.attend.generation == 2);
    rig.pass(1ms);
    REQUIRE(rig.all<SendAttend>().back().attend.generation == 3);
  }
}

TEST_CASE("who leaves while something is to be let go waits for the answer alone", "[group]") {
  Rig rig;
  rig.join({{0, 10}, {1, 10}});
  REQUIRE(rig.takes(10, 1));
  rig.told(3, {{0, 10}}, false);
  REQUIRE(rig.core.is_to_let_go());
  rig.step(LeaveWanted{});
  REQUIRE(rig.all<SendAttend>().back().attend.leaving == 1);
  rig.pass(GroupCore::kLetGoWithin);
  REQUIRE(rig.core.next_deadline() > rig.now);
}

TEST_CASE("what was handed out before somebody set the cursors is not committed", "[group]") {
  Rig rig;
  rig.join({{0, 10}, {1, 10}});
  REQUIRE(rig.takes(10, 0));
  rig.told(3, {{0, 5}, {1, 5}}, false, 3);
  REQUIRE(rig.all<DropPieces>().size() == 1);
  REQUIRE(rig.all<SendGroupRead>().back().read.offset == 5);
  rig.step(CommitWanted{});
  for (const auto& said : rig.all<SendAttend>())
    for (const auto& cursor : *protocol::decode_cursors(said.attend.payload))
      REQUIRE(cursor.offset <= 5);
  REQUIRE(rig.takes(10, 0));  // Again.
}

TEST_CASE("a member that is not answered hands out nothing, before the sink gives it up",
          "[group]") {
  Rig rig;
  rig.join({{0, 10}});
  REQUIRE(rig.core.may_hand_out(rig.now + 5s - 1ms));
  REQUIRE_FALSE(rig.core.may_hand_out(rig.now + 5s));
  rig.pass(6s);
  rig.told(2, {{0, 10}});
  REQUIRE(rig.core.may_hand_out(rig.now));
}

TEST_CASE("records that are not kept are told, and it goes on behind them", "[group]") {
  Rig rig;
  rig.join({{0, 10}});
  rig.step(GroupGoneReceived{{2, kLog, 10, 15, 40}});
  REQUIRE(rig.all<TellGone>() == std::vector<TellGone>{{10, 14}});
  REQUIRE(rig.all<SendGroupRead>().back().read.offset == 15);
  REQUIRE(rig.step(GroupGoneReceived{{2, kLog, 10, 15, 40}}).empty());  // It came twice.
}

TEST_CASE("no more is read ahead than there is room for", "[group]") {
  Rig rig;
  rig.join({{0, 10}});
  Bytes payload;
  const auto batch =
      protocol::encode_batch({10, 0, 0, 1, "w", std::string(GroupReading::kPiecesBytesMax, 'x')});
  put<std::uint32_t>(payload, static_cast<std::uint32_t>(batch.size()));
  payload += batch;
  rig.step(GroupRecordsReceived{{2, kLog, 11, 99, 0, payload}});
  REQUIRE(rig.all<GivePiece>().at(0) == GivePiece{batch, 11});
  REQUIRE(rig.all<SendGroupRead>().empty());
  rig.step(PieceDone{batch.size()});
  REQUIRE(rig.all<SendGroupRead>().at(0).read.offset == 11);
}

TEST_CASE("another log, a refusal and nonsense end it", "[group]") {
  Rig rig;
  rig.join({{0, 10}});
  SECTION("another log") {
    rig.step(AttendingReceived{{0, kLog + 1, 4, 1, 2000, kPartitions, {}}});
  }
  SECTION("a refusal") { rig.step(GroupRefused{{0, "no such group"}}); }
  SECTION("nonsense") { rig.step(GroupRecordsReceived{{2, kLog, 11, 99, 0, "nonsense"}}); }
  REQUIRE(rig.all<GroupTrouble>().at(0).is_over);
  REQUIRE(rig.pass(60s).empty());
  REQUIRE_FALSE(rig.core.next_deadline());
}

TEST_CASE("who reads within a prefix says so, and reads nothing else", "[group]") {
  GroupCore core{"acme/g", kRun, "m", kStart, "acme/"};
  GroupActions out;
  core.on_deadline(kStart, out);
  REQUIRE(std::get<SendAttend>(out.at(0)).attend.within == "acme/");
  out.clear();
  core.on_event(AttendingReceived{{1, kLog, 2, 1, 2000, kPartitions, protocol::encode_cursors({{0, 3}})}},
                kStart, out);
  REQUIRE(std::get<SendGroupRead>(out.back()).read.within == "acme/");
}
