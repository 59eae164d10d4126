#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "common/base/expected.hpp"
#include "common/protocol/value.hpp"
#include "ventilator/core/events.hpp"
#include "ventilator/core/wishes.hpp"

namespace eole::ventilator {

/// What was answered to the last controls with an id, kept among the wishes: a copy that comes late
/// must not undo what was wished since, nor do what was refused. Made for one control.
class HeardControls {
 public:
  /// Those of others push out none of operators'.
  HeardControls(Wishes& wishes, bool is_operators)
      : wishes_(wishes), list_(is_operators ? "heard_of_operators" : "heard") {}

  /// The same again, if the control with this id was heard.
  std::optional<Reply> answer_before(const Peer& peer, std::uint64_t request,
                                     const std::string& id) const;
  /// In place of the oldest, if they are many. What no disk has room for is known as long as this
  /// start lasts.
  void remember(const std::string& id, const Expected<protocol::Value>& answer,
                bool is_storage_full, Actions& out);

 private:
  Wishes& wishes_;
  const char* list_;
};

}  // namespace eole::ventilator
