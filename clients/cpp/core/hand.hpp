#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "common/base/expected.hpp"
#include "common/base/time.hpp"
#include "common/protocol/hand_messages.hpp"

namespace eole::client {

/// Hands a file over to a sink that sees it, while it is still being written: says how far it is,
/// and hears how far the sink has looked. Pure, as the transfers; one question is under way.
class HandCore {
 public:
  /// `file`: empty to ask where files may be linked.
  HandCore(std::uint32_t transfer, std::string file, TimePoint now);
  /// So many bytes are there; with `is_last` these are all.
  void reach(std::uint64_t bytes, bool is_last, TimePoint now);
  void on_handed(const protocol::Handed& handed, TimePoint now);
  void on_refused(const Error& why);
  /// What is to be sent, if anything is.
  std::optional<protocol::Hand> on_deadline(TimePoint now);
  std::optional<TimePoint> next_deadline() const;

  /// How it ended: the last answer; nothing while it goes on.
  const std::optional<Expected<protocol::Handed>>& end() const { return end_; }
  std::uint64_t have() const { return have_; }

 private:
  bool is_due() const { return file_.empty() || is_last_ || have_ < reached_; }
  std::uint64_t request_;
  std::string file_;
  std::uint64_t reached_ = 0;
  bool is_last_ = false;
  std::uint64_t have_ = 0;
  bool is_asked_ = false;
  TimePoint repeat_at_{};
  TimePoint give_up_{};
  std::optional<Expected<protocol::Handed>> end_;
};

}  // namespace eole::client
