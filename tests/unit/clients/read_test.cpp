#include "clients/cpp/core/read.hpp"

#include <catch2/catch.hpp>

#include "clients/cpp/core/silence.hpp"
#include "common/base/crc32c.hpp"

using namespace eole;
using namespace eole::client;

namespace {

constexpr TimePoint kStart = TimePoint(1000s);
constexpr std::uint64_t kLog = 77;
constexpr std::uint32_t kReadBytes = ReadCore::kReadBytes;

// A batch of records from `first` on; a reader looks into its head only.
Bytes batch(std::uint64_t first, std::uint32_t count, std::size_t bytes = 10) {
  return protocol::encode_batch({first, 1, 1, count, "w", std::string(bytes, 'r')});
}

NotificationReceived news(std::uint64_t first, std::uint32_t count, std::uint64_t log = kLog,
                          std::size_t bytes = 10) {
  return {{log, batch(first, count, bytes)}};
}

RecordsReceived records(std::uint64_t request, std::uint64_t next, std::uint64_t head,
                        const std::vector<Bytes>& batches) {
  protocol::Records out{request, kLog, next, head, 0, {}};
  for (const auto& one : batches) {
    put<std::uint32_t>(out.payload, static_cast<std::uint32_t>(one.size()));
    out.payload += one;
  }
  return {out};
}

ReadAction taken(std::uint64_t first, std::uint32_t count, std::size_t bytes = 10) {
  auto one = batch(first, count, bytes);
  const auto crc = crc32c(one);
  return TakeBatch{std::move(one), {kLog, first + count, crc}};
}

SendRead reads(std::uint64_t request, std::uint64_t log, std::uint64_t offset,
              std::uint32_t crc = 0) {
  return {{request, log, offset, crc, kReadBytes}};
}

struct Rig {
  ReadCore core;
  TimePoint now = kStart;
  ReadActions out{};
  explicit Rig(const std::optional<Cursor>& from) : core(from, kStart) {}
  ReadActions& step(ReadEvent event) {
    out.clear();
    core.on_event(std::move(event), now, out);
    core.on_deadline(now, out);
    return out;
  }
  ReadActions& pass(Duration time) {
    now += time;
    out.clear();
    core.on_deadline(now, out);
    return out;
  }
  /// Open, and has read all up to offset 5.
  static Rig at_five() {
    Rig rig(Cursor{0, 0, 0});
    rig.pass(0s);
    rig.step(records(1, 5, 5, {batch(0, 5)}));
    return rig;
  }
};

const std::uint32_t kCrcAtFive = crc32c(batch(0, 5));

}  // namespace

TEST_CASE("a reader from a cursor on reads the log until its head", "[read]") {
  Rig rig(Cursor{kLog, 3, 9});
  REQUIRE(rig.pass(0s) == ReadActions{reads(1, kLog, 3, 9)});
  REQUIRE_FALSE(rig.core.is_open());
  const auto second = batch(3, 2);
  REQUIRE(rig.step(records(1, 5, 8, {second})) ==
          ReadActions{taken(3, 2), reads(2, kLog, 5, crc32c(second))});
  REQUIRE(rig.core.is_open());
  REQUIRE(rig.step(records(2, 8, 8, {batch(5, 1), batch(6, 2)})) ==
          ReadActions{taken(5, 1), taken(6, 2)});
  REQUIRE_FALSE(rig.core.next_deadline());
  REQUIRE(rig.core.cursor() == Cursor{kLog, 8, crc32c(batch(6, 2))});
}

TEST_CASE("a reader of what comes from now on asks for the head first", "[read]") {
  Rig rig(std::nullopt);
  REQUIRE(rig.pass(0s) == ReadActions{AskHead{1}});
  REQUIRE(rig.step(news(4, 3)).empty());
  REQUIRE(rig.step(HeadTold{1, 7}) == ReadActions{reads(2, 0, 7)});
  REQUIRE(rig.step(records(2, 7, 7, {})).empty());
  REQUIRE(rig.core.is_open());
  REQUIRE(rig.core.from() == 7);
  REQUIRE(rig.step(news(7, 1)) == ReadActions{taken(7, 1)});
}

TEST_CASE("an offset within a batch gets the whole batch", "[read]") {
  Rig rig(Cursor{0, 3, 0});
  rig.pass(0s);
  REQUIRE(rig.step(records(1, 5, 5, {batch(0, 5)})) == ReadActions{taken(0, 5)});
  REQUIRE(rig.core.from() == 3);
}

TEST_CASE("news is taken once and in order", "[read]") {
  auto rig = Rig::at_five();
  REQUIRE(rig.step(news(5, 2)) == ReadActions{taken(5, 2)});
  REQUIRE(rig.step(news(5, 2)).empty());
  REQUIRE(rig.step(LogHeadReceived{{kLog, 7}}).empty());
  REQUIRE(rig.step(NotificationReceived{{kLog, "not a batch"}}).empty());
}

TEST_CASE("a gap is read from the log, and joined with what was published behind it", "[read]") {
  auto rig = Rig::at_five();
  REQUIRE(rig.step(news(7, 1)) == ReadActions{reads(2, kLog, 5, kCrcAtFive)});
  REQUIRE(rig.step(news(8, 1)).empty());
  REQUIRE(rig.step(news(10, 1)).empty());  // Another gap, behind it.
  REQUIRE(rig.step(records(2, 8, 8, {batch(5, 2), batch(7, 1)})) ==
          ReadActions{taken(5, 2), taken(7, 1), taken(8, 1)});
  // The head is as of the answer: what was published tells of the rest.
  REQUIRE(rig.step(LogHeadReceived{{kLog, 11}}) ==
          ReadActions{reads(3, kLog, 9, crc32c(batch(8, 1)))});
  REQUIRE(rig.step(news(9, 1)) == ReadActions{taken(9, 1), taken(10, 1)});
  REQUIRE(rig.step(records(3, 11, 11, {batch(9, 1), batch(10, 1)})).empty());
}

TEST_CASE("the last notification may be lost: the head tells of it", "[read]") {
  auto rig = Rig::at_five();
  REQUIRE(rig.step(LogHeadReceived{{kLog, 6}}) == ReadActions{reads(2, kLog, 5, kCrcAtFive)});
  REQUIRE(rig.step(LogHeadReceived{{kLog, 6}}).empty());
}

TEST_CASE("a read is repeated while the sink is away, and goes on when it is back", "[read]") {
  auto rig = Rig::at_five();
  const ReadActions asked{reads(2, kLog, 5, kCrcAtFive)};
  REQUIRE(rig.step(news(6, 1)) == asked);
  REQUIRE(rig.core.next_deadline() == kStart + 1s);
  REQUIRE(rig.pass(1s) == asked);
  REQUIRE(rig.pass(28s) == asked);
  REQUIRE(rig.pass(1s) == ReadActions{ReadSilent{silence_of("the sink", 30s)}, asked[0]});
  REQUIRE(rig.pass(1s) == asked);
  REQUIRE(rig.step(records(1, 5, 5, {batch(0, 5)})).empty());  // Late, to the question before.
  REQUIRE(rig.step(records(2, 7, 7, {batch(5, 1), batch(6, 1)})) ==
          ReadActions{taken(5, 1), taken(6, 1)});
  REQUIRE(rig.step(records(2, 7, 7, {batch(5, 1), batch(6, 1)})).empty());
}

TEST_CASE("a log that was replaced ends the reader, by name", "[read]") {
  auto rig = Rig::at_five();
  REQUIRE(rig.step(news(5, 1, kLog + 1)).empty());
  REQUIRE(rig.step(LogHeadReceived{{kLog + 1, 2}}) == ReadActions{reads(2, kLog, 5, kCrcAtFive)});
  REQUIRE(rig.step(ReadRefused{{1, "of a question before"}}).empty());
  REQUIRE(rig.step(ReadRefused{{2, "cursor of log 4d, this is log 4e"}}) ==
          ReadActions{ReadEnded{Error{"the sink: cursor of log 4d, this is log 4e"}}});
  REQUIRE(rig.step(news(5, 1)).empty());
  REQUIRE_FALSE(rig.core.next_deadline());
}

TEST_CASE("a piece of the log that does not fit ends the reader", "[read]") {
  const auto damaged = [](const char* why) {
    return ReadActions{ReadEnded{Error{why, ErrorCode::kDamaged}}};
  };
  auto gap = Rig::at_five();
  gap.step(news(7, 1));
  REQUIRE(gap.step(records(2, 8, 8, {batch(6, 2)})) ==
          damaged("the sink: a malformed piece of its log, at 5"));
  auto torn = Rig::at_five();
  torn.step(news(7, 1));
  REQUIRE(torn.step(RecordsReceived{{2, kLog, 8, 8, 0, "\x08"}}) ==
          damaged("the sink: a malformed piece of its log, at 5"));
  auto empty = Rig::at_five();
  empty.step(news(7, 1));
  REQUIRE(empty.step(records(2, 5, 8, {})) ==
          damaged("the sink: its log has nothing at 5"));
}

TEST_CASE("who does not take what was read falls behind, and reads on later", "[read]") {
  auto rig = Rig::at_five();
  const auto large = std::size_t{40} << 20;
  REQUIRE(rig.step(news(5, 1, kLog, large)).size() == 1);
  REQUIRE(rig.step(news(6, 1, kLog, large)).size() == 1);
  REQUIRE(rig.step(news(7, 1)).empty());
  REQUIRE(rig.step(LogHeadReceived{{kLog, 8}}).empty());
  REQUIRE(rig.step(BatchesTaken{large}) ==
          ReadActions{reads(2, kLog, 7, crc32c(batch(6, 1, large)))});
}

TEST_CASE("what is kept behind a gap has a bound; the rest is read again", "[read]") {
  auto rig = Rig::at_five();
  const auto large = std::size_t{10} << 20;
  rig.step(news(6, 1, kLog, large));
  rig.step(news(7, 1, kLog, large));  // One too many.
  REQUIRE(rig.step(records(2, 6, 6, {batch(5, 1)})) == ReadActions{taken(5, 1), taken(6, 1, large)});
  REQUIRE(rig.step(LogHeadReceived{{kLog, 8}}).size() == 1);
}

TEST_CASE("what is not kept any more is told with both numbers, and where to go on", "[read]") {
  Rig rig(Cursor{kLog, 3, 9});
  rig.pass(0s);
  REQUIRE(rig.step(ReadGone{{7, kLog, 3, 10, 20}}).empty());  // To another question.
  const auto ended = rig.step(ReadGone{{1, kLog, 3, 10, 20}});
  REQUIRE(ended == ReadActions{ReadEnded{
                       {"the sink: 7 results, offsets 3 to 9, are not kept any more; the oldest "
                        "kept is 10",
                        ErrorCode::kUnknown},
                       10}});
  REQUIRE(rig.step(news(20, 1)).empty());
}

TEST_CASE("a reader within a prefix reads every moment, over what is others'", "[read]") {
  Rig rig(Cursor{kLog, 3, 9});
  const auto within = [](std::uint64_t request, std::uint64_t next, std::uint64_t head,
                         const std::vector<Bytes>& batches) {
    auto event = records(request, next, head, batches);
    event.records.within = "acme/";
    return event;
  };
  const auto took = [](const Bytes& one, std::uint64_t next) {
    return ReadAction{TakeBatch{one, {kLog, next, 0}}};
  };
  const auto nothing_at = [](std::uint64_t offset) {
    return protocol::encode_batch({offset, 0, 0, 0, {}, {}});
  };
  REQUIRE(rig.pass(0s) == ReadActions{reads(1, kLog, 3, 9)});
  REQUIRE(rig.step(within(1, 20, 30, {batch(5, 2), batch(11, 1)})) ==
          ReadActions{took(batch(5, 2), 7), took(batch(11, 1), 12), took(nothing_at(20), 20),
                      reads(2, kLog, 20)});
  REQUIRE(rig.core.is_open());
  REQUIRE(rig.step(within(2, 30, 30, {})) == ReadActions{took(nothing_at(30), 30)});
  REQUIRE(rig.pass(ReadCore::kReadEvery - 1ms).empty());
  REQUIRE(rig.pass(1ms) == ReadActions{reads(3, kLog, 30)});
  REQUIRE(rig.step(within(3, 30, 30, {})).empty());
  REQUIRE(rig.core.next_deadline() == rig.now + ReadCore::kReadEvery);
}

namespace {

// Of these projects, one result each.
Bytes batch_of(std::uint64_t first, const std::vector<std::string>& projects) {
  Bytes runs;
  for (const auto& project : projects) {
    protocol::ResultRecord result;
    result.id = {5, 1};
    result.kind = "echo";
    result.project = project;
    put_result(runs, result);
  }
  return protocol::encode_batch(
      {first, 0, 0, static_cast<std::uint32_t>(projects.size()), "w", runs});
}

}  // namespace

TEST_CASE("a reader of a pattern is told of what fits alone, and how far was looked", "[read]") {
  Rig rig(Cursor{0, 0, 0});
  rig.core = ReadCore(Cursor{0, 0, 0}, kStart, *TopicPattern::parse("shop/*/done"));
  auto asked = reads(1, 0, 0);
  asked.read.pattern = "shop/*/done";
  REQUIRE(rig.pass(0s) == ReadActions{asked});
  const auto took = [](const Bytes& one, std::uint64_t next) {
    return ReadAction{TakeBatch{one, {kLog, next, 0}}};
  };
  const auto nothing_at = [](std::uint64_t offset) {
    return protocol::encode_batch({offset, 0, 0, 0, {}, {}});
  };
  const auto third = batch_of(3, {"shop"});
  REQUIRE(rig.step(records(1, 5, 5, {third})) ==
          ReadActions{took(third, 4), took(nothing_at(5), 5)});
  const auto live = batch_of(5, {"other", "shop", "shop", "other"});
  const auto wanted = batch_of(6, {"shop", "shop"});
  REQUIRE(rig.step(NotificationReceived{{kLog, live}}) ==
          ReadActions{took(wanted, 8), took(nothing_at(9), 9)});
  // What is published behind a gap is looked at, too, once the gap is closed.
  asked = reads(2, kLog, 9);
  asked.read.pattern = "shop/*/done";
  REQUIRE(rig.step(NotificationReceived{{kLog, batch_of(10, {"other", "shop"})}}) ==
          ReadActions{asked});
  REQUIRE(rig.step(records(2, 10, 12, {})) == ReadActions{took(nothing_at(10), 10),
                                                          took(batch_of(11, {"shop"}), 12)});
}

TEST_CASE("a reader within a prefix that falls behind reads on once there is room", "[read]") {
  Rig rig(Cursor{kLog, 0, 0});
  rig.pass(0s);
  auto event = records(1, 1, 1, {batch(0, 1, ReadCore::kUntakenBytesMax)});
  event.records.within = "acme/";
  rig.step(event);
  REQUIRE(rig.pass(10s).empty());
  rig.step(BatchesTaken{ReadCore::kUntakenBytesMax});
  REQUIRE(rig.pass(ReadCore::kReadEvery) == ReadActions{reads(2, kLog, 1)});
}
