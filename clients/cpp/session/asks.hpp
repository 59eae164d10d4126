#pragma once
#include <functional>
#include <map>
#include <string>

#include "clients/cpp/core/ask.hpp"
#include "clients/cpp/session/session.hpp"
#include "common/protocol/value.hpp"

namespace eole::client {

/// Questions to one role over one connection, many under way at once.
class Asks final : public Part {
 public:
  /// `who`: for error texts, "the ventilator".
  Asks(Session& session, const std::string& endpoint, std::string who);

  using OnAnswer = std::function<void(const Expected<protocol::Value>& answer)>;
  /// The question's request number is set here, and is what it returns. `on_answer` is called
  /// from here if too many are under way (AskCore::kQuestionsMax). A read of the log is answered
  /// with
  /// {"records": batches, each after its size as u32; "next"}, or, if it is not kept,
  /// {"kept_from"}.
  std::uint64_t ask(Question question, OnAnswer on_answer, Duration patience);
  /// Nothing is heard of it any more.
  void forget(std::uint64_t request) { waiting_.erase(request); }

 private:
  void turn(TimePoint now) override;
  bool is_due() const override { return role_.is_due(); }
  std::optional<TimePoint> next_deadline() const override { return core_.next_deadline(); }
  void take(net::Received received, TimePoint now, AskActions& out);
  void perform(AskActions actions);

  AskCore core_;
  Connection role_;
  std::uint64_t last_request_ = 0;
  std::map<std::uint64_t, OnAnswer> waiting_;
};

}  // namespace eole::client
