#include "clients/cpp/core/transfer.hpp"

#include <catch2/catch.hpp>

#include "common/protocol/records.hpp"

using namespace eole;
using namespace eole::client;

namespace {

constexpr TimePoint kStart = TimePoint(1000s);
constexpr std::uint64_t kFirst = (3ULL << 32) + 1;  // The first request of the third transfer.
constexpr std::uint64_t kChunk = protocol::kChunkBytes;
const std::string kName(64, 'a');

/// A transfer, and what it wants done.
template <class Core>
struct Rig {
  Core core;
  TimePoint now = kStart;
  TransferActions out{};
  TransferActions& step(TransferEvent event) {
    out.clear();
    core.on_event(std::move(event), now, out);
    core.on_deadline(now, out);
    return out;
  }
  TransferActions& pass(Duration time) {
    now += time;
    out.clear();
    core.on_deadline(now, out);
    return out;
  }
};

TransferAction question(std::uint64_t request, std::uint64_t size) {
  return SendPut{{request, kName, size, 0, {}},
                 static_cast<std::uint32_t>(size <= kChunk ? size : 0)};
}

TransferActions pieces(std::uint64_t request, std::uint64_t size, std::uint64_t from,
                       std::uint64_t to) {
  TransferActions out{};
  for (auto at = from; at < to; at += kChunk)
    out.emplace_back(SendPut{{request, kName, size, at, {}},
                             static_cast<std::uint32_t>(std::min(kChunk, size - at))});
  return out;
}

TransferActions ended() { return {TransferEnded{}}; }

TransferActions silence() {
  return {TransferEnded{Error{
      "no answer from the sink within 30 s: is it running, and may this key connect?", ErrorCode::kAway}}};
}

}  // namespace

TEST_CASE("a file goes in pieces, eight ahead of what the sink has", "[transfer]") {
  const auto size = 20 * kChunk + 5;
  Rig<PutCore> put{PutCore(3, kName, size, kStart)};
  REQUIRE(put.pass(0s) == TransferActions{question(kFirst, size)});
  REQUIRE(std::get<SendPut>(put.out.front()).bytes == 0);
  REQUIRE(put.step(PutAtReceived{{kFirst, 0, 0}}) == pieces(kFirst, size, 0, 8 * kChunk));
  REQUIRE(put.step(PutAtReceived{{kFirst, kChunk, 0}}) ==
          pieces(kFirst, size, 8 * kChunk, 9 * kChunk));
  REQUIRE(put.step(PutAtReceived{{kFirst, 13 * kChunk, 0}}) ==
          pieces(kFirst, size, 9 * kChunk, size));
  REQUIRE(put.core.have() == 13 * kChunk);
  REQUIRE(put.step(PutAtReceived{{kFirst, size, 1}}) == ended());
  REQUIRE_FALSE(put.core.next_deadline());
  REQUIRE(put.step(PutAtReceived{{kFirst, size, 1}}).empty());
}

TEST_CASE("a file that the sink has is not sent, an empty one neither", "[transfer]") {
  Rig<PutCore> known{PutCore(3, kName, 100, kStart)};
  known.pass(0s);
  REQUIRE(known.step(PutAtReceived{{kFirst, 100, 1}}) == ended());
  REQUIRE(known.core.have() == 100);
  Rig<PutCore> empty{PutCore(3, kName, 0, kStart)};
  empty.pass(0s);
  REQUIRE(empty.step(PutAtReceived{{kFirst, 0, 1}}) == ended());
}

TEST_CASE("a file of one piece goes along with the question", "[transfer]") {
  Rig<PutCore> put{PutCore(3, kName, kChunk, kStart)};
  REQUIRE(put.pass(0s) == TransferActions{SendPut{{kFirst, kName, kChunk, 0, {}}, kChunk}});
  REQUIRE(put.step(PutAtReceived{{kFirst, kChunk, 1}}) == ended());
  // What the sink has of it from before is not sent again.
  Rig<PutCore> part{PutCore(3, kName, kChunk, kStart)};
  part.pass(0s);
  REQUIRE(part.step(PutAtReceived{{kFirst, 100, 0}}) ==
          TransferActions{SendPut{{kFirst, kName, kChunk, 100, {}}, kChunk - 100}});
}

TEST_CASE("a file goes on where the sink has it, also if that is less than before", "[transfer]") {
  const auto size = 10 * kChunk;
  Rig<PutCore> put{PutCore(3, kName, size, kStart)};
  put.pass(0s);
  REQUIRE(put.step(PutAtReceived{{kFirst, 4 * kChunk, 0}}) ==
          pieces(kFirst, size, 4 * kChunk, size));
  REQUIRE(put.pass(5s - 1ns).empty());
  REQUIRE(put.pass(1ns) == TransferActions{question(kFirst + 1, size)});
  REQUIRE(put.step(PutAtReceived{{kFirst, 6 * kChunk, 0}}).empty());  // Of the pieces, late.
  REQUIRE(put.step(PutAtReceived{{kFirst + 1, 2 * kChunk, 0}}) ==
          pieces(kFirst + 1, size, 2 * kChunk, size));
  REQUIRE(put.core.have() == 2 * kChunk);
}

TEST_CASE("a question to the sink is repeated, and given up after a while", "[transfer]") {
  Rig<PutCore> put{PutCore(3, kName, 5, kStart)};
  put.pass(0s);
  REQUIRE(put.core.next_deadline() == kStart + 1s);
  REQUIRE(put.pass(1s - 1ns).empty());
  REQUIRE(put.pass(1ns) == TransferActions{question(kFirst, 5)});
  put.pass(28s);
  REQUIRE(put.core.next_deadline() == kStart + 30s);
  REQUIRE(put.pass(1s) == silence());
  REQUIRE(put.pass(100s).empty());
}

TEST_CASE("what the sink refuses ends a transfer with the reason", "[transfer]") {
  Rig<PutCore> put{PutCore(3, kName, 5, kStart)};
  put.pass(0s);
  REQUIRE(put.step(TransferRefused{{"the sink: no room"}}) ==
          TransferActions{TransferEnded{Error{"the sink: no room"}}});
  Rig<GetCore> get{GetCore(3, kName, 0, kStart)};
  get.pass(0s);
  REQUIRE(get.step(TransferRefused{{"the sink: not here"}}) ==
          TransferActions{TransferEnded{Error{"the sink: not here"}}});
  REQUIRE(get.step(ChunkReceived{{kFirst, 3, 0, "abc"}}).empty());
}

TEST_CASE("an artifact comes piece after piece, no faster than it is taken", "[transfer]") {
  Rig<GetCore> get{GetCore(3, kName, 10, kStart)};
  REQUIRE(get.pass(0s) == TransferActions{SendGet{{kFirst, kName, 10, GetCore::kPieceBytes}}});
  REQUIRE(get.step(ChunkReceived{{kFirst, 16, 10, "abc"}}) ==
          TransferActions{TakePiece{10, 16, "abc"}});
  REQUIRE(get.step(ChunkReceived{{kFirst, 16, 10, "abc"}}).empty());  // It came twice.
  REQUIRE_FALSE(get.core.next_deadline());
  REQUIRE(get.pass(100s).empty());
  REQUIRE(get.step(PieceTaken{}) ==
          TransferActions{SendGet{{kFirst + 1, kName, 13, GetCore::kPieceBytes}}});
  REQUIRE(get.step(ChunkReceived{{kFirst, 16, 10, "abc"}}).empty());
  REQUIRE(get.step(ChunkReceived{{kFirst + 1, 16, 13, "def"}}) ==
          TransferActions{TakePiece{13, 16, "def"}});
  REQUIRE(get.step(PieceTaken{}) == ended());
}

TEST_CASE("an artifact of no bytes is one empty piece", "[transfer]") {
  Rig<GetCore> get{GetCore(3, kName, 0, kStart)};
  get.pass(0s);
  REQUIRE(get.step(ChunkReceived{{kFirst, 0, 0, ""}}) == TransferActions{TakePiece{0, 0, ""}});
  REQUIRE(get.step(PieceTaken{}) == ended());
}

TEST_CASE("a piece that stays away is asked for again, and given up after a while", "[transfer]") {
  Rig<GetCore> get{GetCore(3, kName, 0, kStart)};
  const TransferActions asked{SendGet{{kFirst, kName, 0, GetCore::kPieceBytes}}};
  REQUIRE(get.pass(0s) == asked);
  REQUIRE(get.pass(1s) == asked);
  REQUIRE(get.pass(28s) == asked);
  REQUIRE(get.pass(1s) == silence());
}
