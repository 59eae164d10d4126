#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "common/base/expected.hpp"
#include "common/base/time.hpp"
#include "common/protocol/messages.hpp"
#include "common/protocol/value.hpp"

namespace eole::client {

/// What is answered with one msgpack value. Each may be said again.
using Question = std::variant<protocol::Query, protocol::Cancel, protocol::Control,
                              protocol::Discard, protocol::Read>;
inline std::uint64_t request_of(const Question& question) {
  return std::visit([](const auto& one) { return one.request; }, question);
}

// Events.
/// `question` has a request number of its own, not zero.
struct Asked {
  Question question;
  Duration patience{};
};
struct AnswerReceived {
  protocol::Answer answer;
};
struct QuestionRefused {
  protocol::Refused refused;  // Request zero: whichever was meant.
};
using AskEvent = std::variant<Asked, AnswerReceived, QuestionRefused>;

// Actions.
struct SendQuestion {
  Question question;
  bool operator==(const SendQuestion&) const = default;
};
/// It was answered, refused, or not answered in time.
struct QuestionEnded {
  std::uint64_t request = 0;
  std::optional<Error> error;
  Bytes answer;
  bool operator==(const QuestionEnded&) const = default;
};
using AskAction = std::variant<SendQuestion, QuestionEnded>;
using AskActions = std::vector<AskAction>;

/// Asks one role questions, many at once: each is sent again every second until it is answered,
/// and given up when its patience ends. Pure.
class AskCore {
 public:
  static constexpr std::size_t kQuestionsMax = 4096;  // Under way; one more is not asked.

  /// `who`: for error texts, "the ventilator".
  explicit AskCore(std::string who) : who_(std::move(who)) {}
  void on_event(AskEvent event, TimePoint now, AskActions& out);
  void on_deadline(TimePoint now, AskActions& out);
  std::optional<TimePoint> next_deadline() const;
  bool is_idle() const { return open_.empty(); }
  /// What was answered. One that is no value is damage on the side of who answered it.
  Expected<protocol::Value> read(std::string_view answer) const;

 private:
  struct Open {
    Question question;
    Duration patience{};
    TimePoint give_up{};
    TimePoint due{};  // Its place in due_.
  };
  using Opens = std::map<std::uint64_t, Open>;
  void on(Asked& event, TimePoint now, AskActions& out);
  void on(AnswerReceived& event, TimePoint now, AskActions& out);
  void on(QuestionRefused& event, TimePoint now, AskActions& out);
  void set_due(Open& open, TimePoint now);
  void end(Opens::iterator open, std::optional<Error> error, Bytes answer, AskActions& out);

  std::string who_;
  Opens open_;
  std::set<std::pair<TimePoint, std::uint64_t>> due_;
};

}  // namespace eole::client
