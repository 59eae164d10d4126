#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "common/base/expected.hpp"

/// WebSocket (RFC 6455), the server's side. Pure.
namespace eole::gateway::http {

enum class Opcode : std::uint8_t { kMore = 0, kText, kBinary, kClose = 8, kPing, kPong };

/// Why a WebSocket ends, as a close frame says it.
enum class CloseCode : std::uint16_t {
  kNormal = 1000,
  kGoingAway = 1001,
  kProtocolError = 1002,
  kNotTaken = 1003,  // Of this kind of data.
  kNone = 1005,      // The frame said nothing; never sent.
  kNotText = 1007,
  kPolicy = 1008,
  kTooLarge = 1009,
  kTryLater = 1013,
};

constexpr std::size_t kCloseReasonBytesMax = 123;
constexpr std::size_t kControlBytesMax = 125;  // Of a ping, a pong or a close.

/// A frame from the server: it masks nothing, so one frame serves any number of clients.
std::string encode_frame(Opcode opcode, std::string_view payload);
/// The reason is cut to what a close frame holds.
std::string encode_close(CloseCode code, std::string_view reason = {});
/// What proves to who sent `key` that it is a WebSocket's server that answers.
std::string accept_key(std::string_view key);
/// Whether it is what a client sends: 16 bytes in base64.
bool is_key(std::string_view key);

/// Reads the frames of one client, and refuses what RFC 6455 lets none send.
class FrameReader {
 public:
  /// The largest message, in bytes.
  explicit FrameReader(std::size_t message_bytes_max) : most_(message_bytes_max) {}

  struct Event {
    /// kText and kBinary are whole messages; kMore is no event.
    Opcode opcode = Opcode::kText;
    std::string bytes;                  // Of a close its reason.
    CloseCode code = CloseCode::kNone;  // Of a close.
    /// It broke the protocol: `code` and `bytes` are what is to be answered.
    bool is_broken = false;
    bool operator==(const Event&) const = default;
  };
  /// From the next message on.
  void take_up_to(std::size_t message_bytes_max) { most_ = message_bytes_max; }
  void add(std::string_view bytes);
  /// What came next; nothing: more must come first, or it has ended.
  std::optional<Event> next();
  /// Nothing more is read: a close came, or what makes no sense.
  bool is_over() const { return is_over_; }

 private:
  struct Header {
    Opcode opcode = Opcode::kText;
    bool is_last = true;
    std::uint64_t size = 0;
    std::size_t bytes = 0;  // Of the header itself, with its mask.
  };
  std::optional<Event> read_header();
  std::optional<Event> refuse_header() const;
  std::optional<Event> take_payload();
  bool is_text_so_far(bool is_all);
  Event end_by_close(std::string payload);
  Event broken(CloseCode code, std::string reason);

  std::string_view rest() const { return std::string_view(input_).substr(at_); }

  std::size_t most_;
  std::string input_;
  std::size_t at_ = 0;            // So much of it was read.
  std::optional<Header> header_;  // Of the frame whose payload is awaited.
  std::string message_;           // Of the fragments so far.
  std::size_t checked_ = 0;       // Bytes of it that are known to be text.
  Opcode begun_ = Opcode::kMore;  // What they are of; kMore: none has come.
  bool is_over_ = false;
};

}  // namespace eole::gateway::http
