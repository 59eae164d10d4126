#pragma once
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "clients/cpp/core/window.hpp"
#include "common/base/expected.hpp"
#include "common/base/time.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/records.hpp"

namespace eole::client {

// Events.
/// One more request, while there is room: `submit` without run, request, confirmed and payload, which are set here.
struct SubmitAsked {
  protocol::Submit submit;
  std::shared_ptr<const Bytes> groups;
};
struct AcceptedReceived {
  protocol::Accepted accepted;
};
struct SubmitRefused {
  protocol::Refused refused;  // Request zero: whichever was meant.
};
/// The connection to the ventilator ended, or stands.
struct ConnectionBroke {};
struct ConnectionStands {};
using SubmitEvent = std::variant<SubmitAsked, AcceptedReceived, SubmitRefused, ConnectionBroke,
                                 ConnectionStands>;

// Actions.
struct SendSubmit {
  protocol::Submit submit;  // Without its payload.
  std::shared_ptr<const Bytes> groups;
  bool operator==(const SendSubmit&) const = default;
};
/// The request was accepted as these tasks; or why not, or why that is not known.
struct SubmitEnded {
  std::uint64_t request = 0;
  std::optional<Error> error;
  Origin origin = 0;
  Seq first = 0;
  std::uint32_t count = 0;
  bool operator==(const SubmitEnded&) const = default;
};
using SubmitAction = std::variant<SendSubmit, SubmitEnded>;
using SubmitActions = std::vector<SubmitAction>;

/// Submits tasks: several requests are under way at once, and one that stays unanswered is sent
/// again under its number, so that no task is accepted twice: after a while, and at once when the
/// connection stands again that had broken. Pure.
class SubmitCore {
 public:
  static constexpr Duration kRepeat = 2s;
  static constexpr std::size_t kFlyingBytesMax = 32 << 20;  // Kept for a repeat.

  /// `run` is random and drawn for this alone. `patience`: without any answer.
  SubmitCore(RunId run, Duration patience) : run_(run), patience_(patience) {}
  void on_event(SubmitEvent event, TimePoint now, SubmitActions& out);
  void on_deadline(TimePoint now, SubmitActions& out);
  std::optional<TimePoint> next_deadline() const;

  /// One more request may be made now.
  bool has_room() const {
    return flights_.size() < window_.messages() && flying_bytes_ <= kFlyingBytesMax;
  }
  bool is_idle() const { return flights_.empty(); }
  /// The number of the next request.
  std::uint64_t next_request() const { return next_request_; }

 private:
  struct Flight {
    protocol::Submit submit;
    std::shared_ptr<const Bytes> groups;
    TimePoint sent{};
    bool is_over = false;  // Waits for earlier ones: `confirmed` is a level.
  };
  void on(SubmitAsked& event, TimePoint now, SubmitActions& out);
  void on(AcceptedReceived& event, TimePoint now, SubmitActions& out);
  void on(SubmitRefused& event, TimePoint now, SubmitActions& out);
  void on(ConnectionBroke& event, TimePoint now, SubmitActions& out);
  void on(ConnectionStands& event, TimePoint now, SubmitActions& out);
  Flight* find(std::uint64_t request);
  void end(Flight& flight, SubmitEnded ended, SubmitActions& out);
  void end_all(const Error& error, SubmitActions& out);
  void repeat(Duration age, TimePoint now, SubmitActions& out);
  void forget_ended();

  RunId run_;
  Duration patience_;
  std::uint64_t next_request_ = 1;
  std::deque<Flight> flights_;  // Their numbers follow one another.
  std::size_t flying_bytes_ = 0;
  Window window_;
  bool is_broken_ = false;  // The connection, as far as is known.
  TimePoint heard_{};       // Any answer, or when the first of them went.
  TimePoint repeat_at_{};   // None is older than this less kRepeat.
};

}  // namespace eole::client
