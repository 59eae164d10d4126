#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "common/base/expected.hpp"
#include "common/base/time.hpp"
#include "common/protocol/messages.hpp"

/// One artifact on its way to the sink, or from it. Pure: each is told what came, and the time,
/// and says what is to be done. Its request numbers are `transfer` << 32 and on, so that many may
/// share a connection.
namespace eole::client {

/// The transfer that an answer is for; zero: for any.
constexpr std::uint32_t transfer_of(std::uint64_t request) {
  return static_cast<std::uint32_t>(request >> 32);
}

// Events.
struct PutAtReceived {
  protocol::PutAt at;
};
struct ChunkReceived {
  protocol::Chunk chunk;
};
/// The last piece was taken by whom it was for: more may come.
struct PieceTaken {};
struct TransferRefused {
  Error why;
};
using TransferEvent = std::variant<PutAtReceived, ChunkReceived, PieceTaken, TransferRefused>;

// Actions.
/// Send it, with so many bytes of the file from its offset on as payload.
struct SendPut {
  protocol::Put put;
  std::uint32_t bytes = 0;
  bool operator==(const SendPut&) const = default;
};
struct SendGet {
  protocol::Get get;
  bool operator==(const SendGet&) const = default;
};
/// Take these bytes; none come until they were taken.
struct TakePiece {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;  // Of the whole artifact.
  Bytes bytes;
  bool operator==(const TakePiece&) const = default;
};
/// It is over: the sink has all of it durably, all of it was taken, or why not.
struct TransferEnded {
  std::optional<Error> error;
  bool operator==(const TransferEnded&) const = default;
};
using TransferAction = std::variant<SendPut, SendGet, TakePiece, TransferEnded>;
using TransferActions = std::vector<TransferAction>;

/// Sends a file: asks how much of it the sink has, then sends pieces ahead of the answers; asks
/// anew when those stay away. A file of one piece goes with the question.
class PutCore {
 public:
  static constexpr std::uint64_t kChunksUnderWay = 8;  // 2 MiB: a fast network's round trip.
  static constexpr Duration kStalled = 5s;

  PutCore(std::uint32_t transfer, std::string sha256, std::uint64_t size, TimePoint now);
  void on_event(TransferEvent event, TimePoint now, TransferActions& out);
  void on_deadline(TimePoint now, TransferActions& out);
  std::optional<TimePoint> next_deadline() const;
  /// So many bytes are in the sink.
  std::uint64_t have() const { return have_; }

 private:
  void ask(TimePoint now);
  void on_put_at(const protocol::PutAt& at, TimePoint now, TransferActions& out);
  void end(std::optional<Error> error, TransferActions& out);

  enum class State : std::uint8_t { kAsking, kSending, kOver };
  State state_ = State::kAsking;
  std::uint64_t request_;
  std::string sha256_;
  std::uint64_t size_;
  std::uint64_t have_ = 0;
  std::uint64_t sent_ = 0;
  TimePoint repeat_at_{};  // The question.
  TimePoint give_up_{};
  TimePoint heard_{};
};

/// Fetches a file from an offset on, one piece after the other.
class GetCore {
 public:
  static constexpr std::uint32_t kPieceBytes = 1 << 20;

  GetCore(std::uint32_t transfer, std::string sha256, std::uint64_t from, TimePoint now,
          std::uint32_t piece_bytes = kPieceBytes);
  void on_event(TransferEvent event, TimePoint now, TransferActions& out);
  void on_deadline(TimePoint now, TransferActions& out);
  std::optional<TimePoint> next_deadline() const;

 private:
  void ask(TimePoint now);
  void on_chunk(protocol::Chunk& chunk, TransferActions& out);
  void end(std::optional<Error> error, TransferActions& out);

  enum class State : std::uint8_t { kAsking, kTaking, kOver };
  State state_ = State::kAsking;
  std::uint64_t request_;
  std::string sha256_;
  std::uint64_t offset_;
  std::uint32_t piece_bytes_;
  bool is_last_ = false;
  TimePoint repeat_at_{};
  TimePoint give_up_{};
};

}  // namespace eole::client
