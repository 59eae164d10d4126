#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/topics.hpp"
#include "common/base/within.hpp"
#include "common/protocol/records.hpp"

namespace eole::gateway {

/// One result of the log, as everybody hears it. Made once.
struct Event {
  std::uint64_t offset = 0;
  std::string project;
  std::string topic;       // project/kind/state
  std::string wamp_topic;  // eole.PROJECT.KIND.STATE
  std::string frame;       // A WebSocket's.
  std::size_t json_at = 0;
  std::string_view json() const { return std::string_view(frame).substr(json_at); }
};
using EventPointer = std::shared_ptr<const Event>;  // Of the recent ones, and of who writes it.

/// What somebody hears: of the projects that exist for him what he listens for.
struct Interest {
  TopicPattern pattern;
  Within within = {};
  bool has(const Event& event) const {
    return within.has(event.project) && pattern.matches(event.topic);
  }
  bool operator==(const Interest&) const = default;
};

/// How events are told: as frames of a WebSocket, or as Server-Sent Events.
enum class Format : std::uint8_t { kWebSocket, kServerSent };
void put_event(std::string& out, const Event& event, Format format);

/// What one who listens is sent next, and all others who stand at the same place and listen for the
/// same.
struct Piece {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
  Interest interest;
  Format format = Format::kWebSocket;
  std::shared_ptr<const std::string> bytes;  // Of those who write it; null: nothing is for them.
};
constexpr std::size_t kPieceBytes = 64 << 10;

constexpr std::size_t kShownValueBytesMax = 64 << 10;  // Of a value; a larger one is asked for.

/// The events of a batch from `from` on.
std::vector<EventPointer> events_of(std::string_view batch, std::uint64_t from);

/// The end of the log that is kept in memory: who listens is served from here, however many they
/// are; who falls out of it reads the log. Pure.
class Recent {
 public:
  static constexpr std::size_t kRecentBytesMax = 16 << 20;

  /// Nothing is known before `offset`.
  void start(std::uint64_t offset);
  /// Skips what is there already; a gap starts anew behind it.
  void add(EventPointer event);
  bool is_started() const { return is_started_; }
  std::uint64_t begin() const { return begin_; }
  std::uint64_t end() const { return begin_ + events_.size(); }
  /// begin() <= offset < end().
  const EventPointer& at(std::uint64_t offset) const { return events_[offset - begin_]; }
  /// What is there from that offset on, kPieceBytes of it at most and the event that exceeds them.
  /// Made once for all who ask for the same. begin() <= from <= end().
  const Piece& piece(std::uint64_t from, const Interest& interest, Format format);

 private:
  static constexpr std::size_t kPiecesMax = 16;
  bool is_started_ = false;
  std::uint64_t begin_ = 0;
  std::deque<EventPointer> events_;
  std::size_t bytes_ = 0;
  std::array<Piece, kPiecesMax> pieces_;  // The last that were made.
  std::size_t next_piece_ = 0;
};

}  // namespace eole::gateway
